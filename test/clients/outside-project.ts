import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = fileURLToPath(new URL('outside', import.meta.url));

/** A project that nothing but npm knows of, with the packed client in it. */
export type OutsideProject = Readonly<{
  directory: string;
  /** What the machine's own Node printed when it ran a file of it. */
  run: (file: string, ...args: readonly string[]) => Promise<string>;
  /** What the compiler says against its TypeScript; nothing when it is right. */
  compile: (module: 'node16' | 'bundler') => Promise<string>;
  remove: () => Promise<void>;
}>;

export const openOutsideProject = async (): Promise<OutsideProject> => {
  const directory = await mkdtemp(join(tmpdir(), 'privatelink-outside-'));
  const node = await machinesNode();
  await cp(sources, directory, { recursive: true });
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await exec('npm', ['run', '--silent', 'pack:client', '--', '--pack-destination', directory], { cwd: root });
  const [tarball = ''] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
  await exec('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`], { cwd: directory });
  return {
    directory,
    run: async (file, ...args) => (await exec(node, [file, ...args], { cwd: directory, timeout: 50_000 })).stdout,
    compile: async (resolution) => {
      const module = resolution === 'node16' ? 'node16' : 'esnext';
      const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', module];
      const args = [...options, '--moduleResolution', resolution, 'consumer.ts'];
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      return exec(process.execPath, [tsc, ...args], { cwd: directory }).then(
        ({ stdout }) => stdout,
        (error) => String(error.stdout || error),
      );
    },
    remove: () => rm(directory, { recursive: true }),
  };
};

/** The first one on PATH that is not the workspace's. */
const machinesNode = async (): Promise<string> => {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (directory.includes('node_modules')) continue;
    const node = join(directory, 'node');
    const found = await access(node, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return node;
  }
  return process.execPath;
};
