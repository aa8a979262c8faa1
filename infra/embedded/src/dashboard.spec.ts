import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenVerifier } from '@privatelink/shared/grpc/tokens';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeLogin } from '../../../services/ops/src/http/login.ts';
import { makeLoginLink } from './dashboard.ts';
import { openIssuer } from './keys.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'privatelink-dashboard-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test('a login link leads to a token of whom it is for, once, and its file does not tell it', async () => {
  const { keyFile, jwksFile } = await openIssuer(dataDir);
  const claims = { subject: 'olga', account: '', roles: ['operator'] } as const;
  const link = await makeLoginLink({ dataDir, keyFile, url: 'http://127.0.0.1:7480' }, claims);
  const code = new URL(link).searchParams.get('code') ?? '';
  const directory = join(dataDir, 'keys', 'logins');
  expect(link).toBe(`http://127.0.0.1:7480/login?code=${code}`);
  expect(await readdir(directory)).not.toContain(code);
  const token = (await takeLogin(directory, code)) ?? '';
  const caller = { subject: 'olga', accountId: '', roles: ['operator'] };
  expect(await tokenVerifier({ jwksFile })(token)).toEqual(caller);
  expect(await takeLogin(directory, code)).toBeNull();
  expect(await readdir(directory)).toEqual([]);
});
