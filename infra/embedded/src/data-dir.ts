import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './secrets.ts';
import { StartError } from './start-error.ts';

/** Counts up when an older program could not read what a newer one wrote. */
const format = 1;

/** Makes the data directory, or makes sure that it is ours and not from a newer version; otherwise it is untouched. */
export async function openDataDir(dataDir: string): Promise<void> {
  const found = await stat(dataDir).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw new StartError(`the data directory ${dataDir} cannot be read: ${String(error)}`);
  });
  if (found && !found.isDirectory()) throw new StartError(`the data directory ${dataDir} is a file`);
  const formatFile = join(dataDir, 'format');
  if (found && (await readdir(dataDir)).length > 0) return checkFormat(dataDir, formatFile);
  try {
    // Others may pass but not look: PostgreSQL runs under an account of its own when we are root.
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    await writeFile(formatFile, `${format}\n`);
  } catch (error) {
    throw new StartError(`the data directory ${dataDir} cannot be made: ${String(error)}`);
  }
}

async function checkFormat(dataDir: string, formatFile: string): Promise<void> {
  const text = await readFile(formatFile, 'utf8').catch(() => undefined);
  if (text === undefined) throw new StartError(`${dataDir} is not a data directory of this program: choose another`);
  const written = Number(text.trim() || Number.NaN);
  if (!Number.isInteger(written) || written < 1)
    throw new StartError(`${formatFile} is damaged: it must hold ${format}`);
  if (written > format) {
    throw new StartError(`${dataDir} was written by a newer version (format ${written}, this one reads ${format})`);
  }
}
