import { readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { isId } from '@privatelink/shared/grpc/validate';
import { z } from 'zod';
import { isDeviceName } from './ip.ts';

/** An address that an agent has put on. */
export type KeptAddress = Readonly<{ namespace: string; address: string; device: string }>;

/** What agents have put on, kept in their directory: written before it is done, so that a crash leaves nothing behind. */
export type KeptAddresses = Readonly<{
  all: () => Promise<readonly KeptAddress[]>;
  add: (addresses: readonly KeptAddress[]) => Promise<void>;
  remove: (addresses: readonly KeptAddress[]) => Promise<void>;
}>;

const schema = z.array(
  z.object({
    namespace: z.string().refine((name) => isId(name, 'vpc')),
    address: z.string().refine((address) => isIP(address) !== 0),
    device: z.string().refine(isDeviceName),
  }),
);

export const addressKey = ({ namespace, address }: Readonly<{ namespace: string; address: string }>): string =>
  `${namespace} ${address}`;

export const keptAddresses = (directory: string): KeptAddresses => {
  const file = join(directory, 'addresses.json');
  let current: Map<string, KeptAddress> | undefined;

  const read = async (): Promise<Map<string, KeptAddress>> => {
    current ??= new Map((await readKept(file)).map((kept) => [addressKey(kept), kept]));
    return current;
  };

  const write = async (next: Map<string, KeptAddress>): Promise<void> => {
    const written = `${file}.new`;
    await writeFile(written, JSON.stringify([...next.values()]), { mode: 0o600 });
    await rename(written, file);
    current = next;
  };

  return {
    all: async () => [...(await read()).values()],
    add: async (addresses) => {
      const next = new Map(await read());
      for (const kept of addresses) next.set(addressKey(kept), kept);
      await write(next);
    },
    remove: async (addresses) => {
      const next = new Map(await read());
      for (const kept of addresses) next.delete(addressKey(kept));
      await write(next);
    },
  };
};

const readKept = async (file: string): Promise<readonly KeptAddress[]> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${file} is damaged: take off by hand what is no longer wanted, and delete it`, { cause });
  }
};
