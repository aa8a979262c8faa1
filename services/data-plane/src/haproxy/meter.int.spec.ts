import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Counters } from './cli.ts';
import { forwardTo, freeBind, openStage, type Stage } from './engine.test-support.ts';
import type { Engine } from './engine.ts';

let stage: Stage;
beforeEach(() => {
  stage = openStage();
});
afterEach(() => stage.close());

const SOON = { timeout: 20_000, interval: 20 };
const NAME = 'a';
const bytes = (size: number): string => 'x'.repeat(size);

/** What was counted of a connection, by run: `over` or `on`, and the numbers. */
const countedOf = async (
  { meter }: Engine,
  connectionId = 'ep-1',
): Promise<readonly (Counters & { over: boolean })[]> =>
  ((await meter.look()) ?? []).flatMap(({ isOver, counters }) => {
    const counted = counters.get(connectionId);
    return counted ? [{ ...counted, over: isOver }] : [];
  });

const totalOf = async (engine: Engine) => {
  const all = await countedOf(engine);
  const sum = (of: keyof Counters): number => all.reduce((total, counters) => total + Number(counters[of]), 0);
  return [sum('receivedBytes'), sum('sentBytes'), sum('flows'), sum('openFlows'), sum('failedFlows')];
};

const established = async () => {
  const engine = stage.engine();
  const bind = await freeBind();
  const forward = forwardTo('ep-1', [bind], [await stage.target(NAME)]);
  await engine.apply([forward]);
  /** Replaces the worker. */
  const reload = async () =>
    engine.apply([forward, forwardTo(`ep-${Math.random()}`.replace('.', ''), [await freeBind()], [])]);
  return { engine, bind, forward, reload };
};

const end = async (flow: Awaited<ReturnType<Stage['connect']>>): Promise<void> => {
  flow.socket.end();
  await once(flow.socket, 'close');
};

describe('what goes through a connection', () => {
  it('is counted to the byte, of all its ports, and what reaches no target', async () => {
    const { engine, bind, forward } = await established();
    const [other, nowhere] = [await freeBind(), await freeBind()];
    const dead = { ip: '127.0.0.1', port: (await freeBind()).port };
    const ports = [
      forward,
      forwardTo('ep-1', [other], forward.targets, { port: 8081 }),
      forwardTo('ep-1', [nowhere], [dead], { port: 8082 }),
    ];
    await engine.apply(ports);
    for (const [on, size] of [
      [bind, 1_000],
      [other, 500],
    ] as const) {
      const flow = await stage.connect(on);
      await flow.echo(bytes(size));
      await end(flow);
    }
    await stage.connect(nowhere).catch(() => undefined);
    const sent = 1_500 + 2 * NAME.length;
    await expect.poll(() => totalOf(engine), SOON).toEqual([1_500, sent, 3, 0, 1]);
  });

  it('is counted while a flow lasts', async () => {
    const { engine, bind } = await established();
    const flow = await stage.connect(bind);
    await flow.echo(bytes(1_000));
    await expect.poll(() => totalOf(engine), SOON).toEqual([1_000, 1_000 + NAME.length, 1, 1, 0]);
  });

  it('is known of a replaced worker to its end, which waits for a look, and no longer', async () => {
    const { engine, bind, reload } = await established();
    const flow = await stage.connect(bind);
    await flow.echo(bytes(10));
    for (let reloads = 0; reloads < 3; reloads++) {
      const short = await stage.connect(bind);
      await short.echo(bytes(100));
      await end(short);
      await reload();
    }
    await flow.echo(bytes(1_000));
    await end(flow);
    await expect.poll(() => totalOf(engine), SOON).toEqual([1_310, 1_310 + 4 * NAME.length, 4, 0, 0]);
    await expect.poll(async () => (await stage.processes())?.former, SOON).toEqual([]);
    const all = await countedOf(engine);
    expect(all.every(({ over }) => over)).toBe(true);
    const over = ((await engine.meter.look()) ?? []).filter(({ isOver }) => isOver);
    engine.meter.forget(new Set(over.map(({ id }) => id)));
    expect(await countedOf(engine)).toEqual([]);
  });

  it('has the same runs and the same meter for the engine that comes next', async () => {
    const { engine, bind } = await established();
    const flow = await stage.connect(bind);
    await flow.echo(bytes(10));
    await end(flow);
    await expect.poll(() => totalOf(engine), SOON).toEqual([10, 10 + NAME.length, 1, 0, 0]);
    const next = stage.engine();
    expect(await next.meter.look()).toEqual(await engine.meter.look());
    expect(await next.meter.id()).toBe(await engine.meter.id());
  });

  it('is what was read last of a HAProxy that was killed, and another run counts from zero', async () => {
    const { engine, bind, forward } = await established();
    const flow = await stage.connect(bind);
    await flow.echo(bytes(10));
    await end(flow);
    await expect.poll(() => totalOf(engine), SOON).toEqual([10, 10 + NAME.length, 1, 0, 0]);
    const { master, worker } = (await stage.processes()) ?? {};
    for (const pid of [master, worker]) if (pid) process.kill(pid, 'SIGKILL');
    await expect.poll(() => engine.meter.look(), SOON).toBeNull();
    await engine.apply([forward]);
    await end(await stage.connect(bind));
    await expect
      .poll(async () => (await countedOf(engine)).map(({ over, flows }) => [over, flows]), SOON)
      .toEqual([
        [true, 1n],
        [false, 1n],
      ]);
  });

  it('is not known while a worker does not answer of which nothing is known', async () => {
    const { engine, bind, reload } = await established();
    await stage.connect(bind);
    await reload();
    await engine.meter.look();
    const former = (await stage.processes())?.former[0];
    if (!former) throw new Error('the worker has ended in spite of its flow');
    process.kill(former, 'SIGSTOP');
    try {
      // It may be about to answer when it is stopped.
      await expect.poll(() => stage.engine().meter.look(), SOON).toBeNull();
      expect(await engine.meter.look()).toHaveLength(2);
    } finally {
      process.kill(former, 'SIGCONT');
    }
  });
});
