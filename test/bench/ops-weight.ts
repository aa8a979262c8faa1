import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildPages } from '@privatelink/embedded/pages';

/** What each file of the built pages weighs on its way to a browser, in kB; the heaviest first. */
export const opsWeight = async (): Promise<readonly Readonly<{ file: string; kB: number }>[]> => {
  const directory = await buildPages({ onNotice: console.error });
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ file: name, kB: gzipSync(readFileSync(join(parentPath, name))).length / 1_000 }))
    .sort((one, other) => other.kB - one.kB);
};
