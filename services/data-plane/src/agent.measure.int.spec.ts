import { freePort } from '@privatelink/shared/testing/servers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freeBind } from './haproxy/engine.test-support.ts';
import { type AgentStage, openAgentStage, resourceOf, SOON } from './testing/agent-stage.ts';

let stage: AgentStage;
beforeEach(async () => {
  stage = await openAgentStage();
});
afterEach(() => stage.close());

/** An agent, and what it has measured: each line's value by what is before it. */
const startMeasured = async (name: string) => {
  const address = `127.0.0.1:${await freePort()}`;
  const agent = stage.start({ PRIVATELINK_INSTANCE: name, PRIVATELINK_METRICS_LISTEN: address });
  const read = async (): Promise<ReadonlyMap<string, number>> => {
    const text = await fetch(`http://${address}/metrics`).then(
      (reply) => reply.text(),
      () => '',
    );
    const lines = text.matchAll(/^privatelink_forwarding_(.+) (\S+)$/gm);
    return new Map([...lines].map(([, series = '', value]) => [series, Number(value)]));
  };
  const began = async () => (await read()).get(`shift_start_time_seconds{zone="cn-hangzhou-h",agent="${name}"}`);
  return { agent, read, began };
};

it('an agent measures since when it works, what it forwards, and what is wrong with it', {
  timeout: 120_000,
}, async () => {
  const { broker } = stage;
  const silent = await freeBind('127.40.0.3');
  const release = await stage.occupy(silent);
  const fine = broker.desire({ resource: resourceOf(await stage.target('hello')) });
  const lonely = broker.desire({ resource: resourceOf({ ip: silent.host, port: silent.port }) });
  const start = Date.now() / 1_000;
  const first = await startMeasured('agent-1');
  await stage.confirmed(fine, lonely);
  await release();
  broker.desire({});
  const seen = async () => {
    const found = await first.read();
    return [
      found.get('interfaces{desired="READY",confirmed="true"}'),
      ...['not in place', 'no target', 'limit not kept'].map((problem) =>
        found.get(`impaired_interfaces{problem="${problem}"}`),
      ),
    ];
  };
  await expect.poll(seen, SOON).toEqual([2, 1, 1, 0]);
  expect(await first.began()).toBeGreaterThanOrEqual(Math.floor(start));
  expect(await first.began()).toBeLessThanOrEqual(Date.now() / 1_000);

  const reloads = async () => (await first.read()).get('reloads_total') ?? 0;
  const before = await reloads();
  broker.desire({ connectionId: fine, resource: resourceOf(await stage.target('moved')) });
  await stage.confirmed(fine);
  await expect.poll(reloads, SOON).toBe(before + 1);

  // Of two that share a directory one works.
  const second = await startMeasured('agent-2');
  await expect.poll(() => second.agent.said('everything has been told'), SOON).toBe(true);
  expect(await second.began()).toBe(0);
  await stage.kill(first.agent, 'SIGTERM');
  await expect.poll(second.began, SOON).toBeGreaterThan(start);

  // Told nothing any more, it knows nothing any more.
  await expect.poll(async () => (await second.read()).get('targets{state="up"}'), SOON).toBe(1);
  broker.beSilent();
  broker.endStreams();
  await expect.poll(second.began, SOON).toBe(0);
  expect((await second.read()).get('targets{state="up"}')).toBeUndefined();
});
