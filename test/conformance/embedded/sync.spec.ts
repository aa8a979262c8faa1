import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '../support/directories.ts';
import { newEvent } from '../support/events.ts';
import { startProcess } from '../support/process.ts';

const hasStrace = spawnSync('strace', ['-V']).error === undefined;
const traced = 'fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg';

/** The system calls that matter, in order: writes to the log, syncs of the log, bytes to a client. */
function readTrace(file: string): ('write' | 'sync' | 'send')[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      if (/f(data)?sync\(\d+<[^>]*-wal>/.test(line)) return ['sync'];
      if (/pwrite(64|v)\(\d+<[^>]*-wal>/.test(line)) return ['write'];
      return /(write|writev|sendto|sendmsg)\(\d+<(TCP|socket)[^>]*>/.test(line) ? ['send'] : [];
    }) as ('write' | 'sync' | 'send')[];
}

// Without strace there is nothing to see the system calls with.
describe.skipIf(!hasStrace)('an acknowledgement', () => {
  it.each([
    { name: 'one append after another', writers: 1, each: 40 },
    { name: 'many writers', writers: 16, each: 10 },
  ])('leaves only after the log is synced: $name', async ({ writers, each }) => {
    const directory = await temporaryDirectory();
    const trace = join(directory, 'trace');
    const wrapper = ['strace', '-f', '-yy', '-s', '0', '-e', `trace=${traced}`, '-o', trace];
    const store = await startProcess(join(directory, 'data'), wrapper);
    onTestFinished(() => store.stop('SIGKILL').then(() => {}));
    const client = KurrentDBClient.connectionString(store.url);
    const write = async (stream: string): Promise<void> => {
      for (let i = 0; i < each; i++) await client.appendToStream(stream, newEvent());
    };
    await Promise.all(Array.from({ length: writers }, (_, i) => write(`sync-${i}`)));
    await client.dispose();
    await store.stop('SIGTERM');

    const calls = readTrace(trace);
    let unsynced = false;
    let commits = 0;
    for (const call of calls) {
      if (call === 'send') expect(unsynced, 'bytes sent while the log had writes not yet synced').toBe(false);
      if (call === 'sync' && unsynced) commits++;
      unsynced = call === 'write' || (unsynced && call !== 'sync');
    }
    expect(calls.filter((call) => call === 'send').length).toBeGreaterThanOrEqual(each);
    expect(commits).toBeGreaterThanOrEqual(each);
    if (writers > 1) expect(commits).toBeLessThan(writers * each);
  });
});
