import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { FailpointAction } from '../app/failpoint.ts';
import { Rejected } from '../eventing/rejected.ts';
import { StartupError } from './startup-error.ts';

const POLL_MS = 10;

/**
 * What a test run asked for, separated by commas. `name=kill` ends this process there as `kill -9` would;
 * `name=kill-once:FILE` does so when FILE exists, and removes it before, so that only one process ends. `name=hold:FILE`
 * waits while FILE exists, and says that it does by creating FILE.reached; `name=refuse:FILE` refuses while it exists.
 */
export const failpointsFrom = (text: string, log: Logger): FailpointAction => {
  const actions = new Map(text.split(',').map((part) => parse(part)));
  return async (name) => {
    const run = actions.get(name);
    if (!run) return;
    log.warn({ failpoint: name }, 'failpoint');
    await run();
  };
};

const parse = (part: string): [string, () => Promise<void>] => {
  const [name, what] = part.split('=', 2);
  if (name && what === 'kill') return [name, kill];
  const [verb, file] = what?.split(':', 2) ?? [];
  if (name && file && verb === 'kill-once') return [name, () => killOnce(file)];
  if (name && file && verb === 'hold') return [name, () => hold(file)];
  if (name && file && verb === 'refuse') return [name, () => refuse(name, file)];
  throw new StartupError(
    `PRIVATELINK_FAILPOINTS: ${part} is not name=kill, name=kill-once:FILE, name=hold:FILE or name=refuse:FILE`,
  );
};

const kill = async (): Promise<void> => {
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
};

const killOnce = async (file: string): Promise<void> => {
  try {
    unlinkSync(file);
  } catch {
    return;
  }
  await kill();
};

const hold = async (file: string): Promise<void> => {
  if (!existsSync(file)) return;
  writeFileSync(`${file}.reached`, String(process.pid));
  while (existsSync(file)) await delay(POLL_MS);
};

const refuse = async (failpoint: string, file: string): Promise<void> => {
  if (existsSync(file)) throw new Rejected('FAILPOINT', { failpoint });
};
