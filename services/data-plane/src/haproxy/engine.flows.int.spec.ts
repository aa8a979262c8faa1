import { readProxyHeader } from '@privatelink/shared/testing/proxy-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Flow, forwardTo, freeBind, openStage, type Stage, tryConnect } from './engine.test-support.ts';
import type { Bind, Target } from './forward.ts';

let stage: Stage;
beforeEach(() => {
  stage = openStage();
});
afterEach(() => stage.close());

describe('flows over reloads', () => {
  it('keeps an established flow and accepts every new one', async () => {
    const engine = stage.engine();
    const [old, young] = [await stage.target('old'), await stage.target('young')];
    const [bind, other] = [await freeBind(), await freeBind()];
    await engine.apply([forwardTo('ep-1', [bind], [old])]);
    const flow = await stage.connect(bind);

    let running = true;
    let echoes = 0;
    let accepted = 0;
    const talk = async () => {
      for (; running; echoes++) expect(await flow.echo(`${echoes}`)).toBe(`${echoes}`);
    };
    const arrive = async () => {
      for (; running; accepted++) (await stage.connect(bind)).socket.destroy();
    };
    const reload = async () => {
      for (let round = 0; round < 5; round++) {
        const targets = [round % 2 === 0 ? young : old];
        await engine.apply([forwardTo('ep-1', [bind], targets), forwardTo(`ep-2-${round}`, [other], targets)]);
      }
      running = false;
    };
    await Promise.all([talk(), arrive(), reload()]);

    expect((await stage.processes())?.reloads).toBe(5);
    expect(echoes).toBeGreaterThan(50);
    expect(accepted).toBeGreaterThan(50);
    expect(flow.greeting).toBe('old');
    expect((await stage.connect(bind)).greeting).toBe('young');
  });

  it('does not reload when nothing changed', async () => {
    const engine = stage.engine();
    const target = await stage.target('a');
    const forwards = [forwardTo('ep-1', [await freeBind()], [target]), forwardTo('ep-2', [await freeBind()], [target])];
    await engine.apply(forwards);
    const before = await stage.processes();
    expect(await engine.apply([...forwards].reverse())).toEqual({ refused: [] });
    expect(await stage.processes()).toEqual(before);
    await engine.apply(forwards.map((forward) => ({ ...forward, proxyProtocol: true })));
    expect((await stage.processes())?.reloads).toBe(1);
  });

  it('tries another target when one does not answer', async () => {
    const engine = stage.engine();
    const bind = await freeBind();
    const { host: ip, port } = await freeBind();
    await engine.apply([forwardTo('ep-1', [bind], [{ ip, port }, await stage.target('alive')])]);
    for (let turn = 0; turn < 4; turn++) expect((await stage.connect(bind)).greeting).toBe('alive');
  });

  it('forwards from and to IPv6', async () => {
    const engine = stage.engine();
    const bind = await freeBind('::1');
    await engine.apply([forwardTo('ep-1', [bind], [await stage.target('six', '::1')])]);
    const flow = await stage.connect(bind);
    expect(flow.greeting).toBe('six');
    expect(await flow.echo('x')).toBe('x');
  });

  it('tells targets the client and the connection in a PROXY v2 header', async () => {
    const engine = stage.engine();
    const bind = await freeBind();
    const received = Promise.withResolvers<Buffer>();
    let data = Buffer.alloc(0);
    const target = await stage.watchedTarget((socket, chunk) => {
      data = Buffer.concat([data, chunk]);
      const header = readProxyHeader(data);
      if (header && data.length > header.length) received.resolve(data);
      if (header) socket.write('seen');
    });
    await engine.apply([forwardTo('ep-proxied', [bind], [target], { proxyProtocol: true })]);
    const { socket } = await stage.connect(bind);
    socket.write('hello');

    const header = readProxyHeader(await received.promise);
    expect(header).toMatchObject({ uniqueId: 'ep-proxied' });
    expect(header?.source).toMatchObject({ address: '127.0.0.1', port: socket.localPort });
    expect(header?.destination).toMatchObject({ address: bind.host, port: bind.port });
    expect(data.subarray(header?.length).toString()).toBe('hello');
  });
});

describe('closing', () => {
  /** A flow of each of two connections in each of three workers: two former ones and the current one. */
  const spread = async () => {
    const engine = stage.engine();
    const targets = [await stage.target('a'), await stage.target('b')];
    const binds = { gone: await freeBind(), kept: await freeBind() };
    const forwards = (some: readonly Target[]) => [
      forwardTo('ep-gone', [binds.gone], targets),
      forwardTo('ep-kept', [binds.kept], some),
    ];
    const flows: Readonly<{ gone: Flow; kept: Flow }>[] = [];
    for (const some of [targets, targets.slice(1), targets]) {
      await engine.apply(forwards(some));
      flows.push({ gone: await stage.connect(binds.gone), kept: await stage.connect(binds.kept) });
    }
    expect((await stage.processes())?.former).toHaveLength(2);
    return { engine, targets, binds, flows };
  };

  const expectOnlyKept = async (flows: readonly Readonly<{ gone: Flow; kept: Flow }>[], gone: Bind) => {
    for (const flow of flows) {
      await flow.gone.cut;
      expect(await flow.kept.echo('still here')).toBe('still here');
    }
    expect(await tryConnect(gone)).toBe('refused');
  };

  it('cuts the flows of what is gone in every worker, and no others, without a reload', async () => {
    const { engine, targets, binds, flows } = await spread();
    await engine.apply([forwardTo('ep-kept', [binds.kept], targets)]);
    await expectOnlyKept(flows, binds.gone);
    expect((await stage.connect(binds.kept)).greeting).toMatch(/^[ab]$/);
    expect((await stage.processes())?.reloads).toBe(2);
  });

  it('cuts them when something else needs a reload', async () => {
    const { engine, targets, binds, flows } = await spread();
    const bind = await freeBind();
    await engine.apply([forwardTo('ep-kept', [binds.kept], targets), forwardTo('ep-new', [bind], targets)]);
    await expectOnlyKept(flows, binds.gone);
    expect((await stage.connect(bind)).greeting).toMatch(/^[ab]$/);
    expect((await stage.processes())?.reloads).toBe(3);
  });

  it('opens again what was closed', async () => {
    const { engine, targets, binds } = await spread();
    const kept = forwardTo('ep-kept', [binds.kept], targets);
    await engine.apply([kept]);
    await engine.apply([kept, forwardTo('ep-gone', [binds.gone], targets)]);
    expect((await stage.connect(binds.gone)).greeting).toMatch(/^[ab]$/);
  });

  it('gives the address of what is gone to another', async () => {
    const { engine, targets, binds, flows } = await spread();
    await engine.apply([forwardTo('ep-kept', [binds.kept], targets), forwardTo('ep-heir', [binds.gone], targets)]);
    for (const { gone } of flows) await gone.cut;
    expect((await stage.connect(binds.gone)).greeting).toMatch(/^[ab]$/);
  });
});
