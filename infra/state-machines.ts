// What may become of a connection, its zones, an endpoint, an endpoint service and its names: the tables that the code
// itself moves by, printed (`--json`) or written to docs/state-machines.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { connectionTransitions } from '../services/connection-broker/src/connection/connection-status.ts';
import { zoneTransitions } from '../services/connection-broker/src/connection/zone-status.ts';
import { endpointTransitions } from '../services/consumer/src/endpoint/endpoint.ts';
import { gatewayEndpointTransitions } from '../services/consumer/src/gateway-endpoint/gateway-endpoint.ts';
import { nameSetTransitions } from '../services/dns/src/name-set/name-set.ts';
import { endpointServiceTransitions } from '../services/provider/src/endpoint-service/endpoint-service-status.ts';
import { supportedRegionTransitions } from '../services/provider/src/endpoint-service/supported-region-status.ts';

type Row = Readonly<{ from: readonly (string | null)[]; on: string; to: string; because: string }>;
type Machine = Readonly<{ title: string; story: string; rows: readonly Row[] }>;

export const stateMachines: Readonly<Record<string, Machine>> = {
  connection: {
    title: 'Connection',
    story: 'Stored: each move is one event, with what held the connection after it and its generation.',
    rows: connectionTransitions,
  },
  zone: {
    title: 'Zone of a connection',
    story: 'Not stored: it follows from the events of the connection by which it moves.',
    rows: zoneTransitions,
  },
  endpoint: { title: 'Endpoint', story: 'Stored: each move is one event.', rows: endpointTransitions },
  gatewayEndpoint: {
    title: 'Gateway endpoint',
    story: 'Stored: each move is one event.',
    rows: gatewayEndpointTransitions,
  },
  endpointService: {
    title: 'Endpoint service',
    story: 'Stored: each move is one event.',
    rows: endpointServiceTransitions,
  },
  supportedRegion: {
    title: 'Region that an endpoint service supports',
    story: 'Stored: each move is one event of the service; nobody is shown `CLOSED`.',
    rows: supportedRegionTransitions,
  },
  names: { title: 'Names of an endpoint', story: 'Stored: each move is one event.', rows: nameSetTransitions },
};

/** Nobody is shown these: it does not exist any more, or never did. */
const ENDS = ['GONE', 'ABANDONED'];

const diagram = (rows: readonly Row[]): readonly string[] => {
  const causes = new Map<string, string[]>();
  for (const { from, on, to } of rows) {
    for (const status of from) {
      if (status === null && ENDS.includes(to)) continue;
      const arrow = `${status ?? '[*]'} --> ${ENDS.includes(to) ? '[*]' : to}`;
      causes.set(arrow, [...(causes.get(arrow) ?? []), on]);
    }
  }
  const arrows = [...causes].map(([arrow, ons]) => `  ${arrow}: ${[...new Set(ons)].join(', ')}`);
  return ['```mermaid', 'stateDiagram-v2', ...arrows, '```'];
};

const table = (rows: readonly Row[]): readonly string[] => {
  const name = (status: string | null): string => (status === null ? '(none)' : `\`${status}\``);
  const cells = [
    ['from', 'on', 'to', 'because'],
    ...rows.map(({ from, on, to, because }) => [from.map(name).join(', '), `\`${on}\``, name(to), because]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
};

export const stateMachinesPage = (): string =>
  [
    '# State machines',
    '',
    'Written by `npm run state-machines` from the tables that the services move by; a test compares. `(none)` is before',
    'the first event; nobody is shown `GONE` and `ABANDONED`. As JSON: `npm run --silent state-machines -- --json`.',
    ...Object.values(stateMachines).flatMap(({ title, story, rows }) => [
      ...['', `## ${title}`, '', story, '', ...diagram(rows), '', ...table(rows)],
    ]),
    '',
  ].join('\n');

const page = new URL('../docs/state-machines.md', import.meta.url);

export const writtenPage = (): string => readFileSync(page, 'utf8');

if (import.meta.main) {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  if (values.json) console.log(JSON.stringify(stateMachines, null, 2));
  else writeFileSync(page, stateMachinesPage());
}
