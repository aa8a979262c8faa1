import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failpointsFrom } from './failpoints.ts';
import { createLog } from './log.ts';
import { StartupError } from './startup-error.ts';

const log = createLog({ service: 'test', instance: 'test-1', level: 'fatal' });

let directory = '';
let file = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'privatelink-failpoints-'));
  file = join(directory, 'mark');
});
afterEach(() => rm(directory, { recursive: true }));

/** A process that passes the failpoint `here` and then ends by itself. */
const pass = (text: string): ChildProcess => {
  const script = `
    const { failpointsFrom } = await import(${JSON.stringify(new URL('./failpoints.ts', import.meta.url).href)});
    await failpointsFrom(${JSON.stringify(text)}, { warn: () => undefined })('here');
  `;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
};
const endOf = async (child: ChildProcess) => (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];

describe('failpoints', () => {
  it('kill the process that comes by, each time', async () => {
    expect(await endOf(pass('here=kill'))).toEqual([null, 'SIGKILL']);
    expect(await endOf(pass('here=kill'))).toEqual([null, 'SIGKILL']);
  });

  it('kill one process when asked to by a file, and let the next one pass', async () => {
    const text = `elsewhere=kill,here=kill-once:${file}`;
    expect(await endOf(pass(text))).toEqual([0, null]);
    await writeFile(file, '');
    expect(await endOf(pass(text))).toEqual([null, 'SIGKILL']);
    expect(existsSync(file)).toBe(false);
    expect(await endOf(pass(text))).toEqual([0, null]);
  });

  it('hold whoever comes by while a file exists', async () => {
    const failpoint = failpointsFrom(`here=hold:${file}`, log);
    await failpoint('here');
    expect(existsSync(`${file}.reached`)).toBe(false);
    await writeFile(file, '');
    let passed = false;
    const held = failpoint('here').then(() => {
      passed = true;
    });
    await failpoint('elsewhere');
    expect(existsSync(`${file}.reached`)).toBe(true);
    expect(passed).toBe(false);
    await rm(file);
    await held;
  });

  it('refuse whoever comes by while a file exists', async () => {
    const failpoint = failpointsFrom(`here=refuse:${file}`, log);
    await failpoint('here');
    await writeFile(file, '');
    await expect(failpoint('here')).rejects.toMatchObject({ reason: 'FAILPOINT', facts: { failpoint: 'here' } });
    await rm(file);
    await failpoint('here');
  });

  it.each(['here', 'here=stop', 'here=hold:', 'here=kill-once', '=kill'])('refuse %s', (text) => {
    expect(() => failpointsFrom(text, log)).toThrow(StartupError);
  });
});
