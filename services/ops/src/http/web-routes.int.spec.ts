import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { refusalIn, send } from '../testing/routes.ts';
import { openStage, type Stage } from '../testing/stage.ts';

const PAGE = '<!doctype html><title>PrivateLink</title>';
let directory: string;
let stage: Stage;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'privatelink-web-'));
  const webDir = join(directory, 'web');
  mkdirSync(join(webDir, 'assets'), { recursive: true });
  writeFileSync(join(directory, 'secret.txt'), 'secret');
  writeFileSync(join(webDir, 'index.html'), PAGE);
  writeFileSync(join(webDir, 'assets', 'main-0a1b2c.js'), 'go();');
  stage = await openStage({ webDir });
});
afterAll(async () => {
  await stage?.close();
  rmSync(directory, { recursive: true, force: true });
});

const get = (path: string, method = 'GET') => send(stage, { method, path });

it('a page is looked for anew each time, and what it is made of never again', async () => {
  for (const path of ['/', '/index.html', '/connections', '/connections/ep-1?tab=facts']) {
    const { status, text, headers } = await get(path);
    expect([path, status, text, headers['cache-control']]).toEqual([path, 200, PAGE, 'no-cache']);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  }
  const asset = await get('/assets/main-0a1b2c.js');
  expect(asset.headers).toMatchObject({
    ...{ 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff' },
    'content-type': expect.stringContaining('javascript'),
  });
});

it('nothing else of the disk is there, however it is asked for', async () => {
  const paths = [
    ...['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/assets/..%2f..%2fsecret.txt', '/..%5csecret.txt'],
    ...[
      '/%2e%2e%2fsecret.txt',
      '/assets/../../secret.txt',
      '//etc/passwd',
      '/%00',
      '/index.html%00.txt',
      '/secret.txt',
    ],
    ...['/assets/gone-0a1b2c.js', '/favicon.ico', '/api/', '/api/nothing'],
  ];
  for (const path of paths) {
    const answer = await get(path);
    expect([path, answer.status, answer.headers['cache-control']]).toEqual([path, 404, 'no-store']);
    expect(refusalIn(answer)).toMatchObject({ reason: 'NOT_FOUND', message: 'there is nothing here' });
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
    expect([method, (await get('/', method)).status]).toEqual([method, 404]);
  }
});
