import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../infra/cli/src/main.ts', import.meta.url));

export type Ran = Readonly<{ stdout: string; stderr: string; code: number | null }>;

/** A process of plctl, as on a terminal of 80 columns whose output goes to a file. */
export const startPlctl = (
  dataDir: string,
  config: string,
  args: readonly string[],
): Readonly<{ child: ChildProcessByStdio<null, Readable, Readable>; ended: Promise<Ran> }> => {
  const env = { ...process.env, COLUMNS: '80', PLCTL_CONFIG: config };
  const child = spawn(process.execPath, [main, '--data-dir', dataDir, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const ended = Promise.all([text(child.stdout), text(child.stderr), exited]).then(([stdout, stderr, code]) => ({
    ...{ stdout, stderr, code },
  }));
  return { child, ended };
};
