import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Whoever comes by the failpoint waits there. */
export type Held = Readonly<{
  /** Resolves once somebody waits there. */
  reached: () => Promise<void>;
  release: () => void;
}>;

/** Failpoints of a world's services, switched while they run. */
export type Failpoints = Readonly<{
  /** For the services' environment. */
  env: Readonly<Record<string, string>>;
  hold: (name: string) => Held;
  /** Whoever comes by fails, until what it answers is called. */
  refuse: (name: string) => () => void;
  /** Lets everybody go on. */
  releaseAll: () => void;
  /** The next process that comes by is killed. */
  killOnce: (name: string) => void;
  /** Failpoints at which nobody came by to be killed yet. */
  waiting: () => readonly string[];
  close: () => Promise<void>;
}>;

const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 10;

export const openFailpoints = async (
  names: Readonly<Partial<Record<'hold' | 'refuse' | 'killOnce', readonly string[]>>>,
): Promise<Failpoints> => {
  const { hold = [], refuse = [], killOnce = [] } = names;
  const directory = await mkdtemp(join(tmpdir(), 'privatelink-failpoints-'));
  const fileOf = (name: string): string => join(directory, name.replace(':', '+'));
  const checked = (known: readonly string[], name: string): string => {
    if (!known.includes(name)) throw new Error(`${name} is not among the failpoints of this world`);
    return fileOf(name);
  };
  const settings = [
    ...hold.map((name) => `${name}=hold:${fileOf(name)}`),
    ...refuse.map((name) => `${name}=refuse:${fileOf(name)}`),
    ...killOnce.map((name) => `${name}=kill-once:${fileOf(name)}`),
  ];
  return {
    env: { PRIVATELINK_TEST_RUN: '1', PRIVATELINK_FAILPOINTS: settings.join(',') },
    hold: (name) => {
      const file = checked(hold, name);
      rmSync(`${file}.reached`, { force: true });
      writeFileSync(file, '');
      return {
        reached: async () => {
          const giveUpAt = performance.now() + PATIENCE_MS;
          while (!existsSync(`${file}.reached`)) {
            if (performance.now() > giveUpAt) throw new Error(`nobody came by ${name} within ${PATIENCE_MS} ms`);
            await delay(LOOK_EVERY_MS);
          }
        },
        release: () => rmSync(file, { force: true }),
      };
    },
    refuse: (name) => {
      const file = checked(refuse, name);
      writeFileSync(file, '');
      return () => rmSync(file, { force: true });
    },
    releaseAll: () => {
      for (const name of hold) rmSync(fileOf(name), { force: true });
    },
    killOnce: (name) => writeFileSync(checked(killOnce, name), ''),
    waiting: () => killOnce.filter((name) => existsSync(fileOf(name))),
    close: () => rm(directory, { recursive: true, force: true }),
  };
};
