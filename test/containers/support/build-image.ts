import { execFile } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './compose-file.ts';

const IGNORED = /\/node_modules(\/|$)|\.spec\.ts$/;

/**
 * Makes the directory /app of the image without Docker: what the stages of the Dockerfile copy and run there, with the
 * Node and the pnpm of this machine. What they do to Debian is left out.
 */
export async function buildImage(directory: string): Promise<string> {
  const dockerfile = await readFile(join(repository, 'infra/compose/Dockerfile'), 'utf8');
  const pnpm = `npx --yes pnpm@${/^ARG PNPM_VERSION=(.+)$/m.exec(dockerfile)?.[1]}`;
  const stages = dockerfile.replaceAll('\\\n', '').split(/^(?=FROM )/m);
  for (const stage of stages.filter((text) => text.startsWith('FROM '))) {
    const [, base = '', name = 'image'] = /^FROM (\S+)(?: AS (\S+))?$/m.exec(stage) ?? [];
    const app = join(directory, name, 'app');
    await mkdir(app, { recursive: true });
    if (!base.startsWith('debian:')) await copyTree(join(directory, base, 'app'), app);
    for (const [, instruction, rest = ''] of stage.matchAll(/^(COPY|RUN) (.+)$/gm)) {
      if (instruction === 'COPY') await copy(rest, app, directory);
      else if (/^(pnpm|node) /.test(rest)) await run(rest.replace(/^pnpm/, pnpm), app);
    }
  }
  return join(directory, 'image/app');
}

async function copy(instruction: string, app: string, directory: string): Promise<void> {
  const [, from, paths = ''] = /^(?:--from=(\S+) )?(.+)$/.exec(instruction) ?? [];
  const words = paths.split(' ');
  const target = words.pop() ?? '';
  if (from !== undefined) {
    // Between stages: Node comes from this machine, everything else from /app.
    const [path = ''] = words;
    if (path.startsWith('/app')) await copyTree(join(directory, from, path), join(app, '..', target));
    return;
  }
  for (const path of words) {
    const file = join(app, target.endsWith('/') ? join(target, basename(path)) : target);
    await mkdir(dirname(file), { recursive: true });
    const isSent = (source: string): boolean => !IGNORED.test(source.slice(repository.length - 1));
    await cp(join(repository, path), file, { recursive: true, filter: isSent });
  }
}

/** Many files, most of them links to others. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await promisify(execFile)('cp', ['-a', `${from}/.`, to]);
}

async function run(command: string, cwd: string): Promise<void> {
  // Built as anywhere else, and not for tests.
  const { NODE_ENV: _, ...outer } = process.env;
  const env = { ...outer, PATH: `${dirname(process.execPath)}:${outer['PATH']}` };
  await promisify(execFile)('sh', ['-ec', command], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
}
