import { afterEach, beforeEach, expect, it } from 'vitest';
import { forwardTo, freeBind, openStage, type Stage } from './engine.test-support.ts';
import { checkName } from './forward.ts';

let stage: Stage;
beforeEach(() => {
  stage = openStage();
});
afterEach(() => stage.close());

const SOON = { timeout: 60_000, interval: 10 };

it('says whether targets answer, and forwards to those that do not as to others', { timeout: 180_000 }, async () => {
  const engine = stage.engine({ checkIntervalMs: 50 });
  expect(await engine.checks()).toEqual(new Map());
  // Where nobody else is given a port.
  const silent = await freeBind('127.40.0.3');
  const [up, bind, other] = [await stage.target('up'), await freeBind(), await freeBind()];
  const down = { ip: silent.host, port: silent.port };
  await engine.apply([forwardTo('ep-1', [bind], [up]), forwardTo('ep-2', [other], [down]), forwardTo('ep-3', [], [])]);
  const seen = async () => {
    const checks = await engine.checks();
    return [up, down].map((target) => checks.get(checkName(target, null)));
  };
  await expect.poll(seen, SOON).toEqual([true, false]);
  const release = await stage.occupy(silent);
  await expect.poll(seen, SOON).toEqual([true, true]);
  await release();
  await expect.poll(seen, SOON).toEqual([true, false]);

  // Whoever looks away learns it anew, and nothing of what is not forwarded to any more costs a reload.
  const before = await stage.processes();
  await engine.apply([forwardTo('ep-1', [bind], [up])]);
  expect(await stage.processes()).toEqual(before);
  expect((await stage.connect(bind)).greeting).toBe('up');
});
