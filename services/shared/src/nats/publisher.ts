import { JetStreamApiCodes, JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import type { StoredEvent } from '../eventing/message.ts';
import { storeIdentity } from '../kurrent/store-identity.ts';
import { LeaseLost } from '../postgres/lease.ts';
import { type LeasedSubscriptionDeps, positionOf, runLeasedSubscription } from '../postgres/leased-subscription.ts';
import { servers } from '../telemetry/metrics.ts';
import { startSpan, TRACEPARENT } from '../telemetry/trace.ts';
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

export type PublisherDeps = LeasedSubscriptionDeps & Readonly<{ nats: Nats }>;

const WINDOW = 256;
const HEARTBEAT_MS = 1_000;
/** Of a message: everything up to this position is in the stream once this message is. */
const RESUME_AFTER = 'resume-after';
const STORE_ID = 'store-id';
const MESSAGE_ID = 'Nats-Msg-Id';

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
  let sentId = '';
  let sentAt = 0;
  /** All that was sent is acknowledged. Failures are values here, so that none goes unhandled meanwhile. */
  let settled = false;
  const inFlight: Promise<unknown>[] = [];

  const send = (announcement: Announcement, messageId: string | null, resumeAfter: bigint | null): Promise<unknown> => {
    const headers = toMsgHdrs({
      ...announcement.headers,
      [STORE_ID]: storeId,
      ...(resumeAfter !== null && { [RESUME_AFTER]: String(resumeAfter) }),
    });
    told = resumeAfter;
    // Its number alone would let it take the place of one before it that was refused.
    const follows = inFlight.length > 0 && sentId !== '' ? { lastMsgID: sentId } : {};
    const expect = { streamName: stream, lastSequence: sequence++, ...follows };
    sentId = messageId ?? '';
    const acknowledged = nats.js
      .publish(announcement.subject, announcement.body, { headers, expect, ...(messageId && { msgID: messageId }) })
      .then(
        // Swallowed by the server's memory of ids, which outlives a purge: it is tried again until it is forgotten.
        (ack) => {
          if (ack.duplicate) return new Error(`${stream} took ${messageId} for a duplicate`);
          servers.announced.inc();
          return null;
        },
        (error: unknown) => error,
      );
    inFlight.push(acknowledged);
    sentAt = clock.now().getTime();
    return acknowledged;
  };

  const settle = async (): Promise<void> => {
    const failures = (await Promise.all(inFlight.splice(0))).filter((failure) => failure !== null);
    // The first is the cause: those after it expected what did not come.
    const [failure] = failures;
    if (failure === undefined) return;
    if (failure instanceof JetStreamApiError && failure.code === JetStreamApiCodes.StreamWrongLastSequence) {
      throw new LeaseLost(`${stream} does not end at what this publisher sent last`, { cause: failure });
    }
    throw failure;
  };

  const announce = async (event: StoredEvent): Promise<void> => {
    const announcements = await publisher.translate(event);
    for (const [i, announcement] of announcements.entries()) {
      if (isSent(event.id, i, lastId)) continue;
      const last = i === announcements.length - 1;
      const parent = event.metadata[TRACEPARENT] ?? '';
      const span = startSpan(`${stream} announces`, { kind: 'producer', parent });
      const message = withContext(announcement, event, span.traceparent);
      const sent = send(message, `${event.id}:${i}`, last ? event.position : covered);
      void sent.then((failure) => span.end(failure ?? undefined));
      if (inFlight.length >= WINDOW) await settle();
    }
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
      // What an earlier attempt has sent must not arrive after we have looked.
      await Promise.all(inFlight.splice(0));
      await ensureStream(nats, stream);
      storeId = await storeIdentity(store);
      sequence = (await nats.jsm.streams.info(stream)).state.last_seq;
      const last = await lastMessage(nats, publisher.service);
      const ours = last?.header.get(STORE_ID) === storeId ? last.header : null;
      covered = told = ours?.get(RESUME_AFTER) ? BigInt(ours.get(RESUME_AFTER)) : null;
      lastId = ours?.get(MESSAGE_ID) ?? '';
      if (covered !== null && covered > (await store.tail())) covered = told = null;
      log.info({ publisher: publisher.name, stream, sequence, resumeAfter: String(covered) }, 'publisher resumes');
      settled = true;
      return covered;
    },
    handle: async (messages) => {
      settled = false;
      for (const message of messages) {
        const position = positionOf(message);
        if (position === null || (covered !== null && position <= covered)) continue;
        if (message.kind === 'event') await announce(message.event);
        covered = position;
      }
      await settle();
      settled = true;
    },
    idle: async () => {
      if (!settled) return;
      if (!(await isIntact())) throw new LeaseLost(`${stream} was emptied or replaced`);
      if (covered === told || covered === null || clock.now().getTime() - sentAt < HEARTBEAT_MS) return;
      void send(heartbeat(publisher.service, covered), null, covered);
      settled = false;
      await settle();
      settled = true;
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
