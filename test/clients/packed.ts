import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newAccount } from '../support/scenario.ts';
import type { Stage } from '../support/stage.ts';
import { type OutsideProject, openOutsideProject } from './outside-project.ts';
import { writeToken } from './write-token.ts';

export const packed = (stage: () => Stage): void => {
  let project: OutsideProject;
  beforeAll(async () => {
    project = await openOutsideProject();
  }, 180_000);
  afterAll(() => project?.remove());

  const someone = async (role: 'provider' | 'consumer') => {
    const account = newAccount();
    return { account, tokenFile: await writeToken(stage().run, project.directory, account, role) };
  };

  it("runs on the machine's own Node", async () => {
    const [provider, consumer] = [await someone('provider'), await someone('consumer')];
    const file = join(project.directory, 'settings.json');
    await writeFile(file, JSON.stringify({ addresses: stage().run.grpc, provider, consumer }));
    const said = JSON.parse(await project.run('story.mjs', file));
    expect(said).toMatchObject({ connected: true, later: ['ServiceUserAdded'] });
    expect(said.listed).toEqual(said.made.map((id: string) => [id]));
    expect(said.errors).toEqual([
      [status.PERMISSION_DENIED, 'PERMISSION_DENIED', []],
      [status.NOT_FOUND, 'ENDPOINT_NOT_FOUND', ['endpoint_id']],
      [status.INVALID_ARGUMENT, 'INVALID_FILTER', ['filter']],
    ]);
    const tooLate = `${said.made[1]} is CONNECTED after 300 ms, and not CHANGING`;
    expect(said.notReached).toEqual([true, tooLate, 'enough']);
  });

  it.concurrent.each(['node16', 'bundler'] as const)('has types for module resolution %s', async (resolution) => {
    expect(await project.compile(resolution)).toBe('');
  });
};
