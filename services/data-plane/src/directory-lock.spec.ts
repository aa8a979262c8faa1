import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { directoryLock } from './directory-lock.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'privatelink-lock-'));
});
afterEach(() => rm(directory, { recursive: true }));

const never = new AbortController().signal;

it('a directory is held by one, and goes to who waits for it', async () => {
  const lock = directoryLock(directory);
  const release = await lock({ wait: true, signal: never });
  expect(release).not.toBeNull();
  expect(await lock({ wait: false, signal: never })).toBeNull();
  let isHeld = false;
  const waiting = directoryLock(directory)({ wait: true, signal: never }).then((got) => {
    isHeld = true;
    return got;
  });
  expect(await lock({ wait: false, signal: never })).toBeNull();
  expect(isHeld).toBe(false);
  release?.();
  const next = await waiting;
  expect(next).not.toBeNull();
  next?.();
  const last = await lock({ wait: false, signal: never });
  expect(last).not.toBeNull();
  last?.();
});

it('who waits may give up', async () => {
  const lock = directoryLock(directory);
  const release = await lock({ wait: true, signal: never });
  const patience = new AbortController();
  const waiting = lock({ wait: true, signal: patience.signal });
  patience.abort();
  expect(await waiting).toBeNull();
  expect(await lock({ wait: true, signal: patience.signal })).toBeNull();
  release?.();
});

it('a process that is killed holds nothing', async () => {
  const source = `
    import { directoryLock } from '${new URL('./directory-lock.ts', import.meta.url)}';
    const signal = new AbortController().signal;
    console.log(await directoryLock('${directory}')({ wait: true, signal }) !== null);
    setInterval(() => {}, 1000);
  `;
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], { stdio: 'pipe' });
  expect(String(await once(holder.stdout, 'data'))).toBe('true\n');
  expect(await directoryLock(directory)({ wait: false, signal: never })).toBeNull();
  const waiting = directoryLock(directory)({ wait: true, signal: never });
  holder.kill('SIGKILL');
  const release = await waiting;
  expect(release).not.toBeNull();
  release?.();
});
