import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type Connection, rpc } from '../api.ts';
import { bytes, number, rate } from '../format.ts';
import { type Measured, measure, type Rate, sumOf, type Traffic as TrafficAnswer } from '../traffic.ts';
import { Problem } from './problem.tsx';
import { SimpleTable } from './simple-table.tsx';
import { Ago } from './time.tsx';

/** As often as agents report. */
const EACH_MS = 2_000;

const HEADS = [
  'Zone',
  'To the service',
  'To the endpoint',
  'Flows open',
  'Flows',
  'Without a target',
  'Since',
  'As of',
];

type Counters = NonNullable<TrafficAnswer['total']>;

/** What has gone through a connection, and how fast it goes while one looks. */
export const Traffic = ({ connection: { connectionId, forwarder } }: Readonly<{ connection: Connection }>) => {
  const client = useQueryClient();
  const queryKey = ['traffic', connectionId];
  const { data, error } = useQuery({
    queryKey,
    queryFn: async () =>
      measure(
        client.getQueryData<Measured>(queryKey),
        await rpc<TrafficAnswer>('broker', 'GetConnectionTraffic', { connectionId }),
      ),
    refetchInterval: EACH_MS,
  });
  const rows = (data?.zones ?? []).map(({ zoneId, counters, sinceTime, reportTime }) => ({
    key: zoneId,
    cells: counters
      ? [
          zoneId,
          ...cellsOf(counters, data?.rates[zoneId]),
          <Ago key="s" time={sinceTime} />,
          <Ago key="a" time={reportTime} />,
        ]
      : [zoneId, forwarder === 'none' ? 'nothing is forwarded here' : 'no report yet', ...NOTHING],
  }));
  const all =
    data?.total && rows.length > 1
      ? [{ key: '', cells: ['Together', ...cellsOf(data.total, sumOf(Object.values(data.rates))), '', ''] }]
      : [];
  return (
    <>
      <Problem error={error} />
      <SimpleTable title="Traffic" heads={HEADS} rows={[...rows, ...all]} empty="It has no zones." />
    </>
  );
};

const NOTHING = ['', '', '', '', '', ''];

const cellsOf = (counters: Counters, now: Rate | undefined) => [
  withRate(bytes(counters.bytesToService), now && `${bytes(now.bytesToService)}/s`),
  withRate(bytes(counters.bytesToEndpoint), now && `${bytes(now.bytesToEndpoint)}/s`),
  number(BigInt(counters.openFlows)),
  withRate(number(BigInt(counters.flows)), now && `${rate(now.flows)}/s`),
  number(BigInt(counters.failedFlows)),
];

const withRate = (all: string, now: string | undefined): string => (now === undefined ? all : `${all}, now ${now}`);
