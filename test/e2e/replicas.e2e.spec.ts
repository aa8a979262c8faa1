import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectSoundHistory } from '../support/invariants.ts';
import {
  acceptRequest,
  addressesOf,
  type Cast,
  createEndpoint,
  endpointRequest,
  newAccount,
  openCast,
  publishService,
  registerNetwork,
  untilAnswered,
} from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { playStory } from '../support/story.ts';
import { CALL, requestId } from '../support/world.ts';

const stage = useStage(async () => ({ replicas: 2 }));

/** The same people, as clients of the first replica of every service and of the second. */
const casts: Cast[] = [];
let calls = 0;
const asking = (replica: number): Cast => {
  const cast = casts[replica];
  if (!cast) throw new Error('nobody is there yet');
  return cast;
};
const eachTimeTheOther = (): Cast => asking(calls++ % casts.length);
beforeAll(async () => {
  const accounts = { provider: newAccount(), consumer: newAccount() };
  const { run } = stage();
  for (const index of [0, 1]) {
    const only = (addresses: readonly string[]) => addresses.slice(index, index + 1);
    const { provider, consumer, broker, dns, ops } = run.grpc;
    const grpc = { provider: only(provider), consumer: only(consumer), broker: only(broker), dns: only(dns), ops };
    casts.push(await openCast({ ...run, grpc }, accounts));
  }
});
afterAll(() => {
  for (const cast of casts) cast.close();
});

it('tell one story, whichever of them is asked', async () => {
  await playStory(stage(), { cast: eachTimeTheOther });
}, 60_000);

it('tell it to the end when one of each is killed meanwhile', async () => {
  const { system } = stage();
  const kill = (name: string) => () => system.kill(name, 'SIGKILL');
  await playStory(stage(), {
    cast: eachTimeTheOther,
    before: {
      connecting: kill('provider-1'),
      disconnecting: kill('broker-2'),
      reconnecting: kill('dns-1'),
      closing: kill('broker-1'),
      deleting: kill('consumer-2'),
    },
  });
  for (const name of ['provider-1', 'broker-1', 'broker-2', 'dns-1', 'consumer-2']) await system.waitHealthy(name);
}, 120_000);

it('move their leases from one that stands still, which changes nothing when it goes on', async () => {
  const { system, run, log, tables, lookup } = stage();
  const LEASE = 'reactor.connecting';
  await tables.until(async () => (await tables.lease('broker', LEASE)).holder !== '', 'somebody connects');
  const { provider, consumer } = eachTimeTheOther();
  const service = await publishService(provider, log, { users: [consumer.account] });
  const endpoint = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
  const { endpointId, domainName } = endpoint;
  await log.records('connection', endpointId, 'NamesWithdrawn');

  const before = await tables.lease('broker', LEASE);
  const [standing, going] = before.holder === 'broker-1' ? [0, 1] : [1, 0];
  system.kill(before.holder, 'SIGSTOP');
  try {
    const accept = acceptRequest(endpointId);
    await untilAnswered(() => asking(going).provider.broker.acceptConnection(accept, CALL));
    await log.records('connection', endpointId, 'ConnectionEstablished');
    const after = await tables.lease('broker', LEASE);
    expect(after.holder).toBe(`broker-${going + 1}`);
    expect(after.epoch).toBeGreaterThan(before.epoch);
  } finally {
    system.kill(before.holder, 'SIGCONT');
  }

  for (const address of run.dns.addresses) {
    await tables.until(
      async () => String(await lookup(domainName, 'A', address)) === String(addressesOf(endpoint)),
      `${address} answers by ${domainName}`,
    );
    for (const zone of endpoint.zones) {
      expect(await lookup(zone.domainName, 'A', address)).toEqual([zone.ipv4Address]);
      expect(await lookup(zone.domainName, 'AAAA', address)).toBe('NODATA');
    }
    expect(await lookup(`x.${domainName}`, 'A', address)).toBe('NXDOMAIN');
  }

  // Asked of the one that stood still.
  const reject = { requestId: requestId(), connectionId: endpointId, message: '' };
  const rejected = await untilAnswered(() => asking(standing).provider.broker.rejectConnection(reject, CALL));
  expect(rejected.connection?.decision).toBe('DECISION_REJECTED');
  await log.records('connection', endpointId, 'ConnectionDisconnected');
}, 90_000);

it('leave a sound history', () => expectSoundHistory(stage().log));
