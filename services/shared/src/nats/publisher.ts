import { JetStreamApiCodes, JetStreamApiError, type PubAck, PubHeaders, type StoredMsg } from '@nats-io/jetstream';
import type { StoredEvent } from '../eventing/message.ts';
import { storeIdentity } from '../kurrent/store-identity.ts';
import { LeaseLost } from '../postgres/lease.ts';
import { type LeasedSubscriptionDeps, positionOf, runLeasedSubscription } from '../postgres/leased-subscription.ts';
import { servers } from '../telemetry/metrics.ts';
import { type OpenSpan, startSpan, TRACEPARENT } from '../telemetry/trace.ts';
import type { Nats } from './connect.ts';
import { type Headers, toMsgHdrs } from './headers.ts';
import { ensureStream, factsStream, subjectsOf } from './streams.ts';
import { heartbeatSubject, type Producer } from './subjects.ts';

export type Announcement = Readonly<{
  subject: string;
  body: Uint8Array;
  /** Instead of those that say whence the event comes, which are not for everybody. */
  headers?: Headers;
}>;

/** Announces a service's facts on its JetStream stream. One per service. */
export type Publisher = Readonly<{
  name: string;
  service: Producer;
  prefixes: readonly string[];
  /** Always gives the same for the same event: what a crash cut off is continued. */
  translate: (event: StoredEvent) => Promise<readonly Announcement[]>;
}>;

type Message = Readonly<{
  announcement: Announcement;
  id: string | null;
  /** Everything up to this position is in the stream once this message is. */
  resumeAfter: bigint | null;
  span?: OpenSpan;
}>;

export type PublisherDeps = LeasedSubscriptionDeps & Readonly<{ nats: Nats }>;

const WINDOW = 256;
const HEARTBEAT_MS = 1_000;
const RESUME_AFTER = 'resume-after';
const STORE_ID = 'store-id';

/**
 * Runs while this process holds the publisher's lease, until the signal aborts. JetStream itself is the checkpoint:
 * the publisher resumes after the last message of its own stream there, and from the first event when that is gone.
 * Each message expects the one before it, so that a second publisher is refused instead of interleaving.
 */
export const runPublisher = async (deps: PublisherDeps, publisher: Publisher): Promise<void> => {
  const { nats, clock, store, log } = deps;
  const stream = factsStream(publisher.service);
  let storeId = '';
  let sequence = 0;
  /** Position up to which everything has been sent, and the one that the last message tells. */
  let covered: bigint | null = null;
  let told: bigint | null = null;
  let lastId = '';
  let sentAt = 0;
  let window = WINDOW;
  /** All that was sent is acknowledged. */
  let settled = false;

  /** Only the last is acknowledged: each is refused unless the one before it was taken. */
  const sendWindow = async (messages: readonly Message[]): Promise<void> => {
    settled = false;
    let acknowledged: Promise<PubAck> | null = null;
    let before: string | null = null;
    for (const [i, { announcement, id, resumeAfter }] of messages.entries()) {
      const headers = toMsgHdrs({
        ...announcement.headers,
        [STORE_ID]: storeId,
        ...(resumeAfter !== null && { [RESUME_AFTER]: String(resumeAfter) }),
        ...(id !== null && { [PubHeaders.MsgIdHdr]: id }),
        [PubHeaders.ExpectedStreamHdr]: stream,
        [PubHeaders.ExpectedLastSeqHdr]: String(sequence++),
        // Its number alone would let it take the place of one before it that was refused.
        ...(before !== null && { [PubHeaders.ExpectedLastMsgIdHdr]: before }),
      });
      before = id;
      told = resumeAfter;
      const { subject, body } = announcement;
      if (i < messages.length - 1) nats.connection.publish(subject, body, { headers });
      else acknowledged = nats.js.publish(subject, body, { headers });
    }
    sentAt = clock.now().getTime();
    const ack = await acknowledged;
    // Swallowed by the server's memory of ids, which outlives a purge: it is tried again until it is forgotten.
    if (ack?.duplicate) throw new Error(`${stream} took ${before} for a duplicate`);
    servers.announced.inc(messages.length);
    settled = true;
  };

  const send = async (messages: readonly Message[]): Promise<void> => {
    try {
      for (let from = 0; from < messages.length; ) {
        const sent = messages.slice(from, from + window);
        await sendWindow(sent);
        for (const { span } of sent) span?.end();
        from += sent.length;
      }
      window = WINDOW;
    } catch (error) {
      for (const { span } of messages) span?.end(error);
      // Which of them was refused, and why, is told when each is acknowledged by itself.
      window = 1;
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence) {
        throw new LeaseLost(`${stream} does not end at what this publisher sent last`, { cause: error });
      }
      throw error;
    }
  };

  const messagesOf = async (event: StoredEvent): Promise<readonly Message[]> => {
    const announcements = await publisher.translate(event);
    return announcements.flatMap((announcement, i) => {
      if (isSent(event.id, i, lastId)) return [];
      const parent = event.metadata[TRACEPARENT] ?? '';
      const span = startSpan(`${stream} announces`, { kind: 'producer', parent });
      const last = i === announcements.length - 1;
      return {
        announcement: withContext(announcement, event, span.traceparent),
        id: `${event.id}:${i}`,
        resumeAfter: last ? event.position : covered,
        span,
      };
    });
  };

  const isIntact = async (): Promise<boolean> => {
    try {
      return (await nats.jsm.streams.info(stream)).state.last_seq === sequence;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return false;
      throw error;
    }
  };

  await runLeasedSubscription(deps, {
    name: `publisher.${publisher.name}`,
    prefixes: publisher.prefixes,
    onFailure: 'retry',
    resumeAfter: async () => {
      settled = false;
      await ensureStream(nats, stream);
      storeId = await storeIdentity(store);
      sequence = (await nats.jsm.streams.info(stream)).state.last_seq;
      const last = await lastMessage(nats, publisher.service);
      const ours = last?.header.get(STORE_ID) === storeId ? last.header : null;
      covered = told = ours?.get(RESUME_AFTER) ? BigInt(ours.get(RESUME_AFTER)) : null;
      lastId = ours?.get(PubHeaders.MsgIdHdr) ?? '';
      if (covered !== null && covered > (await store.tail())) covered = told = null;
      log.info({ publisher: publisher.name, stream, sequence, resumeAfter: String(covered) }, 'publisher resumes');
      settled = true;
      return covered;
    },
    handle: async (messages) => {
      const outgoing: Message[] = [];
      try {
        for (const message of messages) {
          const position = positionOf(message);
          if (position === null || (covered !== null && position <= covered)) continue;
          if (message.kind === 'event') outgoing.push(...(await messagesOf(message.event)));
          covered = position;
        }
      } finally {
        // In one turn, so that they go out in few writes; those before one that cannot be told as well.
        await send(outgoing);
      }
    },
    idle: async () => {
      if (!settled) return;
      if (!(await isIntact())) throw new LeaseLost(`${stream} was emptied or replaced`);
      if (covered === told || covered === null || clock.now().getTime() - sentAt < HEARTBEAT_MS) return;
      await send([{ announcement: heartbeat(publisher.service, covered), id: null, resumeAfter: covered }]);
    },
  });
};

/** Of all subjects: asked for the last of any, the server knows none where the very last was deleted. */
const lastMessage = async ({ jsm }: Nats, service: Producer): Promise<StoredMsg | null> => {
  const stream = factsStream(service);
  const lasts = await Promise.all(
    subjectsOf(service).map((subject) => jsm.streams.getMessage(stream, { last_by_subj: subject })),
  );
  return lasts.reduce((last, message) => ((message?.seq ?? 0) > (last?.seq ?? 0) ? message : last), null);
};

const isSent = (eventId: string, index: number, lastId: string): boolean => {
  const colon = lastId.lastIndexOf(':');
  return lastId.slice(0, colon) === eventId && index <= Number(lastId.slice(colon + 1));
};

const withContext = (
  { subject, body, headers }: Announcement,
  event: StoredEvent,
  traceparent: string,
): Announcement => ({
  subject,
  body,
  headers: headers ?? {
    'correlation-id': event.metadata['$correlationId'] ?? '',
    'causation-id': event.id,
    'account-id': event.metadata['accountId'] ?? '',
    actor: event.metadata['actor'] ?? '',
    'event-type': event.type,
    'source-stream': event.stream,
    'source-revision': String(event.revision),
    'source-position': String(event.position),
    'recorded-at': event.recordedAt,
    ...(traceparent !== '' && { [TRACEPARENT]: traceparent }),
  },
});

/** Only the last one is kept. */
const heartbeat = (service: Producer, position: bigint): Announcement => ({
  subject: heartbeatSubject(service),
  body: new Uint8Array(),
  headers: { 'source-position': String(position), 'Nats-Rollup': 'sub' },
});
