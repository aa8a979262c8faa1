import { join } from 'node:path';
import { banner } from './banner.ts';
import { parseStartArguments } from './command-line.ts';
import { endForwarding } from './end-forwarding.ts';
import { portsFromEnvironment } from './ports.ts';
import { StartError } from './start-error.ts';
import { type System, type SystemOptions, startSystem } from './system.ts';

type Overrides = Pick<SystemOptions, 'mainOf' | 'dashboard'>;

/** One ctrl-C may arrive more than once: from the terminal, and passed on by npm. */
const sameKeyPressMs = 500;

let system: System | undefined;
let dataDir = '';
const stopping = new AbortController();
let askedAt = 0;
let forced = false;

function onSignal(): void {
  if (forced) return;
  if (stopping.signal.aborted && Date.now() - askedAt < sameKeyPressMs) return;
  if (stopping.signal.aborted) {
    // Asked twice: whatever has not ended by now is ended, and what is only starting ends with our end of its pipe.
    forced = true;
    // The stop that is under way may be over first: what held it up is dead.
    process.exitCode = 130;
    for (const name of Object.keys(system?.pids() ?? {})) system?.kill(name, 'SIGKILL');
    void endForwarding(dataDir, { onNotice: () => {} }).finally(() => process.exit(130));
    return;
  }
  askedAt = Date.now();
  stopping.abort();
}

async function start(overrides: Overrides): Promise<void> {
  const { replicas, logs, ...given } = parseStartArguments(process.argv.slice(2), process.env);
  dataDir = given.dataDir;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // Whoever read our output is gone, for example `npm start | head`.
  process.stdout.on('error', () => stopping.abort());
  system = await startSystem({
    dashboard: true,
    ...overrides,
    dataDir,
    replicas,
    logs,
    ports: portsFromEnvironment(process.env),
    signal: stopping.signal,
  });
  // Standard output is for log records where they are read by a program.
  const output = logs === 'json' ? process.stderr : process.stdout;
  const loginLink = await system.loginLink();
  output.write(`${banner(system.run, join(dataDir, 'run.json'), { colour: output.isTTY, loginLink })}\n`);
  await new Promise<void>((resolve) => {
    if (stopping.signal.aborted) resolve();
    stopping.signal.addEventListener('abort', () => resolve());
  });
  await system.stop();
}

/** `npm start`: runs the system until it is asked to stop. What was in the way is one line, and exit code 1. */
export async function runMain(overrides: Overrides = {}): Promise<void> {
  try {
    await start(overrides);
  } catch (error) {
    if (stopping.signal.aborted) return;
    const report = error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`privatelink: ${report}\n`);
    process.exitCode = 1;
  }
}
