import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { nodeOptions } from '@privatelink/embedded/service-environment';
import { programFolders } from '@privatelink/embedded/service-names';
import { expect, test } from 'vitest';
import { composeEntries, repository } from './support/compose-file.ts';

const dockerfile = readFileSync(join(repository, 'infra/compose/Dockerfile'), 'utf8');
const readJson = (file: string) => JSON.parse(readFileSync(join(repository, file), 'utf8'));
const matchesOf = (pattern: RegExp, text = dockerfile): string[] => [...text.matchAll(pattern)].map((m) => m[1] ?? '');

/** The paths of the repository that a part of the Dockerfile copies. */
const copiedBy = (text: string): string[] =>
  matchesOf(/^COPY (?!--from)(.+) \S+$/gm, text).flatMap((paths) => paths.split(' '));
const copied = copiedBy(dockerfile);
const inImage = copiedBy(dockerfile.slice(dockerfile.indexOf(' AS programs')));
const isInImage = (file: string): boolean => inImage.some((path) => file === path || file.startsWith(`${path}/`));

test('stands on one version of Debian, and on nothing else', () => {
  const stages = matchesOf(/^FROM \S+ AS (\S+)$/gm);
  const bases = new Set(matchesOf(/^FROM (\S+)/gm).filter((base) => !stages.includes(base)));
  expect([...bases]).toEqual([expect.stringMatching(/^debian:12\.\d+-slim$/)]);
  expect(dockerfile).not.toMatch(/https?:|^ADD /m);
});

test('has the versions of Node and pnpm that everything else runs with', () => {
  expect(matchesOf(/^ARG NODE_VERSION=(.+)$/gm)).toEqual([readJson('package.json').devDependencies.node]);
  const bootstrap = readFileSync(join(repository, 'infra/bootstrap.cjs'), 'utf8');
  expect(matchesOf(/^ARG PNPM_VERSION=(.+)$/gm)).toEqual(matchesOf(/^const pnpmVersion = '(.+)';$/gm, bootstrap));
});

test('runs Node with the options that embedded processes have', () => {
  expect(matchesOf(/^ENV NODE_OPTIONS="(.+)"$/gm)).toEqual([nodeOptions]);
});

test('copies paths that exist', () => {
  expect(copied.length).toBeGreaterThan(10);
  for (const path of copied) expect(existsSync(join(repository, path)), path).toBe(true);
});

test('installs the dependencies of every service and of every package that one of them needs', () => {
  const needed = new Set(Object.values(programFolders).map((folder) => `services/${folder}`));
  const folderOf = new Map(
    ['proto', 'proto/client', ...globSync('services/*', { cwd: repository })].map((folder) => [
      readJson(`${folder}/package.json`).name,
      folder,
    ]),
  );
  for (const folder of needed) {
    const { dependencies } = readJson(`${folder}/package.json`);
    for (const [name, version] of Object.entries(dependencies)) {
      if (version === 'workspace:*') needed.add(folderOf.get(name) ?? name);
    }
  }
  const manifests = copied.filter((path) => path.endsWith('/package.json')).map(dirname);
  expect(manifests.sort()).toEqual([...needed].sort());
});

test('holds what the containers run, with all that those files import', () => {
  const programs = Object.values(composeEntries).flatMap(({ command = [], healthcheck }) =>
    [...command, ...(healthcheck?.test ?? [])].filter((word) => word.endsWith('.ts')),
  );
  const wanted = new Set(programs);
  for (const file of wanted) {
    expect(isInImage(file), file).toBe(true);
    const imports = matchesOf(
      /^(?:import|export) .*?from '(\.[^']+)'/gms,
      readFileSync(join(repository, file), 'utf8'),
    );
    for (const path of imports) wanted.add(relative(repository, join(repository, dirname(file), path)));
  }
  expect([...wanted]).toContain('infra/embedded/src/secrets.ts');
});

test('has what an agent forwards with', () => {
  expect(dockerfile.slice(dockerfile.lastIndexOf('FROM'))).toMatch(/apt-get install .*\bhaproxy nftables procps\b/);
});

test('does not run as root', () => {
  const user = dockerfile.slice(dockerfile.lastIndexOf('FROM')).match(/^USER (\d+):(\d+)$/m);
  expect(Number(user?.[1])).toBeGreaterThan(999);
});

test('neither secrets nor what this machine has installed are sent to the builder', () => {
  const ignored = readFileSync(join(repository, 'infra/compose/Dockerfile.dockerignore'), 'utf8').trim().split('\n');
  expect(ignored).toEqual(expect.arrayContaining(['.git', '.privatelink', '**/node_modules', 'infra/compose/secrets']));
});
