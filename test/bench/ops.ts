import { loadavg } from 'node:os';
import { opsScreen, type ScreenFigures } from './ops-screen.ts';
import { opsTables } from './ops-tables.ts';
import { opsWeight } from './ops-weight.ts';
import { round } from './statistics.ts';
import { table } from './table.ts';

const CONNECTIONS = 100_000;

/** What operators wait for: tables of so many connections, the weight of the pages, and news on the screen. */
export const ops = async (connections = CONNECTIONS): Promise<string> => {
  const load = round(loadavg()[0] ?? 0, 1);
  const { ingest, tables } = await opsTables(connections);
  const weight = await opsWeight();
  const screen = await opsScreen();
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
    '',
    ...screenText(screen),
  ].join('\n');
};

const screenText = (screen: readonly ScreenFigures[] | null): readonly string[] => {
  if (!screen) return ['From an event to the screen: left out, there is no Chromium.'];
  return [
    'Milliseconds from the record of a status to the row that shows it:',
    '',
    table(
      ['', 'changes', 'p50', 'p99', 'max'],
      screen.map(({ title, changes, p50, p99, max }) => [title, ...[changes, p50, p99, max].map(String)]),
    ),
  ];
};
