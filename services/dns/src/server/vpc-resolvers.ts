import type { Answer } from './answer.ts';
import type { DnsServer, DnsServerOptions } from './dns-server.ts';
import type { ServerLog } from './server-log.ts';

/** From where somebody asks: a VPC, and the zone in it; any zone when empty. */
export type View = Readonly<{ vpcId: string; zoneId: string }>;

export type VpcResolver = Readonly<{ zoneId: string; address: string }>;

export type VpcResolvers = Readonly<{
  /** Opens the name servers of a VPC. To be told of all VPCs in the same order at each start. */
  open: (vpcId: string) => void;
  /** Those that listen, once all have been opened that were told of. */
  of: (vpcId: string) => Promise<readonly VpcResolver[]>;
  opened: () => Promise<void>;
  close: () => Promise<void>;
}>;

type Options = Readonly<{
  /** The first port; those of further VPCs follow. 0: any that is free. */
  listen: Readonly<{ host: string; port: number }>;
  zones: readonly string[];
  answerIn: (view: View) => Answer;
  startServer: (options: DnsServerOptions) => Promise<DnsServer>;
  log: ServerLog;
}>;

/**
 * Name servers for VPCs: each VPC has sockets of its own, one for its clients in any zone and one for each zone. Which
 * of them a query comes in by is all that says whose it is; nothing in the query does. Only the VPC's network leads to
 * its sockets. A VPC's ports follow from how many came before it, so that they are the same after a restart.
 */
export const createVpcResolvers = ({ listen, zones, answerIn, startServer, log }: Options): VpcResolvers => {
  const servers = new Map<string, Promise<readonly (VpcResolver & DnsServer)[]>>();
  const places = ['', ...zones];

  const start = async (view: View, port: number): Promise<readonly (VpcResolver & DnsServer)[]> => {
    try {
      const server = await startServer({ host: listen.host, port, answer: answerIn(view), log });
      const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
      return [{ ...server, zoneId: view.zoneId, address: `${host}:${server.port}` }];
    } catch (error) {
      log.error({ err: error, ...view }, 'a VPC has no name server');
      return [];
    }
  };

  const all = async () => (await Promise.all(servers.values())).flat();

  return {
    open: (vpcId) => {
      const first = listen.port === 0 ? 0 : listen.port + servers.size * places.length;
      const started = places.map((zoneId, index) => start({ vpcId, zoneId }, first === 0 ? 0 : first + index));
      servers.set(
        vpcId,
        Promise.all(started).then((each) => each.flat()),
      );
    },
    of: async (vpcId) => ((await servers.get(vpcId)) ?? []).map(({ zoneId, address }) => ({ zoneId, address })),
    opened: async () => void (await all()),
    close: async () => void (await Promise.all((await all()).map((server) => server.close()))),
  };
};
