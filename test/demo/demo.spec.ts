import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasNamespaces } from '../support/traffic/vpc-networks.ts';
import type { Line } from './narrator.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

type Options = Readonly<{
  args: readonly string[];
  env?: Record<string, string>;
  uid?: number;
  /** What the demo is interrupted after. */
  interruptAfter?: RegExp;
}>;

const run = async ({ args, env, uid, interruptAfter }: Options) => {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PRIVATELINK_FORWARDING: '', ...env },
    ...(uid && { uid }),
  });
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  onTestFinished(() => void child.kill('SIGINT'));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (interruptAfter?.test(line)) child.kill('SIGINT');
  });
  const [stderr, code] = await Promise.all([text(child.stderr), exited]);
  return { lines, stderr, code };
};

const parse = (lines: readonly string[]): readonly Line[] => lines.map((line) => JSON.parse(line) as Line);

const movesOf = (lines: readonly Line[], name: string): readonly Line[] =>
  lines.filter(({ kind, resource, from, to }) => kind === 'status' && resource === name && from !== to);

const checksOf = (lines: readonly Line[], pattern: RegExp): readonly string[] =>
  lines.flatMap(({ kind, reason }) => (kind === 'check' && pattern.test(reason) ? [reason] : []));

const THROUGH = /^HTTP through .* is answered by the backend of cn-hangzhou-[hi], which is told ep-/;
const CUT = /^flows were cut \d+ ms after CONNECTED had ended; connections are (refused|unanswered)$/;

it('tells the story as JSON lines: each status change with its reason and event, what DNS answers, and traffic', async () => {
  const { lines: told, stderr, code } = await run({ args: ['--json'] });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const lines = parse(told);
  const moves = movesOf(lines, 'connection');
  expect(moves.map(({ to }) => to)).toEqual([
    ...['DISCONNECTED', 'CONNECTING', 'CONNECTED', 'DISCONNECTING', 'DISCONNECTED', 'CONNECTING', 'CONNECTED'],
    ...['DISCONNECTING', 'DISCONNECTED', 'CONNECTING', 'CONNECTED', 'SERVICE_DELETED', 'DELETING', 'GONE'],
  ]);
  for (const { time, reason, event } of moves) {
    expect(Date.parse(time)).not.toBeNaN();
    expect(reason).not.toBe('');
    expect(event).toMatch(/^#\d+$/);
  }
  expect(moves.find(({ to }) => to === 'CONNECTED')?.dns).toMatch(/^10\.0\.1\.\d+ 10\.0\.2\.\d+$/);
  expect(checksOf(lines, THROUGH)).toHaveLength(6);
  expect(checksOf(lines, CUT)).toHaveLength(3);
});

it('tells it without traffic where nothing is forwarded, and says so', async () => {
  const { lines: told, code } = await run({ args: ['--json'], env: { PRIVATELINK_FORWARDING: 'none' } });
  expect(code).toBe(0);
  expect(checksOf(parse(told), /^nothing is forwarded/)).toHaveLength(3);
  expect(checksOf(parse(told), THROUGH)).toEqual([]);
});

it.each(['policy', 'gateway-load-balancer', 'reverse', 'overdue', 'zones', 'cross-region'])(
  'tells the story of %s to its end',
  { timeout: 180_000 },
  async (name) => {
    // A story of many connections has few here.
    const { lines, stderr, code } = await run({ args: [name, '--json', '--connections', '100'] });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(checksOf(parse(lines), /./).length).toBeGreaterThan(3);
  },
);

it('tells what stands in the way, until nothing does', async () => {
  const { lines: told, stderr, code } = await run({ args: ['explain', '--json'] });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const lines = parse(told);
  expect(checksOf(lines, /^(NOT_WHITELISTED|ZONE_NOT_OFFERED|PAUSED_BY_CONSUMER)\b/)).toHaveLength(6);
  expect(checksOf(lines, /^nothing stands in the way$/)).toHaveLength(2);
});

it('tells what was, after all of it is gone', async () => {
  const { lines: told, stderr, code } = await run({ args: ['time-travel', '--json'] });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const lines = parse(told);
  for (const side of ['provider', 'consumer']) {
    const statuses = checksOf(lines, new RegExp(`^${side}: [A-Z]+ as of position`)).map(
      (reason) => reason.split(' ')[1],
    );
    expect([...new Set(statuses)]).toEqual(['CONNECTING', 'CONNECTED', 'DISCONNECTING', 'DISCONNECTED', 'DELETING']);
  }
  expect(checksOf(lines, /it had not been created yet$|it was deleted$/)).toHaveLength(2);
});

it('lists its stories, and knows no others', async () => {
  const { lines } = await run({ args: ['--list'] });
  const names = [
    'lifecycle',
    'overdue',
    'zones',
    'cross-region',
    'policy',
    'explain',
    'time-travel',
    'gateway-load-balancer',
    'reverse',
    'custom-name',
    'traffic',
  ];
  expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual(names);
  expect(await run({ args: ['nonsense'] })).toMatchObject({
    code: 2,
    stderr: 'there is no story nonsense; see --list\n',
  });
});

it('tells the story of a custom name: proven, known in each VPC alone, taken back', async () => {
  const { lines: told, stderr, code } = await run({ args: ['custom-name', '--json'] });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const lines = parse(told);
  expect(checksOf(lines, /^in the VPC of consumer A .*: 10\.0\.1\.\d+ 10\.0\.2\.\d+$/)).toHaveLength(2);
  expect(checksOf(lines, /^in the VPC of consumer B .*: 10\.0\.1\.\d+$/)).toHaveLength(3);
  expect(checksOf(lines, /^the VPC of consumer A has no names of its own/)).toHaveLength(2);
  expect(checksOf(lines, /^outside any VPC .* REFUSED$/)).toHaveLength(1);
});

it('says why it cannot show traffic in namespaces', async () => {
  const NOBODY = 65_534;
  const unprivileged = hasNamespaces ? { uid: NOBODY } : {};
  expect(await run({ args: ['traffic'], ...unprivileged })).toEqual({
    lines: [],
    code: 69,
    stderr: 'traffic needs network namespaces: only root on Linux has them\n',
  });
});

describe.skipIf(!hasNamespaces)('traffic in network namespaces (root on Linux)', { timeout: 180_000 }, () => {
  /** The namespaces that the lines speak of, and which of them are there still. */
  const namespacesOf = async (lines: readonly string[]) => {
    const named = lines.flatMap((line) => /has the VPC (vpc-\w+)/.exec(line)?.[1] ?? []);
    const { stdout } = await promisify(execFile)('ip', ['netns', 'list']);
    return { named, left: named.filter((name) => stdout.includes(name)) };
  };

  it('is shown between networks of the same addresses, and leaves nothing', async () => {
    const { lines: told, stderr, code } = await run({ args: ['traffic', '--json'] });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const lines = parse(told);
    const statuses = (name: string) => movesOf(lines, name).map(({ to }) => to);
    const [up, down] = [
      ['CONNECTING', 'CONNECTED'],
      ['DELETING', 'GONE'],
    ];
    expect(statuses('connection A')).toEqual([...up, 'DISCONNECTING', 'DISCONNECTED', ...up, ...down]);
    expect(statuses('connection B')).toEqual([...up, ...down]);
    const through = checksOf(lines, THROUGH);
    expect(new Set(through.map((reason) => reason.split(' ')[2]))).toEqual(new Set(['10.0.1.5:8080', '10.0.2.5:8080']));
    expect(new Set(through.map((reason) => reason.split(' ').at(-1))).size).toBe(2);
    expect(checksOf(lines, CUT)).toHaveLength(3);
    const { named, left } = await namespacesOf(told);
    expect(named).toHaveLength(3);
    expect(left).toEqual([]);
  });

  it('leaves nothing when it is interrupted', async () => {
    const { lines, stderr, code } = await run({ args: ['traffic'], interruptAfter: /consumer A has the VPC/ });
    expect({ stderr, code }).toEqual({ stderr: '', code: 130 });
    const { named, left } = await namespacesOf(lines);
    expect(named).toHaveLength(2);
    expect(left).toEqual([]);
  });
});
