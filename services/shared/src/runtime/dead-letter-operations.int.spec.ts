import { randomBytes } from 'node:crypto';
import { OperationsServiceClient, OperationsServiceService } from '@privatelink/proto/operations/v1/operations_service';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Rejected } from '../eventing/rejected.ts';
import { connect } from '../grpc/client.ts';
import { pageTokens } from '../grpc/page-token.ts';
import { RemoteError } from '../grpc/remote-error.ts';
import { startGrpcServer } from '../grpc/server.ts';
import { createIssuer, type Issuer, implement, recordedLog } from '../grpc/test-support.ts';
import { connectNats, type Nats } from '../nats/connect.ts';
import { InvalidMessage, runConsumer } from '../nats/consumer.ts';
import { deadLetters } from '../nats/dead-letters.ts';
import { toMsgHdrs } from '../nats/headers.ts';
import type { IncomingMessage } from '../nats/incoming-message.ts';
import { ensureStream } from '../nats/streams.ts';
import { type NatsServer, startNats } from '../testing/servers.ts';
import { systemClock as clock } from './clock.ts';
import { deadLetterErrors, deadLetterOperations } from './dead-letter-operations.ts';

const CONSUMER = 'broker__spec';
let issuer: Issuer;
let server: NatsServer;
let nats: Nats;
let undo: (() => unknown)[] = [];

beforeAll(async () => {
  issuer = await createIssuer();
});
afterAll(() => issuer?.remove());
beforeEach(async () => {
  server = await startNats();
  undo.push(server.stop);
  nats = await connectNats({ url: server.url, name: 'broker', log: recordedLog().log });
  undo.push(nats.close);
  await ensureStream(nats, 'BILLING');
});
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

const text = ({ body }: IncomingMessage) => new TextDecoder().decode(body);
const publish = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  nats.js.publish('billing.v1.1.overdue', body, { headers: toMsgHdrs(headers) });

/** A consumer whose handler keeps what it takes, and fails as it is told; and what operators see of it. */
const openStage = async (fail: (message: IncomingMessage) => Error | null) => {
  const wait = async (_: IncomingMessage): Promise<void> => undefined;
  const stage = { fail, wait, effects: [] as string[], seen: [] as string[] };
  const { log, lines } = recordedLog();
  const stop = new AbortController();
  const handle = async (message: IncomingMessage): Promise<void> => {
    stage.seen.push(`${text(message)} ${message.deliveryCount}`);
    await stage.wait(message);
    const error = stage.fail(message);
    if (error) throw error;
    stage.effects.push(text(message));
  };
  const consumer = { durable: CONSUMER, stream: 'BILLING', filterSubject: 'billing.v1.>', handle } as const;
  const running = runConsumer({ nats, service: 'broker', clock, log, signal: stop.signal }, consumer);
  undo.push(() => {
    stop.abort();
    return running;
  });
  const letters = deadLetters({ nats, service: 'broker', clock });
  const pages = pageTokens({ secret: randomBytes(32), storeId: 'store' });
  const handlers = new Map([[CONSUMER, handle]]);
  const operations = { ...deadLetterOperations({ letters, handlers, pages, log }) };
  const grpc = await startGrpcServer({
    ...{ service: 'broker', listen: { host: '127.0.0.1', port: 0 }, verifier: issuer.verifier, log },
    services: [
      { definition: OperationsServiceService, implementation: implement(OperationsServiceService, operations) },
    ],
    catalogue: deadLetterErrors,
  });
  undo.push(() => grpc.stop(1_000));
  const token = await issuer.token(['operator'], '', 'olga');
  const client = connect(OperationsServiceClient, [`127.0.0.1:${grpc.port}`], { token: () => token });
  undo.push(client.close);
  return Object.assign(stage, {
    ...{ letters, lines },
    listed: async () => (await client.listDeadLetters({ pageSize: 0, pageToken: '', consumer: '' }, {})).deadLetters,
    list: (pageSize: number, pageToken = '', consumer = '') =>
      client.listDeadLetters({ pageSize, pageToken, consumer }, {}),
    replay: (deadLetterId: string, requestId = '') => client.replayDeadLetter({ deadLetterId, requestId }, {}),
    discard: (deadLetterId: string, message: string, requestId = '') =>
      client.discardDeadLetter({ deadLetterId, requestId, message }, {}),
  });
};

type Stage = Awaited<ReturnType<typeof openStage>>;

const parked = async ({ listed }: Stage, count: number) =>
  vi.waitFor(
    async () => {
      const letters = await listed();
      expect(letters).toHaveLength(count);
      return letters;
    },
    { timeout: 5_000, interval: 20 },
  );
const idOf = async (stage: Stage): Promise<string> => (await parked(stage, 1))[0]?.deadLetterId ?? '';

const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RemoteError)) throw new Error('it was not refused', { cause: error });
  return { reason: error.reason, facts: error.facts, fields: error.violations.map(({ field }) => field) };
};

const isBad = (message: IncomingMessage) => (text(message).startsWith('bad') ? new InvalidMessage('why\nnot') : null);

test('what cannot be handled blocks nobody, is listed, stays while it fails, and takes effect once when it does not', async () => {
  const stage = await openStage(isBad);
  await publish('bad', { 'correlation-id': 'corr' });
  await publish('good');
  await vi.waitFor(() => expect(stage.effects).toEqual(['good']));
  const [letter] = await parked(stage, 1);
  expect(letter).toMatchObject({
    ...{ consumer: CONSUMER, subject: 'billing.v1.1.overdue', reason: 'InvalidMessage: why not', deliveryCount: 1 },
    ...{ sizeBytes: 3n, correlationId: 'corr', body: { $case: 'text', value: 'bad' } },
  });
  const { deadLetterId = '', setAsideTime } = letter ?? {};

  stage.fail = () => new Rejected('NAME_TAKEN');
  expect(await refusal(stage.replay(deadLetterId))).toMatchObject({
    ...{ reason: 'REPLAY_FAILED', facts: { consumer: CONSUMER, cause: 'Rejected: NAME_TAKEN {}' } },
  });
  const [kept] = await parked(stage, 1);
  expect(kept).toMatchObject({ deadLetterId, reason: 'Rejected: NAME_TAKEN {}', deliveryCount: 2, setAsideTime });
  expect(await stage.letters.count()).toEqual(new Map([[CONSUMER, 1]]));

  stage.fail = () => null;
  const answer = await stage.replay(deadLetterId, 'r1');
  expect(answer.consumer).toBe(CONSUMER);
  expect(await stage.listed()).toEqual([]);
  expect(await stage.letters.count()).toEqual(new Map());
  expect(await stage.replay(deadLetterId, 'r1')).toEqual(answer);
  expect((await refusal(stage.replay(deadLetterId, 'r2'))).reason).toBe('DEAD_LETTER_NOT_FOUND');
  expect((await refusal(stage.replay(deadLetterId))).reason).toBe('DEAD_LETTER_NOT_FOUND');
  expect(stage.seen).toEqual(['bad 1', 'good 1', 'bad 2', 'bad 3']);
  expect(stage.effects).toEqual(['good', 'bad']);
  expect(stage.lines.find(({ msg }) => msg === 'dead letter replayed')).toMatchObject({
    ...{ deadLetter: deadLetterId, consumer: CONSUMER, actor: 'user:olga' },
  });
});

test('what is no text is shown as it is', async () => {
  const stage = await openStage(() => new InvalidMessage('no'));
  const garbage = randomBytes(5_000).fill(0xff, 0, 10);
  await publish(garbage);
  const [letter] = await parked(stage, 1);
  expect(letter?.sizeBytes).toBe(5_000n);
  expect(letter?.body).toEqual({ $case: 'raw', value: garbage.subarray(0, 4_096) });
});

test('a letter is discarded for a reason, by one request once', async () => {
  const stage = await openStage(isBad);
  await publish('bad');
  const id = await idOf(stage);
  expect(await refusal(stage.discard(id, ''))).toMatchObject({ reason: 'INVALID_ARGUMENT', fields: ['message'] });
  const answer = await stage.discard(id, 'wärr nothing', 'r1');
  expect(await stage.discard(id, 'wärr nothing', 'r1')).toEqual(answer);
  expect((await refusal(stage.discard(id, 'else', 'r1'))).reason).toBe('REQUEST_ID_REUSED');
  expect((await refusal(stage.discard(id, 'else', 'r2'))).reason).toBe('DEAD_LETTER_NOT_FOUND');
  expect(await stage.listed()).toEqual([]);
  expect(stage.effects).toEqual([]);
  expect(await stage.letters.findEnd(id)).toMatchObject({
    how: 'discarded',
    actor: 'user:olga',
    message: 'wärr nothing',
  });
});

test('of two replays at once that end differently, the one that succeeds has the last word', async () => {
  const stage = await openStage(isBad);
  await publish('bad');
  const id = await idOf(stage);
  const isAsked = Promise.withResolvers<void>();
  const succeeded = Promise.withResolvers<void>();
  stage.wait = async (message) => {
    if (message.deliveryCount === 1) return;
    stage.wait = async () => undefined;
    isAsked.resolve();
    await succeeded.promise;
    throw new Error('late');
  };
  const late = refusal(stage.replay(id));
  await isAsked.promise;
  stage.fail = () => null;
  await stage.replay(id);
  succeeded.resolve();
  expect((await late).facts).toMatchObject({ cause: 'Error: late' });
  expect(await stage.listed()).toEqual([]);
});

test('a crash between effect and removal leaves the letter, and the same request ends it', async () => {
  const stage = await openStage(isBad);
  await publish('bad');
  const id = await idOf(stage);
  stage.fail = () => null;
  const { end } = stage.letters;
  stage.letters.end = () => Promise.reject(new Error('crashed'));
  expect((await refusal(stage.replay(id, 'r1'))).reason).toBe('NATS_UNAVAILABLE');
  stage.letters.end = end;
  expect(await stage.listed()).toHaveLength(1);
  await stage.replay(id, 'r1');
  expect(await stage.listed()).toEqual([]);
});

test('set aside again it is the same letter; another message, also of the same words, is another one', async () => {
  const stage = await openStage(isBad);
  await publish('bad');
  await publish('bad');
  await parked(stage, 2);
  await nats.jsm.consumers.delete('BILLING', CONSUMER);
  await vi.waitFor(() => expect(stage.seen).toHaveLength(4), { timeout: 15_000 });
  await parked(stage, 2);
}, 30_000);

test('letters are listed in pages, of one consumer or all', async () => {
  const stage = await openStage(isBad);
  for (let n = 0; n < 5; n++) await publish(`bad ${n}`);
  await parked(stage, 5);
  const bodies: unknown[] = [];
  let pageToken = '';
  do {
    const page = await stage.list(2, pageToken);
    bodies.push(...page.deadLetters.map(({ body }) => body?.value));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(bodies).toEqual(['bad 0', 'bad 1', 'bad 2', 'bad 3', 'bad 4']);
  const { nextPageToken } = await stage.list(2);
  expect((await refusal(stage.list(2, nextPageToken, CONSUMER))).reason).toBe('PAGE_TOKEN_INVALID');
  expect((await stage.list(0, '', CONSUMER)).deadLetters).toHaveLength(5);
  expect((await stage.list(0, '', 'broker__other')).deadLetters).toEqual([]);
});

test('the letter of a consumer that is no more is only discarded', async () => {
  const stage = await openStage(isBad);
  await publish('bad');
  await parked(stage, 1);
  await nats.js.publish('dlq.broker.broker__gone.dl-00000000000000000001', 'x');
  expect(await refusal(stage.replay('dl-00000000000000000001'))).toMatchObject({ reason: 'CONSUMER_NOT_FOUND' });
  await stage.discard('dl-00000000000000000001', 'nobody’s');
  expect(await stage.listed()).toHaveLength(1);
});

test('while NATS is away operators and metrics are told so at once', async () => {
  const stage = await openStage(isBad);
  await server.halt();
  await vi.waitFor(() => expect(nats.isConnected()).toBe(false));
  const asked = performance.now();
  expect((await refusal(stage.list(0))).reason).toBe('NATS_UNAVAILABLE');
  await expect(stage.letters.count()).rejects.toMatchObject({ reason: 'NATS_UNAVAILABLE' });
  expect(performance.now() - asked).toBeLessThan(4_000);
});
