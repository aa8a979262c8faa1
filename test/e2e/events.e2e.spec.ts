import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, PermissionViolationError } from '@nats-io/transport-node';
import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import { addTenantUser, type TenantCredentials } from '@privatelink/embedded/nats-users';
import { EventsServiceClient } from '@privatelink/proto/events/v1/events_service';
import type { Fact } from '@privatelink/proto/events/v1/fact';
import { isSnapshot } from '@privatelink/shared/eventing/codec';
import { connect as connectGrpc } from '@privatelink/shared/grpc/client';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { afterEach, describe, expect, it } from 'vitest';
import { type AccountFeed, openAccountFeed, type ToldAccount } from '../support/account-feed.ts';
import {
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
  untilAnswered,
} from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { CALL, requestId } from '../support/world.ts';

/** What accounts are told of what happens, on NATS and by gRPC, whatever is killed or lost meanwhile. */

const AGAIN_MS = 100;

const stage = useStage();
let undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

const userOf = (account: string): Promise<TenantCredentials> => {
  const { dataDir, system } = stage();
  return addTenantUser(dataDir, system.run, account);
};
const feedOf = async (account: string) => {
  const feed = await openAccountFeed(await userOf(account));
  undo.push(feed.close);
  return feed;
};
const eventsOf = async (account: string, role: 'provider' | 'consumer') => {
  const { run } = stage();
  const key = await loadSigningKey(run.issuer.keyFile);
  const token = await mintToken({ subject: 'watcher', account, roles: [role], key, ttlSeconds: 600 });
  const client = connectGrpc(EventsServiceClient, run.grpc.broker, { token: () => token });
  undo.push(client.close);
  return client;
};
type Client = Awaited<ReturnType<typeof eventsOf>>;

const given = async () => {
  const { cast, log } = stage();
  const { provider, consumer } = await cast();
  const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
  return { provider, consumer, service, network: await registerNetwork(consumer) };
};
type Given = Awaited<ReturnType<typeof given>>;

const connected = async ({ consumer, service, network }: Given): Promise<string> => {
  const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
  const { follow, log } = stage();
  await follow(consumer, endpointId).reaches('CONNECTED');
  await log.records('connection', endpointId, 'ConnectionEstablished');
  return endpointId;
};
const reject = async ({ provider }: Given, connectionId: string): Promise<void> => {
  const request = { requestId: requestId(), connectionId, message: '' };
  await untilAnswered(() => provider.broker.rejectConnection(request, CALL));
  await stage().follow(provider, connectionId).reaches('DISCONNECTED');
};
/** What is recorded of a connection, of which both sides are told. */
const recorded = (endpointId: string) =>
  stage()
    .log.of('connection', endpointId)
    .filter(({ type }) => !isSnapshot(type));
/** Everything recorded of a connection so far comes, in order. */
const expectTold = async (feed: AccountFeed, endpointId: string): Promise<readonly ToldAccount[]> => {
  const wanted = recorded(endpointId);
  const last = wanted.at(-1)?.revision ?? 0n;
  await feed.reaches(`connection-${endpointId}`, last);
  const told = feed.of(`connection-${endpointId}`).filter(({ fact }) => fact.sourceRevision <= last);
  expect(told.map(({ fact }) => fact.eventId)).toEqual(idsOf(wanted));
  return told;
};
const idsOf = (events: readonly Readonly<{ id: string }>[]) => events.map(({ id }) => id);

describe('on NATS', () => {
  it('both sides are told everything of their connection, each its view of it, and nobody else anything', async () => {
    const story = await given();
    const { provider, consumer, service } = story;
    const ofProvider = await feedOf(provider.account);
    const ofConsumer = await feedOf(consumer.account);
    const ofStranger = await feedOf('9000000000000009');
    const endpointId = await connected(story);
    const stream = `connection-${endpointId}`;
    for (const [account, feed] of [
      [provider.account, ofProvider],
      [consumer.account, ofConsumer],
    ] as const) {
      const told = await expectTold(feed, endpointId);
      for (const { subject } of feed.all) expect(subject.startsWith(`privatelink.v1.${account}.`)).toBe(true);
      const { headers, fact } = told.at(-1) ?? {};
      expect(headers).toMatchObject({
        ...{ 'ce-specversion': '1.0', 'ce-id': fact?.eventId, 'ce-subject': `connection/${endpointId}` },
        ...{ 'ce-sequence': String(fact?.position).padStart(20, '0'), 'ce-revision': String(fact?.sourceRevision) },
      });
      expect(Object.keys(headers ?? {})).not.toContain('actor');
    }
    const resources = (facts: typeof ofProvider) =>
      (facts?.of(stream) ?? []).flatMap(({ fact }) =>
        fact.resource?.$case === 'connection' ? fact.resource.value.zones.map(({ resourceId }) => resourceId) : [],
      );
    expect(resources(ofProvider).some((resource) => resource !== '')).toBe(true);
    expect(resources(ofConsumer).every((resource) => resource === '')).toBe(true);
    await ofConsumer.reaches(`endpoint-${endpointId}`, 1n);
    expect(ofConsumer.of(`endpoint-${endpointId}`).length).toBeGreaterThan(1);
    expect(ofProvider.of(`endpoint-${endpointId}`)).toEqual([]);
    expect(ofConsumer.of(`endpointService-${service.serviceId}`)).toEqual([]);
    expect(ofStranger.all).toEqual([]);
  }, 60_000);

  it('an account’s user hears nothing else, and says nothing', async () => {
    const own = '9000000000000017';
    const { url, user, password, inboxPrefix } = await userOf(own);
    expect((await userOf(own)).password).toBe(password);
    const connection = await connect({ servers: url, user, pass: password, inboxPrefix });
    undo.push(() => connection.close());
    const foreign = [
      ...['privatelink.v1.9000000000000009.>', 'privatelink.v1.*.connection.>', 'privatelink.>', 'evt.>', '>'],
      ...['evt.broker.v1.connection.>', 'billing.>', 'dlq.>', '_INBOX.>', '_INBOX.service.>', '$JS.>', '$SYS.>'],
    ];
    for (const subject of foreign) {
      const refused = Promise.withResolvers<unknown>();
      connection.subscribe(subject, { callback: (error) => refused.resolve(error) });
      expect(await refused.promise, subject).toBeInstanceOf(PermissionViolationError);
    }
    const status = connection.status()[Symbol.asyncIterator]();
    const published = [
      ...[`privatelink.v1.${own}.connection.x.y`, 'evt.broker.v1.heartbeat', `billing.v1.${own}.settled`],
      ...[
        '$JS.API.INFO',
        '$JS.API.CONSUMER.CREATE.EVT_BROKER',
        `$JS.API.CONSUMER.CREATE.EVT_BROKER.x.privatelink.v1.${own}.>`,
      ],
      ...['$JS.API.STREAM.MSG.GET.EVT_BROKER', '$JS.API.DIRECT.GET.EVT_BROKER', `${inboxPrefix}.x`],
    ];
    for (const subject of published) {
      connection.publish(subject, 'x');
      const { value } = await status.next();
      expect(value, subject).toMatchObject({ type: 'error', error: expect.any(PermissionViolationError) });
    }
  }, 60_000);

  it('everything is told again when JetStream was lost, in order, also what happened meanwhile', async () => {
    const story = await given();
    const feed = await feedOf(story.consumer.account);
    const endpointId = await connected(story);
    const { system, dataDir } = stage();
    await system.stopProcess('nats');
    await rm(join(dataDir, 'nats', 'jetstream'), { recursive: true });
    await reject(story, endpointId);
    await system.startProcess('nats');
    await expectTold(feed, endpointId);
  }, 120_000);

  it('nothing is left out and nothing out of order when a publisher is killed', async () => {
    const story = await given();
    const feed = await feedOf(story.provider.account);
    const { system } = stage();
    const endpointId = await connected(story);
    const rejecting = reject(story, endpointId);
    await stage().log.records('connection', endpointId, 'DisconnectingStarted');
    system.kill('broker-1', 'SIGKILL');
    await rejecting;
    await system.waitHealthy('broker-1');
    await stage().log.records('connection', endpointId, 'ConnectionDisconnected');
    await expectTold(feed, endpointId);
  }, 120_000);

  it('the subscriber of the README listens', async () => {
    const story = await given();
    const credentials = JSON.stringify(await userOf(story.consumer.account));
    const file = fileURLToPath(new URL('../support/account-subscriber.ts', import.meta.url));
    const child = spawn(process.execPath, [file, credentials], { stdio: ['ignore', 'pipe', 'inherit'] });
    undo.push(() => child.kill());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const heard: string[] = [];
    const hears = async (text: string): Promise<void> => {
      while (!heard.some((line) => line.includes(text))) heard.push((await lines.next()).value ?? '');
    };
    // It says nothing before there is something: what happens is made to happen until it listens.
    const listening = hears(' connection/');
    while (!heard.some((line) => line.includes('connection/'))) await connected(story);
    await listening;
    const endpointId = await connected(story);
    await hears(`connection/${endpointId} ConnectionEstablished CONNECTED`);
  }, 60_000);
});

/** The account's facts up to one that fits, from the first one on; over every loss of the stream, of which it counts. */
const watchUntil = async (client: Client, fits: (fact: Fact) => boolean) => {
  const told: Fact[] = [];
  const begun = Promise.withResolvers<void>();
  let losses = 0;
  const watch = async (): Promise<void> => {
    for (let resumeToken = ''; ; losses++) {
      try {
        for await (const { told: said, resumeToken: next } of client.watchEvents(
          { resumeToken, onlyNew: false },
          CALL,
        )) {
          resumeToken = next;
          if (said?.$case === 'synced') begun.resolve();
          if (said?.$case !== 'event') continue;
          told.push(said.value);
          if (fits(said.value)) return;
        }
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        // It goes on where it was, as soon as somebody answers.
        await delay(AGAIN_MS);
      }
    }
  };
  const ended = watch();
  await begun.promise;
  return { told, ended, losses: () => losses };
};

describe('by gRPC', () => {
  it('a stream goes on over restarts of the service, without a gap and nothing twice', async () => {
    const story = await given();
    const { system, log } = stage();
    const first = await connected(story);
    const isLast = ({ type, sourceStream }: Fact) =>
      type === 'ConnectionDisconnected' && sourceStream === `connection-${first}`;
    const client = await eventsOf(story.consumer.account, 'consumer');
    const { told, ended, losses } = await watchUntil(client, isLast);
    system.kill('broker-1', 'SIGKILL');
    const { endpointId } = await createEndpoint(story.consumer, endpointRequest(story.service, story.network));
    await system.waitHealthy('broker-1');
    await log.records('connection', endpointId, 'ConnectionEstablished');
    await reject(story, first);
    await ended;
    // The test's own view of the store may be behind the stream.
    await log.records('connection', first, 'ConnectionDisconnected');
    expect(losses()).toBeGreaterThan(0);
    const end = told.at(-1)?.position ?? 0n;
    const expected = [first, endpointId]
      .flatMap(recorded)
      .filter(({ position }) => position <= end)
      .sort((a, b) => (a.position < b.position ? -1 : 1));
    expect(told.map(({ eventId }) => eventId)).toEqual(idsOf(expected));
  }, 120_000);
});
