import { expect, it } from 'vitest';
import type { Stage } from '../../support/stage.ts';
import { localClient } from '../../support/traffic/client.ts';
import { CLOSES_WITHIN_MS, closingTimes, createConnected, created, SOON, ZONES } from './connected.ts';

export const closing = (stage: () => Stage): void => {
  it('cuts flows and refuses new ones soon after DISCONNECTING, and of no other connection', async () => {
    const [closed, other] = await Promise.all([createConnected(stage()), createConnected(stage())]);
    const [flows, others] = [await closed.openFlows(), await other.openFlows()];
    const before = [...closed.addresses];
    await closed.reject();
    expect(Math.max(...(await closingTimes(closed, 'DISCONNECTING', flows)))).toBeLessThan(CLOSES_WITHIN_MS);
    const state = await closed.connection.reaches('DISCONNECTED');
    expect(state?.zones.flatMap(({ listeners }) => listeners)).toEqual([]);
    await other.expectToGoOn(others);

    await closed.accept();
    await closed.connection.reaches('CONNECTED');
    await closed.openFlows();
    expect([...closed.addresses]).toEqual(before);
    await other.expectToGoOn(others);
  });

  it('does so while DNS is down, and is DISCONNECTED when it is back', async () => {
    const { system } = stage();
    const closed = await createConnected(stage());
    const flows = await closed.openFlows();
    await system.stopProcess('dns-1');
    try {
      await closed.reject();
      expect(Math.max(...(await closingTimes(closed, 'DISCONNECTING', flows)))).toBeLessThan(CLOSES_WITHIN_MS);
      await expect.poll(async () => (await closed.get()).missing, SOON).toEqual(['names WITHDRAWN']);
    } finally {
      await system.startProcess('dns-1');
    }
    await closed.connection.reaches('DISCONNECTED');
  });
};

/** Comes after all others. */
export const ending = (stage: () => Stage): void => {
  it('leaves no flow and no listener when everything is deleted', async () => {
    const last = await createConnected(stage());
    const flows = await last.openFlows();
    const deleting = created.map((one) => one.remove());
    expect(Math.max(...(await closingTimes(last, 'DELETING', flows)))).toBeLessThan(CLOSES_WITHIN_MS);
    await Promise.all(deleting);
    const addresses = created.flatMap((one) => [...one.addresses.values()]);
    expect(addresses.length).toBeGreaterThanOrEqual(ZONES.length * 5);
    const outcomes = await Promise.all(addresses.map((address) => localClient.request(address)));
    expect(outcomes.filter((outcome) => outcome !== 'ECONNREFUSED')).toEqual([]);
  });
};
