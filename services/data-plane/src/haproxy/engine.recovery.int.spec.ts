import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forwardTo, freeBind, openStage, type Stage, tryConnect } from './engine.test-support.ts';
import { createEngine } from './engine.ts';

let stage: Stage;
beforeEach(() => {
  stage = openStage();
});
afterEach(() => stage.close());

/** An engine that forwards one connection, with a flow of it. */
const established = async () => {
  const engine = stage.engine();
  const bind = await freeBind();
  const forward = forwardTo('ep-1', [bind], [await stage.target('a')]);
  await engine.apply([forward]);
  return { engine, bind, forward, flow: await stage.connect(bind) };
};

describe('an address that cannot be had', () => {
  it('is refused, and everything else is done', async () => {
    const engine = stage.engine();
    const target = await stage.target('a');
    const [taken, free, later] = [await freeBind(), await freeBind(), await freeBind()];
    const leave = await stage.occupy(taken);
    const forwards = [forwardTo('ep-taken', [taken, free], [target]), forwardTo('ep-free', [later], [target])];
    const reason = `127.0.0.1:${taken.port}: Address already in use`;
    const refused = [{ connectionId: 'ep-taken', port: 8080, reason }];
    expect(await engine.apply(forwards)).toEqual({ refused });
    expect((await stage.connect(free)).greeting).toBe('a');
    expect((await stage.connect(later)).greeting).toBe('a');
    expect(await engine.apply(forwards)).toEqual({ refused });
    expect((await stage.processes())?.reloads).toBe(0);

    await leave();
    expect(await engine.apply(forwards)).toEqual({ refused: [] });
    expect((await stage.connect(taken)).greeting).toBe('a');
  });

  it('stays with who has it', async () => {
    const { engine, forward, bind, flow } = await established();
    const rival = forwardTo('ep-0', [bind], [await stage.target('rival')]);
    expect(await engine.apply([rival, forward])).toEqual({
      refused: [{ connectionId: 'ep-0', port: 8080, reason: `127.0.0.1:${bind.port}: ep-1:8080 listens there` }],
    });
    expect((await stage.connect(bind)).greeting).toBe('a');
    expect(await flow.echo('x')).toBe('x');
  });

  it('is not shared with the HAProxy of another directory', async () => {
    const { bind, forward, flow } = await established();
    const other = openStage();
    try {
      const { refused } = await other.engine().apply([forward]);
      expect(refused).toMatchObject([{ reason: `127.0.0.1:${bind.port}: Address already in use` }]);
      expect(await flow.echo('x')).toBe('x');
    } finally {
      await other.close();
    }
  });

  it('keeps its reason when what is wrong with a forward is how it is written', async () => {
    const { engine, forward, flow } = await established();
    const hostile = forwardTo('ep-2\n  bind :1', [await freeBind()], []);
    const { refused } = await engine.apply([forward, hostile, forward]);
    expect(refused.map(({ reason }) => reason)).toEqual(['the connection id is malformed', 'it is there twice']);
    expect(await flow.echo('x')).toBe('x');
  });
});

describe('an engine that comes after another', () => {
  it('takes its HAProxy over with all flows', async () => {
    const { bind, forward, flow } = await established();
    const before = await stage.processes();
    const successor = stage.engine();
    expect(await successor.isAlive()).toBe(true);
    await successor.apply([forward]);
    expect(await stage.processes()).toEqual(before);
    await successor.apply([forward, forwardTo('ep-2', [await freeBind()], [])]);
    expect((await stage.processes())?.reloads).toBe(1);
    expect(await flow.echo('x')).toBe('x');
    await stage.engine().apply([]);
    await flow.cut;
    expect(await tryConnect(bind)).toBe('refused');
  });

  it('opens what the one before closed without a reload', async () => {
    const { engine, forward, bind } = await established();
    await engine.apply([]);
    expect(await tryConnect(bind)).toBe('refused');
    await stage.engine().apply([forward]);
    expect((await stage.connect(bind)).greeting).toBe('a');
  });

  it('closes what is gone even if it does not know what HAProxy does', async () => {
    const { engine, forward, flow } = await established();
    const bind = await freeBind();
    const gone = forwardTo('ep-gone', [bind], [await stage.target('b')]);
    await engine.apply([forward, gone]);
    const goneFlow = await stage.connect(bind);
    const kept = await stage.connect(forward.binds[0] ?? bind);
    await rm(join(stage.dir, 'haproxy.cfg'));
    await rm(join(stage.dir, 'haproxy.former.cfg'));
    await stage.engine().apply([forward]);
    await goneFlow.cut;
    expect(await tryConnect(bind)).toBe('refused');
    expect(await kept.echo('x')).toBe('x');
    expect(await flow.echo('x')).toBe('x');
  });

  it('knows what HAProxy does when the one before ended in the middle of a reload', async () => {
    const { forward, flow } = await established();
    const config = join(stage.dir, 'haproxy.cfg');
    const running = await readFile(config, 'utf8');
    await writeFile(join(stage.dir, 'haproxy.former.cfg'), running);
    await writeFile(config, running.replace(/description \S+/, 'description next').replace('8080', '8081'));
    const before = await stage.processes();
    await stage.engine().apply([forward]);
    expect(await stage.processes()).toEqual(before);
    expect(await flow.echo('x')).toBe('x');
  });
});

describe('a HAProxy that ends', () => {
  it('is noticed and started again: its master', async () => {
    const { engine, forward, bind, flow } = await established();
    await engine.apply([forward, forwardTo('ep-2', [await freeBind()], [])]);
    process.kill((await stage.processes())?.master ?? 0, 'SIGKILL');
    await expect.poll(() => engine.isAlive()).toBe(false);
    expect(await engine.apply([forward])).toEqual({ refused: [] });
    await flow.cut;
    expect((await stage.connect(bind)).greeting).toBe('a');
    expect(await engine.isAlive()).toBe(true);
  });

  it('is noticed and started again: its worker', async () => {
    const { engine, forward, bind, flow } = await established();
    process.kill((await stage.processes())?.worker ?? 0, 'SIGKILL');
    await flow.cut;
    await expect.poll(() => engine.isAlive()).toBe(false);
    expect(await engine.apply([forward])).toEqual({ refused: [] });
    expect((await stage.connect(bind)).greeting).toBe('a');
  });

  it('is replaced when it does not answer', async () => {
    const { engine, forward, bind } = await established();
    process.kill((await stage.processes())?.master ?? 0, 'SIGSTOP');
    expect(await engine.isAlive()).toBe(false);
    expect(await engine.apply([forward])).toEqual({ refused: [] });
    expect((await stage.connect(bind)).greeting).toBe('a');
  });

  it('is ended whole by stop', async () => {
    const { engine, bind, flow } = await established();
    await engine.stop();
    await flow.cut;
    expect(await engine.isAlive()).toBe(false);
    expect(await tryConnect(bind)).toBe('refused');
  });

  it('is told from another program that has its process id now', async () => {
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = once(bystander, 'exit');
    try {
      await writeFile(join(stage.dir, 'haproxy.pid'), `${bystander.pid}\n`);
      const { engine, flow } = await established();
      expect(await flow.echo('x')).toBe('x');
      await writeFile(join(stage.dir, 'haproxy.pid'), `${bystander.pid}\n`);
      await engine.stop();
      await flow.cut;
      expect(bystander.exitCode ?? bystander.signalCode).toBe(null);
    } finally {
      bystander.kill('SIGKILL');
      await ended;
    }
  });
});

describe('a configuration that HAProxy does not take', () => {
  it('is an error, and the one before goes on', async () => {
    const { forward, bind, flow } = await established();
    const engine = stage.engine({ hardStopAfterSeconds: Number.NaN });
    await expect(engine.apply([forward])).rejects.toThrow(/HAProxy does not take its configuration.*hard-stop-after/s);
    expect(await flow.echo('x')).toBe('x');
    expect((await stage.connect(bind)).greeting).toBe('a');
    expect(await stage.engine().apply([forward])).toEqual({ refused: [] });
    expect((await stage.processes())?.reloads).toBe(0);
  });
});

describe('the directory', () => {
  it('is for nobody else', async () => {
    await established();
    expect((await stat(stage.dir)).mode & 0o777).toBe(0o700);
  });

  it('must not be too deep for a socket', () => {
    const dir = join(tmpdir(), 'deep'.repeat(30));
    const options = { binary: 'haproxy', dir, log: pino({ level: 'silent' }), clock: systemClock };
    expect(() => createEngine(options)).toThrow(/too deep: .* at most 103 bytes/);
  });

  it('says when there is no HAProxy', async () => {
    const engine = stage.engine({ binary: 'no-such-haproxy' });
    await expect(engine.apply([])).rejects.toThrow(/ENOENT/);
  });
});
