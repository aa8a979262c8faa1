import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** Namespaces are for root on Linux; tests that need them are skipped elsewhere. */
export const hasNamespaces = process.platform === 'linux' && process.getuid?.() === 0;

const run = promisify(execFile);

/** `ip` with these words. */
export const ip = async (words: string): Promise<string> => (await run('ip', words.split(' '))).stdout;

/** An id like those of the system: a prefix and 20 characters. */
export const newId = (prefix: string): string => `${prefix}-${randomBytes(10).toString('hex')}`;

export type Namespaces = Readonly<{
  /** Makes a namespace whose loopback device is up. */
  make: (name?: string) => Promise<string>;
  /** Links two namespaces with addresses such as `10.0.0.10/24` at their ends. */
  link: (
    left: Readonly<{ name: string; address: string }>,
    right: Readonly<{ name: string; address: string }>,
  ) => Promise<void>;
  remove: (name: string) => Promise<void>;
  removeAll: () => Promise<void>;
}>;

export const networkNamespaces = (): Namespaces => {
  const made = new Set<string>();
  const remove = async (name: string): Promise<void> => {
    made.delete(name);
    await ip(`netns delete ${name}`);
  };
  let links = 0;
  return {
    make: async (name = newId('vpc')) => {
      // Before it is: whoever is interrupted in between removes it all the same.
      made.add(name);
      await ip(`netns add ${name}`);
      await ip(`-n ${name} link set lo up`);
      return name;
    },
    link: async (left, right) => {
      const number = links++;
      await ip(`-n ${left.name} link add l${number} type veth peer name r${number} netns ${right.name}`);
      for (const [end, device] of [
        [left, `l${number}`],
        [right, `r${number}`],
      ] as const) {
        await ip(`-n ${end.name} address add ${end.address} dev ${device}`);
        await ip(`-n ${end.name} link set ${device} up`);
      }
    },
    remove,
    removeAll: async () => {
      const present = new Set((await ip('netns list')).split('\n').map((line) => line.split(' ')[0]));
      for (const name of made) if (present.has(name)) await remove(name);
    },
  };
};
