import { spawn } from 'node:child_process';
import { repository } from './compose-file.ts';

export type SuiteResult = Readonly<{ code: number | null; output: string }>;

/** Runs a program of this repository in an environment of its own, without what this vitest tells its workers. */
const run = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<SuiteResult> => {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
  const child = spawn(process.execPath, args, {
    cwd: repository,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
};

/** `npm run conformance -- URL`. */
export const runConformance = (url: string): Promise<SuiteResult> => run(['test/conformance/main.ts', url], {});

/** The specs below some paths, file by file: systems that use the same servers at once would take each other's work. */
export const runSpecs = (paths: readonly string[], env: Readonly<Record<string, string>>): Promise<SuiteResult> =>
  run(['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', ...paths], env);
