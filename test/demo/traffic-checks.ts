import type { Listener } from '@privatelink/proto/broker/v1/connection';
import { type Client, describeOutcome, type Flow } from '../support/traffic/client.ts';
import { type Api, CALL } from '../support/world.ts';
import { Difference, expectEqual, type Stage } from './story.ts';

/** What a story says of the traffic through one endpoint. */
export type TrafficChecks = Readonly<{
  /** A request through each zone's interface reaches the backend of its zone; each flow stays open from then on. */
  flows: () => Promise<void>;
  /** The flows of before go on. */
  goesOn: () => Promise<void>;
  /**
   * The flows were cut soon after the end of CONNECTED, and new ones are refused; or, where the interface is
   * gone with its address, get no answer.
   */
  isCut: (further?: 'refused' | 'unanswered') => Promise<void>;
}>;

/** Promised within a second of a machine of its own. */
const CUT_WITHIN_MS = 4_000;
const PATIENCE_MS = 10_000;

export type TrafficOptions = Readonly<{
  /** Whose network interfaces they are. */
  consumer: Pick<Api, 'broker'>;
  connectionId: string;
  client: Client;
}>;

export const checkTraffic = (stage: Stage, { consumer, connectionId, client }: TrafficOptions): TrafficChecks => {
  const { run, narrator } = stage;
  const { checked } = narrator;
  if (run.dataPlane.mode === 'none') return nothingIsForwarded(checked);
  const flows = new Map<string, Flow>();
  return {
    flows: async () => {
      const { connection } = await consumer.broker.getConnection({ connectionId }, CALL);
      for (const { zoneId, ipv4Address, listeners } of connection?.zones ?? []) {
        const { address } = onlyOne(listeners, zoneId);
        const flow = await client.open(address);
        flows.set(address, flow);
        expectEqual(`who answers at ${address}`, describeOutcome(flow.first), `${zoneId} ${connectionId}`);
        const where = address.startsWith(`${ipv4Address}:`) ? address : `${address}, which stands for ${ipv4Address},`;
        checked(`HTTP through ${where} is answered by the backend of ${zoneId}, which is told ${connectionId}`);
      }
      expectEqual('whether there are flows', flows.size > 0, true);
    },
    goesOn: async () => {
      for (const [address, flow] of flows) {
        expectEqual(`the flow through ${address}`, describeOutcome(await flow.ask()), describeOutcome(flow.first));
      }
      checked(`the flows through ${[...flows.keys()].join(' and ')} go on`);
    },
    isCut: async (further = 'refused') => {
      const afterMs = await expectCut(stage, connectionId, [...flows.values()]);
      for (const address of flows.keys()) await expectClosed(client, address, further);
      checked(`flows were cut ${afterMs} ms after CONNECTED had ended; connections are ${further}`);
      flows.clear();
    },
  };
};

const nothingIsForwarded = (checked: (reason: string) => void): TrafficChecks => ({
  flows: async () => checked('nothing is forwarded (PRIVATELINK_FORWARDING=none)'),
  goesOn: async () => undefined,
  isCut: async () => undefined,
});

/** How many milliseconds after a connection had ceased to be CONNECTED the last of these flows was cut: not too many. */
export const expectCut = async (stage: Stage, connectionId: string, flows: readonly Flow[]): Promise<number> => {
  const endedAt = endOfConnected(stage, connectionId);
  const cut = await withinPatience(Promise.all(flows.map((flow) => flow.cut)), 'flows are cut');
  const afterMs = Math.max(0, ...cut.map((at) => at - endedAt));
  if (afterMs > CUT_WITHIN_MS) throw new Difference(`flows were cut only ${afterMs} ms after CONNECTED had ended`);
  return afterMs;
};

export const expectClosed = (client: Client, address: string, further: keyof typeof CLOSED): Promise<void> =>
  withinPatience(untilClosed(client, address, further), `connections to ${address} are ${further}`);

export const onlyOne = (listeners: readonly Listener[], zoneId: string): Listener => {
  const [listener] = listeners;
  if (!listener || listeners.length > 1) throw new Difference(`${listeners.length} listeners in ${zoneId}, not one`);
  return listener;
};

/** When the connection last ceased to be CONNECTED. */
const endOfConnected = ({ feed }: Stage, connectionId: string): number => {
  const end = feed.all.findLast(
    ({ fact: { transition }, resourceId }) =>
      resourceId === connectionId && transition?.from === 'CONNECTED' && transition.to !== 'CONNECTED',
  );
  const { seconds = 0n, nanos = 0 } =
    (end?.fact.resource?.$case === 'connection' && end.fact.resource.value.statusTime) || {};
  return Number(seconds) * 1_000 + nanos / 1_000_000;
};

const CLOSED = { refused: ['ECONNREFUSED'], unanswered: ['ECONNREFUSED', 'EHOSTUNREACH', 'TIMEOUT'] } as const;

const untilClosed = async (client: Client, address: string, further: keyof typeof CLOSED): Promise<void> => {
  for (;;) {
    const outcome = describeOutcome(await client.request(address));
    if (CLOSED[further].some((closed) => closed === outcome)) return;
  }
};

/** A promise that somebody keeps soon, or it is a difference. */
export const withinPatience = async <T>(promise: Promise<T>, what: string): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Difference(`not within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};
