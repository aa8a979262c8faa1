import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Bind, bindKey, formatEndpoint } from './forward.ts';

export type HaproxyProgram = Readonly<{ binary: string; dir: string }>;

const RUN_TIMEOUT_MS = 10_000;

/** Nothing of ours may tell HAProxy that somebody else is its master. */
export const haproxyEnvironment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'] });

/** Runs HAProxy until it ends, in its directory. */
const run = async (
  { binary, dir }: HaproxyProgram,
  args: readonly string[],
): Promise<Readonly<{ code: number | null; output: string }>> => {
  const child = spawn(binary, args, {
    cwd: dir,
    env: haproxyEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject);
  child.once('close', ended.resolve);
  const [code, output] = await Promise.all([ended.promise, text(child.stderr)]);
  return { code, output };
};

/** @throws with what HAProxy says, when it does not take the configuration */
export const validate = async (program: HaproxyProgram, file: string): Promise<void> => {
  const { code, output } = await run(program, ['-c', '-f', file]);
  if (code !== 0) throw new Error(`HAProxy does not take its configuration: ${output.trim()}`);
};

// The last bind always fails, so that HAProxy says which others do, and ends before it accepts anything. Without
// SO_REUSEPORT, or it would share an address with whoever else shares his.
const HEAD = `global
  noreuseport
  fd-hard-limit 65536
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend probe
`;
const SENTINEL = '  bind unix@no-such-directory/probe\n';
const FIRST_LINE = HEAD.split('\n').length;

/**
 * Which of these HAProxy cannot listen on, by their keys, and why. A reload that fails to bind makes the workers pause:
 * it must not get that far.
 */
export const probeBinds = async (
  program: HaproxyProgram,
  binds: readonly Bind[],
): Promise<ReadonlyMap<string, string>> => {
  const refused = new Map<string, string>();
  const file = join(program.dir, 'probe.cfg');
  let left = binds;
  while (left.length > 0) {
    const lines = left.map(({ host, port, namespace }) => {
      const within = namespace === null ? '' : ` namespace ${namespace}`;
      return `  bind ${formatEndpoint(host, port)}${within}\n`;
    });
    await writeFile(file, `${HEAD}${lines.join('')}${SENTINEL}`, { mode: 0o600 });
    const { output } = await run(program, ['-f', file]);
    const failures = readFailures(output);
    for (const [line, reason] of failures) {
      const bind = left[line - FIRST_LINE];
      if (bind) refused.set(bindKey(bind), reason);
    }
    if (failures.has(FIRST_LINE + left.length)) return refused;
    // What is wrong with one line's words keeps HAProxy from trying the others.
    const remaining = left.filter((bind) => !refused.has(bindKey(bind)));
    if (remaining.length === left.length) throw new Error(`HAProxy does not say what it can bind: ${output.trim()}`);
    left = remaining;
  }
  return refused;
};

/** Why lines of a configuration failed. */
const readFailures = (output: string): ReadonlyMap<number, string> =>
  new Map(
    [...output.matchAll(/(?:Binding|parsing) \[[^\]]*:(\d+)\](?: for [^ ]+ [^ ]+)?\s?: (.+)$/gm)].map((match) => [
      Number(match[1]),
      (match[2] ?? '').replace(/^[^(]*\(([^)]+)\).*$/, '$1'),
    ]),
  );
