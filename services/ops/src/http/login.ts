import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const CODE = /^[A-Za-z0-9_-]{32,128}$/;

/** The file of a login link: whoever reads the directory learns no link from it. */
export const loginFile = (directory: string, code: string): string =>
  join(directory, createHash('sha256').update(code).digest('hex'));

/** The token that a login link was made for, once; null for a link that is used, or none. */
export const takeLogin = async (directory: string, code: string): Promise<string | null> => {
  if (!CODE.test(code)) return null;
  const taken = join(directory, `taken-${randomUUID()}`);
  try {
    // Of two that come at once, one finds it.
    await rename(loginFile(directory, code), taken);
  } catch {
    return null;
  }
  try {
    return (await readFile(taken, 'utf8')).trim();
  } finally {
    await rm(taken);
  }
};
