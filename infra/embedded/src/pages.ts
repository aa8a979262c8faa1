// The pages of the dashboard: built when they are wanted and their sources are others than those of the last time.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stateMachines } from '../../state-machines.ts';
import { spawnChild } from './child.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const sources = join(root, 'services/ops/web');
const cache = join(root, 'node_modules/.cache/privatelink/pages');
const keptMs = 7 * 24 * 3600 * 1000;

/** The directory of the built pages, named by what they were built from. */
export async function buildPages({ onNotice }: { readonly onNotice: (text: string) => void }): Promise<string> {
  const machines = JSON.stringify(stateMachines);
  const built = join(cache, await hashOf(machines));
  if (existsSync(built)) return built;
  onNotice('building the pages of the dashboard');
  const draft = `${built}.${process.pid}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await runBuild(draft);
  // The tables that the services themselves move by.
  await writeFile(join(draft, 'state-machines.json'), machines);
  // Another one may have been faster.
  await rename(draft, built).catch(() => rm(draft, { recursive: true, force: true }));
  await removeOld();
  return built;
}

/** A system that runs may still serve what another one would build anew. */
async function removeOld(): Promise<void> {
  for (const name of await readdir(cache)) {
    const { mtimeMs } = await stat(join(cache, name));
    if (mtimeMs < Date.now() - keptMs) await rm(join(cache, name), { recursive: true, force: true });
  }
}

async function hashOf(machines: string): Promise<string> {
  const hash = createHash('sha256').update(machines);
  const names = (await readdir(sources, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const name of [...names, join(root, 'services/ops/package.json'), join(root, 'pnpm-lock.yaml')].sort()) {
    hash.update(`${name.slice(root.length)}\n`).update(await readFile(name));
  }
  return hash.digest('hex').slice(0, 32);
}

/** A process of its own: a bundler takes memory that the supervisor should not keep. */
async function runBuild(outDir: string): Promise<void> {
  const lines: string[] = [];
  const command = {
    ...{ name: 'pages', command: process.execPath, args: [join(sources, 'build.ts'), outDir] },
    ...{ env: process.env, stopSignal: 'SIGTERM' as const },
  };
  const child = await spawnChild(command, ({ text }) => lines.push(text));
  const { code } = await child.exited;
  if (code !== 0) throw new Error(lines.slice(-20).join('\n') || `the build ended with ${code}`);
}
