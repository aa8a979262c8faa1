import type { Answer } from './answer.ts';
import type { DnsServer, DnsServerOptions } from './dns-server.ts';
import type { ServerLog } from './server-log.ts';
import { createSlots, type Holder } from './slots.ts';

/** From where somebody asks: a VPC, and the zone in it; any zone when empty. */
export type View = Readonly<{ vpcId: string; zoneId: string }>;

export type VpcResolver = Readonly<{ zoneId: string; address: string }>;

export type VpcResolvers = Readonly<{
  /**
   * Says whether an endpoint has names that only the name servers of its VPC answer: they are there while one has. To
   * be told of all endpoints in the same order at each start.
   */
  need: (vpc: Holder, endpointId: string, isNeeded: boolean) => void;
  /** From now on they listen. What was needed only before never did. */
  start: () => Promise<void>;
  /** Those of a VPC that listen. */
  of: (vpcId: string) => Promise<readonly VpcResolver[]>;
  close: () => Promise<void>;
}>;

type Options = Readonly<{
  /** The first port; those of further VPCs follow. 0: any that is free. */
  listen: Readonly<{ host: string; port: number }>;
  /** How many ports are for one VPC, whatever zones there are. */
  portsPerVpc: number;
  /** How many VPCs may have name servers at once. */
  vpcs: number;
  /** ... and how many of one account. */
  vpcsPerAccount: number;
  answerIn: (view: View) => Answer;
  startServer: (options: DnsServerOptions) => Promise<DnsServer>;
  log: ServerLog;
}>;

/** A VPC has few clients, and many VPCs have servers. */
const tcpConnections = 16;

/**
 * Name servers for VPCs: each VPC that needs them has sockets of its own, one for its clients in any zone and one for
 * each zone of its region. Which of them a query comes in by is all that says whose it is; nothing in the query does. Only the VPC's
 * network leads to its sockets. Its ports follow from what was needed before it, so that they are the same after a
 * restart and on each replica.
 */
export const createVpcResolvers = (options: Options): VpcResolvers => {
  const { listen, portsPerVpc, answerIn, startServer, log } = options;
  const slots = createSlots({ count: options.vpcs, perAccount: options.vpcsPerAccount });
  const needed = new Map<string, Set<string>>();
  type Servers = Promise<readonly (VpcResolver & DnsServer)[]>;
  /** By slot, what listens there or is about to. */
  const opened = new Map<number, Readonly<{ vpcId: string | undefined; servers: Servers }>>();
  let isListening = false;

  const open = async (view: View, port: number): Servers => {
    try {
      const limits = { tcpConnections };
      const server = await startServer({ host: listen.host, port, answer: answerIn(view), log, limits });
      const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
      return [{ ...server, zoneId: view.zoneId, address: `${host}:${server.port}` }];
    } catch (error) {
      log.error({ err: error, ...view }, 'a VPC has no name server');
      return [];
    }
  };

  const openAll = async ({ vpcId, zoneIds }: Holder, slot: number): Servers => {
    const places = ['', ...zoneIds];
    const portOf = (index: number): number => (listen.port === 0 ? 0 : listen.port + slot * portsPerVpc + index);
    return (await Promise.all(places.map((zoneId, index) => open({ vpcId, zoneId }, portOf(index))))).flat();
  };

  const closeAll = async (servers: Servers | undefined): Promise<void> =>
    void (await Promise.all(((await servers) ?? []).map((server) => server.close())));

  /** Makes what listens follow who holds the slots; a port is free before the next has it. */
  const settle = (): void => {
    for (let slot = 0; isListening && slot < options.vpcs; slot++) {
      const holder = slots.held.get(slot);
      const vpcId = holder?.vpcId;
      const before = opened.get(slot);
      if (before?.vpcId === vpcId) continue;
      const closed = closeAll(before?.servers);
      opened.set(slot, { vpcId, servers: closed.then(() => (holder ? openAll(holder, slot) : [])) });
    }
  };

  const all = () => [...opened.values()].map(({ servers }) => servers);

  return {
    need: (vpc, endpointId, isNeeded) => {
      const endpoints = needed.get(vpc.vpcId) ?? new Set();
      if (isNeeded === endpoints.has(endpointId)) return;
      if (isNeeded) {
        needed.set(vpc.vpcId, endpoints.add(endpointId));
        if (endpoints.size > 1) return;
        if (!slots.take(vpc) && isListening) log.warn(vpc, 'a VPC waits for name servers: as many have some as may');
      } else {
        endpoints.delete(endpointId);
        if (endpoints.size > 0) return;
        needed.delete(vpc.vpcId);
        slots.give(vpc.vpcId);
      }
      settle();
    },
    start: async () => {
      isListening = true;
      settle();
      await Promise.all(all());
    },
    of: async (vpcId) => {
      const own = [...opened.values()].find((one) => one.vpcId === vpcId);
      return ((await own?.servers) ?? []).map(({ zoneId, address }) => ({ zoneId, address }));
    },
    close: async () => {
      isListening = false;
      await Promise.all(all().map(closeAll));
    },
  };
};
