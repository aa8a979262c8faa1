import { expect, it } from 'vitest';
import type { Stage } from '../../support/stage.ts';
import { startBackend } from '../../support/traffic/backend.ts';
import { describeOutcome, localClient } from '../../support/traffic/client.ts';
import { createConnected, ZONES } from './connected.ts';

const [DOWN, UP] = ZONES;
/** Where nobody else is given a port: what is closed is not somebody else's then, and free when it comes back. */
const host = '127.40.0.1';
/** Three checks, two seconds apart, on a machine that does much else. */
const NOTICED = { timeout: 60_000, interval: 50 };

export const health = (stage: () => Stage): void => {
  it('leaves a zone out of the name while its backend does not answer, and changes no status', async () => {
    const connected = await createConnected(stage(), { host });
    const { zones, domainName, statusTime } = await connected.get();
    const [down = '', up = ''] = zones.map(({ ipv4Address }) => ipv4Address);
    const answers = () => stage().lookup(domainName);
    expect(await answers()).toEqual([down, up]);

    const [backend] = connected.backends;
    await backend?.close();
    await expect.poll(answers, NOTICED).toEqual([up]);
    const zoneName = zones.find(({ zoneId }) => zoneId === DOWN)?.domainName ?? '';
    expect(await stage().lookup(zoneName)).toEqual([down]);
    const healthOf = async () => {
      const seen = await connected.get();
      return [seen.degraded, seen.zones.map(({ zoneId, healthy }) => [zoneId, healthy])];
    };
    expect(await healthOf()).toEqual([
      true,
      [
        [DOWN, false],
        [UP, true],
      ],
    ]);

    const again = await startBackend({ zone: DOWN, host, port: backend?.port ?? 0 });
    try {
      await expect.poll(answers, NOTICED).toEqual([down, up]);
      expect(await healthOf()).toEqual([
        false,
        [
          [DOWN, true],
          [UP, true],
        ],
      ]);
      await connected.openFlows();
      expect(describeOutcome(await localClient.request(connected.addresses.get(DOWN) ?? ''))).toBe(
        `${DOWN} ${connected.endpointId}`,
      );
      expect((await connected.get()).statusTime).toEqual(statusTime);
    } finally {
      await again.close();
    }
  });
};
