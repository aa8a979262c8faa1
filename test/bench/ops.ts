import { loadavg } from 'node:os';
import { opsTables } from './ops-tables.ts';
import { opsWeight } from './ops-weight.ts';
import { round } from './statistics.ts';
import { table } from './table.ts';

const CONNECTIONS = 100_000;

/** What operators wait for: tables of so many connections, and the weight of the pages. */
export const ops = async (connections = CONNECTIONS): Promise<string> => {
  const load = round(loadavg()[0] ?? 0, 1);
  const { ingest, tables } = await opsTables(connections);
  const weight = await opsWeight();
  const total = weight.reduce((sum, { kB }) => sum + kB, 0);
  const count = (value: number): string => value.toLocaleString('en');
  return [
    `${count(connections)} connections, load before ${load}.`,
    `Taken in: ${count(ingest.messages)} messages in ${ingest.seconds} s, ${count(ingest.perSecond)} in each second.`,
    '',
    'Milliseconds of a request over HTTP:',
    '',
    table(
      ['', 'as', 'rows', 'p50', 'p99'],
      tables.map(({ what, who, rows, p50, p99 }) => [what, who, count(rows), String(p50), String(p99)]),
    ),
    '',
    `Weight of the pages: ${total.toFixed(1)} kB compressed by gzip.`,
    '',
    table(
      ['', 'kB'],
      weight.map(({ file, kB }) => [file, kB.toFixed(1)]),
    ),
  ].join('\n');
};
