import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import type { RunFile } from '@privatelink/embedded/run-file';

/** The file with the token of somebody of an account, as a client reads it. */
export const writeToken = async (
  { issuer }: Pick<RunFile, 'issuer'>,
  directory: string,
  account: string,
  role: 'provider' | 'consumer',
): Promise<string> => {
  const key = await loadSigningKey(issuer.keyFile);
  const file = join(directory, `${account}.${role}.token`);
  await writeFile(file, await mintToken({ subject: role, account, roles: [role], key, ttlSeconds: 600 }));
  return file;
};
