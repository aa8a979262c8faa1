import { get } from './api.ts';

type Process = Readonly<{ address: string; isAnswering: boolean; heardAt: string | null }>;

export type Agent = Process &
  Readonly<{
    name: string;
    work: Readonly<{
      since: string;
      forwards: number;
      pending: number;
      notInPlace: number;
      withoutTarget: number;
      limitsNotKept: number;
      targetsDown: number;
      reloads: number;
      failedRounds: number;
    }> | null;
  }>;

export type Zone = Readonly<{ zoneId: string; agents: readonly Agent[] }>;
export type DataPlane = Readonly<{ zones: readonly Zone[]; unknown: readonly Agent[] }>;

export type Rate = Readonly<{ code: string; perSecond: number }>;
export type DnsQueries = Readonly<{
  processes: readonly Process[];
  now: readonly Rate[];
  history: readonly Readonly<{ time: string; rates: readonly Rate[] }>[];
}>;

/** Null: this system was not told where to ask. */
type Measured<T> = Readonly<{ measured: T | null }>;

/** What is asked of each query of measurements, which no fact tells of. */
const measured = <T>(key: string, path: string) => ({
  queryKey: [key],
  queryFn: () => get<Measured<T>>(path),
  refetchInterval: 2_000,
});

export const dataPlane = measured<DataPlane>('data-plane', '/api/data-plane');
export const dnsQueries = measured<DnsQueries>('dns-queries', '/api/dns-queries');
