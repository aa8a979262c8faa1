import { afterAll, describe, expect, it } from 'vitest';
import { readAnnouncements, toBeAnnounced } from '../support/announced-facts.ts';
import { type Failpoints, openFailpoints } from '../support/failpoint-files.ts';
import { expectSoundHistory } from '../support/invariants.ts';
import { useStage } from '../support/stage.ts';
import { playStory } from '../support/story.ts';

/** Where each service is killed, once at each: from the start of the story on, and once it is connected. */
const KILLED = {
  provider: {
    start: [
      'endpointService:after-append',
      'serviceAdmissions:after-append',
      'accountServices:after-append',
      'provider:after-admission',
      'endpointServiceLifecycle:after-effect',
    ],
    connected: ['endpointServiceLifecycle:before-checkpoint'],
  },
  consumer: {
    start: [
      'vpc:after-append',
      'endpoint:after-append',
      'createEndpoint:after-reservation',
      'endpointLifecycle:after-effect',
    ],
    connected: ['endpointLifecycle:before-checkpoint'],
  },
  broker: {
    start: ['connection:after-append', 'allocation:after-append', 'connecting:after-effect'],
    connected: ['facts:after-append', 'fanOut:after-append', 'connecting:before-report', 'telling:before-checkpoint'],
  },
  dns: { start: ['nameSet:after-append'], connected: [] },
} as const;
const ALL = Object.values(KILLED).flatMap(({ start, connected }) => [...start, ...connected]);

let failpoints: Failpoints | undefined;
const stage = useStage(async () => {
  failpoints = await openFailpoints({ killOnce: ALL });
  // A process that is killed on purpose needs no rest.
  return { env: failpoints.env, backOff: { firstMs: 50, longestMs: 200, forgivenAfterMs: 1_000 } };
});
afterAll(() => failpoints?.close());

describe('kill -9', () => {
  it.each(Object.entries(KILLED))(
    'of %s at each of its failpoints: the story goes on to its end',
    async (_, at) => {
      const arm = (names: readonly string[]) => {
        for (const name of names) failpoints?.killOnce(name);
      };
      arm(at.start);
      await playStory(stage(), { before: { disconnecting: () => arm(at.connected) } });
      // The last checkpoint is saved a moment after the story's end.
      await expect.poll(() => failpoints?.waiting(), { timeout: 20_000 }).toEqual([]);
    },
    120_000,
  );

  it.each(['event-store', 'nats', 'postgres'])(
    'of %s, three times: no service ends of it',
    async (server) => {
      const { system } = stage();
      const services = ['provider-1', 'consumer-1', 'broker-1', 'dns-1'];
      for (const service of services) await system.waitHealthy(service);
      const processes = () => services.map((service) => system.pids()[service]);
      const before = processes();
      const kill = () => system.kill(server, 'SIGKILL');
      await playStory(stage(), { before: { connecting: kill, reconnecting: kill, closing: kill } });
      await system.waitHealthy(server);
      expect(processes()).toEqual(before);
    },
    120_000,
  );

  it('leaves a sound history, of which everything is announced', async () => {
    const { log, run } = stage();
    await expectSoundHistory(log);
    await readAnnouncements(run, toBeAnnounced(log.all));
  }, 60_000);
});
