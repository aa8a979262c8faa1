import { agentMetrics, createDataPlane, type DataPlane } from './data-plane.ts';
import { createDnsQueries, type DnsQueries, dnsMetrics } from './dns-queries.ts';
import { type WatchDeps, watchProcesses } from './processes.ts';

/** What other processes have measured; null where this one was not told where to ask them. */
export type Measured = Readonly<{ dataPlane: () => DataPlane | null; dnsQueries: () => DnsQueries | null }>;

type Options = WatchDeps &
  Readonly<{
    agentMetrics: readonly string[] | undefined;
    dnsMetrics: readonly string[] | undefined;
    zoneIds: readonly string[];
  }>;

/** Follows what agents and DNS measure, until the signal aborts. Nothing of it is stored. */
export const followMeasured = (options: Options): Readonly<{ measured: Measured; ended: Promise<unknown> }> => {
  const { agentMetrics: agents, dnsMetrics: dns, zoneIds, clock } = options;
  const dataPlane = createDataPlane(zoneIds);
  const queries = createDnsQueries();
  const ended = Promise.all([
    agents && watchProcesses(options, { addresses: agents, names: agentMetrics, onRound: dataPlane.hear }),
    dns && watchProcesses(options, { addresses: dns, names: dnsMetrics, onRound: queries.hear }),
  ]);
  return {
    measured: {
      dataPlane: () => (agents ? dataPlane.show() : null),
      dnsQueries: () => (dns ? queries.show(clock.now()) : null),
    },
    ended,
  };
};
