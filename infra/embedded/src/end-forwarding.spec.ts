import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createLog } from '@privatelink/shared/runtime/log';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine } from '../../../services/data-plane/src/haproxy/engine.ts';
import { endForwarding } from './end-forwarding.ts';
import { agentName } from './service-names.ts';
import { type System, startSystem } from './system.ts';
import {
  newDataDir,
  otherServers,
  type RunningCommand,
  removeDataDir,
  runCommand,
  until,
} from './testing/run-command.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./testing/fixture-${name}.ts`, import.meta.url));
const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0;

let dataDir: string;
let system: System | undefined;
let command: RunningCommand | undefined;

beforeEach(async () => {
  dataDir = await newDataDir();
  await writeFile(join(dataDir, 'format'), '1\n');
});

afterEach(async () => {
  await system?.stop();
  system = undefined;
  command?.process.kill('SIGTERM');
  await command?.exited;
  command = undefined;
  await endForwarding(dataDir, { onNotice: (text) => expect.fail(text) });
  await removeDataDir(dataDir);
});

const forwarding = { PRIVATELINK_FORWARDING: 'loopback', PRIVATELINK_ZONES: 'a,b' };

async function start(env: Record<string, string> = forwarding): Promise<System> {
  system = await startSystem({
    dataDir,
    ports: 'free',
    logs: 'file',
    mainOf: (name) => fixture(name === agentName ? 'agent' : 'service'),
    // What is killed stays away.
    backOff: { firstMs: 3_600_000, longestMs: 3_600_000, forgivenAfterMs: 3_600_000 },
    env: { ...otherServers, ...env },
  });
  return system;
}

/** The processes of HAProxy that run in the directory of a zone, or of any. */
function haproxiesOf(zone = ''): number[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const directory = join(dataDir, agentName, zone);
  return lines.filter((line) => line.includes('haproxy ') && line.includes(directory)).map(Number.parseFloat);
}

/** What a run leaves whose agents were killed. */
async function leaveHaproxy(zone: string): Promise<number[]> {
  const dir = join(dataDir, agentName, zone);
  await mkdir(dir, { recursive: true });
  const log = createLog({ service: 'test', instance: 'test', level: 'error' });
  await createEngine({ binary: 'haproxy', dir, log, clock: systemClock }).apply([]);
  return haproxiesOf(zone);
}

describe.skipIf(!hasHaproxy)('HAProxy (skipped where it is not installed)', () => {
  test('a stop ends it also where the agent was killed', async () => {
    const { kill, pids, stop } = await start();
    kill('data-plane-a-1', 'SIGKILL');
    await until(() => !('data-plane-a-1' in pids()));
    expect(haproxiesOf('a').length).toBeGreaterThan(1);
    await stop();
    expect(haproxiesOf()).toEqual([]);
  });

  test('what an earlier run left is taken over by the agents; where there is none it ends', async () => {
    const left = await leaveHaproxy('a');
    await leaveHaproxy('elsewhere');
    await start();
    expect(haproxiesOf('a')).toEqual(left);
    expect(haproxiesOf('elsewhere')).toEqual([]);
  });

  test('nothing that an earlier run left goes on where nothing is to be forwarded', async () => {
    expect((await leaveHaproxy('a')).length).toBeGreaterThan(1);
    await start({ PRIVATELINK_FORWARDING: 'none' });
    expect(haproxiesOf()).toEqual([]);
  });

  test('a process that only looks like it is left alone, and a path that is none is told', async () => {
    const directory = join(dataDir, agentName, 'x'.repeat(100));
    await mkdir(directory, { recursive: true });
    await mkdir(join(dataDir, agentName, 'a'));
    await writeFile(join(dataDir, agentName, 'a', 'haproxy.pid'), `${process.pid}\n`);
    const notices: string[] = [];
    await endForwarding(dataDir, { onNotice: (text) => notices.push(text) });
    expect(notices).toEqual([expect.stringContaining('cannot be ended')]);
    await removeDataDir(directory);
  });

  test('when the command itself is killed, the agents end it', async () => {
    command = runCommand(dataDir, forwarding);
    await until(() => command?.output.stderr.includes('PrivateLink is running') === true);
    expect(haproxiesOf('a').length).toBeGreaterThan(1);
    command.process.kill('SIGKILL');
    await until(() => haproxiesOf().length === 0);
  });

  test('a second ctrl-C ends it too', async () => {
    command = runCommand(dataDir, { ...forwarding, FIXTURE_STUCK: 'data-plane-a-1' });
    const { process, output, exited } = command;
    await until(() => output.stderr.includes('PrivateLink is running'));
    process.kill('SIGINT');
    const again = setInterval(() => process.kill('SIGINT'), 100);
    expect(await exited).toBe(130);
    clearInterval(again);
    expect(haproxiesOf()).toEqual([]);
  });
});
