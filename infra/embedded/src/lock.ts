import { readFileSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from './secrets.ts';
import { StartError } from './start-error.ts';

const holderSchema = z.object({ pid: z.number(), startedAt: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** Makes sure that one system at a time uses a data directory; returns what gives it free again. */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, 'lock');
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) } satisfies Holder));
  try {
    // Linking fails where the file is already there, and never shows it half written.
    while (!(await tryLink(draft, file))) {
      const holder = await readHolder(file);
      if (holder && startOf(holder.pid) === holder.startedAt) {
        throw new StartError(`${dataDir} is in use by process ${holder.pid}: stop it, or choose another --data-dir`);
      }
      await rm(file, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
  return () => rm(file, { force: true });
}

async function tryLink(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return holderSchema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** When a process was started, so that another one with its number is not taken for it; '' when there is none. */
function startOf(pid: number): string {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user cannot be signalled, but it is there.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return '';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? '';
  } catch {
    return 'unknown';
  }
}
