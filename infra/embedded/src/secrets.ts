import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A password that needs no escaping in URLs and configuration files. */
export const newPassword = (): string => randomBytes(24).toString('base64url');

/** Writes a file only its owner may read, so that a reader sees the old or the new content and never a part. */
export async function writePrivateFile(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, content, { mode: 0o600 });
  await rename(draft, file);
}

/** Reads a private file; the first time its content is made up and kept. */
export async function readOrCreatePrivateFile(file: string, create: () => string | Promise<string>): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const content = await create();
  await writePrivateFile(file, content);
  return content;
}

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
