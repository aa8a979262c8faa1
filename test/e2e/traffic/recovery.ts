import { expect, it } from 'vitest';
import type { Stage } from '../../support/stage.ts';
import { describeOutcome, localClient } from '../../support/traffic/client.ts';
import { CLOSES_WITHIN_MS, closingTimes, createConnected, SOON, ZONES } from './connected.ts';
import { agentsOf, haproxyOf } from './machines.ts';

export const recovery = (stage: () => Stage): void => {
  /** The agent of a zone that works, while the other one waits: `<name>/<process>`. */
  const workingIn = async (zone: string): Promise<string> =>
    (await stage().tables.lease('broker', `zone/${zone}`)).holder;

  it('goes on when the agent that works is killed: another one takes over', async () => {
    const { system, tables } = stage();
    const connected = await createConnected(stage());
    const flows = await connected.openFlows();
    const before = await Promise.all(ZONES.map(workingIn));
    const killed = before.map((holder) => holder.split('/')[0] ?? '');
    for (const agent of killed) system.kill(agent, 'SIGKILL');
    await connected.expectToGoOn(flows);
    // The one that waited, or the one that is started again where that is faster.
    await tables.until(
      async () =>
        (await Promise.all(ZONES.map(workingIn))).every((holder, index) => holder !== '' && holder !== before[index]),
      `others than ${before.join(' and ')} work`,
    );
    await connected.expectToGoOn(flows);
    await connected.reject();
    expect(Math.max(...(await closingTimes(connected, 'DISCONNECTING', flows)))).toBeLessThan(CLOSES_WITHIN_MS);
    for (const agent of killed) await system.waitHealthy(agent);
  });

  it('goes on while no agent is there, and those that come know what there is', async () => {
    const { system } = stage();
    const connected = await createConnected(stage());
    const flows = await connected.openFlows();
    const haproxies = await Promise.all(ZONES.map((zone) => haproxyOf(stage(), zone)));
    const agents = ZONES.flatMap(agentsOf);
    for (const agent of agents) system.kill(agent, 'SIGKILL');
    await connected.expectToGoOn(flows);
    for (const agent of agents) await system.waitHealthy(agent);
    const later = await createConnected(stage());
    await later.openFlows();
    await connected.expectToGoOn(flows);
    const after = await Promise.all(ZONES.map((zone) => haproxyOf(stage(), zone)));
    for (const [index, pids] of haproxies.entries()) expect(after[index]).toEqual(expect.arrayContaining([...pids]));
  });

  it('starts HAProxy again when it is killed', async () => {
    const connected = await createConnected(stage());
    const flows = await connected.openFlows();
    const [zone] = ZONES;
    const killed = await haproxyOf(stage(), zone);
    expect(killed.length).toBeGreaterThanOrEqual(2);
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await flows[0]?.cut;
    const answers = async (): Promise<string> =>
      describeOutcome(await localClient.request(connected.addresses.get(zone) ?? ''));
    await expect.poll(answers, SOON).toBe(`${zone} ${connected.endpointId}`);
    expect((await connected.get()).status).toBe('CONNECTION_STATUS_CONNECTED');
    expect(describeOutcome((await flows[1]?.ask()) ?? '')).toBe(`${ZONES[1]} ${connected.endpointId}`);
  });

  it('stays CONNECTING while a zone has no agent, says so, and connects when it has one', async () => {
    const { system } = stage();
    const waiting = await createConnected(stage(), { autoAccept: false });
    await waiting.connection.reaches('DISCONNECTED');
    const [, zone] = ZONES;
    for (const agent of agentsOf(zone)) await system.stopProcess(agent);
    try {
      expect(await haproxyOf(stage(), zone)).toEqual([]);
      await waiting.accept();
      const state = async () => {
        const { status, missing } = await waiting.get();
        return [status, ...missing];
      };
      const expected = ['CONNECTION_STATUS_CONNECTING', `forwarding READY in ${zone}`, 'names PUBLISHED'];
      await expect.poll(state, SOON).toEqual(expected);
    } finally {
      for (const agent of agentsOf(zone)) await system.startProcess(agent);
    }
    await waiting.connection.reaches('CONNECTED');
    await waiting.openFlows();
  });
};
