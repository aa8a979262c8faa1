import type { AgentDeps } from '../../../services/data-plane/src/agent.ts';
import type { Lock } from '../../../services/data-plane/src/directory-lock.ts';
import { checkName, type Forward } from '../../../services/data-plane/src/haproxy/forward.ts';
import type { Host } from './host.ts';
import type { Random } from './random.ts';
import type { Trouble } from './trouble.ts';

/** The machine of a zone: what forwards on it outlives the agents that work there. */
export type ZoneMachine = Readonly<{
  zoneId: string;
  /** What is forwarded at this moment. */
  forwards: () => readonly Forward[];
  /** The limits that are kept, in Mbit/s by connection. */
  limits: () => ReadonlyMap<string, number>;
  /** What an agent finds on it. */
  toolsFor: (host: Host) => Readonly<Pick<AgentDeps, 'createEngine' | 'createMode' | 'createLimits' | 'lock'>>;
  /** HAProxy dies, with every flow. */
  killProxy: () => void;
  /** The targets of the zone answer no more, or again. */
  setAnswering: (isAnswering: boolean) => void;
  isAnswering: () => boolean;
}>;

export const createZoneMachine = (zoneId: string, random: Random, trouble: Trouble): ZoneMachine => {
  let forwards: readonly Forward[] = [];
  let limits: ReadonlyMap<string, number> = new Map();
  let isProxyUp = false;
  let isAnswering = true;
  let holder: Host | null = null;
  const waiting: (() => void)[] = [];

  const release = (host: Host): void => {
    if (holder !== host) return;
    holder = null;
    waiting.shift()?.();
  };

  const lockFor =
    (host: Host): Lock =>
    async ({ wait, signal }) => {
      while (!signal.aborted && host.isAlive()) {
        if (holder === null) {
          holder = host;
          const forget = host.onEnd(() => release(host));
          return () => {
            forget();
            release(host);
          };
        }
        if (!wait) return null;
        const turn = Promise.withResolvers<void>();
        waiting.push(turn.resolve);
        signal.addEventListener('abort', () => turn.resolve(), { once: true });
        await turn.promise;
      }
      return null;
    };

  return {
    zoneId,
    forwards: () => (isProxyUp ? forwards : []),
    limits: () => limits,
    killProxy: () => {
      isProxyUp = false;
    },
    setAnswering: (now) => {
      isAnswering = now;
    },
    isAnswering: () => isAnswering,
    toolsFor: (host) => ({
      lock: lockFor(host),
      createEngine: () => ({
        apply: async (wanted) => {
          await host.clock.sleep(trouble.strikes('proxySlow') ? random.between(200, 3_000) : random.between(10, 60));
          return host.ask(() => {
            if (!host.isAlive()) throw new Error('its agent is gone');
            if (trouble.strikes('proxyRefuses')) throw new Error('HAProxy does not take its configuration');
            forwards = wanted;
            isProxyUp = true;
            return { refused: [] };
          });
        },
        isAlive: () => host.ask(() => isProxyUp),
        checks: () =>
          host.ask(
            () =>
              new Map(
                (isProxyUp ? forwards : []).flatMap(({ targets, targetNamespace }) =>
                  targets.map((target) => [checkName(target, targetNamespace), isAnswering]),
                ),
              ),
          ),
        // Nothing goes through here, so that nothing is known of it.
        meter: { id: async () => zoneId, look: async () => null, forget: () => undefined },
        stop: async () => undefined,
      }),
      createLimits: () => ({
        apply: (wanted) =>
          host.ask(() => {
            if (!host.isAlive()) throw new Error('its agent is gone');
            limits = new Map(wanted.map(({ connectionId, mbps }) => [connectionId, mbps]));
            return { connectionIds: new Set<string>(), again: false };
          }),
        check: async () => false,
      }),
      createMode: () => ({
        name: 'loopback',
        place: (interfaces) =>
          host.ask(
            () =>
              new Map(
                interfaces.map(({ connectionId, addresses, ways, ingress }) => [
                  connectionId,
                  {
                    binds: new Map(
                      ways.map(({ port }) => [
                        port,
                        addresses.map((address) => ({ host: address, port, namespace: null })),
                      ]),
                    ),
                    listeners: ways.flatMap(({ port }) =>
                      addresses.map((address) => ({ port, address: `${address}:${port}` })),
                    ),
                    targetNamespace: null,
                    source: null,
                    ingress,
                  },
                ]),
              ),
          ),
        refuse: () => undefined,
        check: async () => false,
        retain: async () => undefined,
      }),
    }),
  };
};
