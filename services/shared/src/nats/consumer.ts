import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JsMsg,
  type Consumer as PullConsumer,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { Unavailable } from '../app/errors.ts';
import type { Clock } from '../eventing/ports.ts';
import { Rejected } from '../eventing/rejected.ts';
import { inSpan, TRACEPARENT } from '../telemetry/trace.ts';
import type { Nats } from './connect.ts';
import { setAside } from './dead-letters.ts';
import { fromMsgHdrs } from './headers.ts';
import type { IncomingMessage } from './incoming-message.ts';
import { ensureStreams, type StreamName } from './streams.ts';

/** A message that no repetition makes any better. */
export class InvalidMessage extends Error {
  override readonly name = 'InvalidMessage';
}

export type Consumer = Readonly<{
  /** `<service>__<purpose>`; replicas share it. */
  durable: string;
  stream: StreamName;
  filterSubject: string;
  /**
   * Called at least once per message; in no certain order, unless `maxInFlight` is 1. Throws `InvalidMessage` or
   * `Rejected` to set a message aside; after any other error it comes again.
   */
  handle: (message: IncomingMessage) => Promise<void>;
  /** Messages that may be unacknowledged at once, over all replicas. 1 keeps their order also when one fails. */
  maxInFlight?: number;
  /** Deliveries after which a message that still fails is set aside, unless something is away. */
  maxDeliveries?: number;
}>;

export type ConsumerDeps = Readonly<{
  nats: Nats;
  /** Names the dead letters. */
  service: string;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}>;

const PULL_MESSAGES = 64;
const PULL_MS = 5_000;
const ACK_WAIT_MS = 60_000;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;
/** Some minutes of back-off. */
const MAX_DELIVERIES = 15;

/** Handles messages until the signal aborts, over lost connections, deleted consumers and an emptied JetStream. */
export const runConsumer = async (deps: ConsumerDeps, consumer: Consumer): Promise<void> => {
  const { clock, log, signal } = deps;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const pull = await declare(deps, consumer);
      while (!signal.aborted) {
        await pullOnce(deps, consumer, pull);
        failures = 0;
      }
    } catch (err) {
      if (signal.aborted) return;
      const backoffMs = backoff(++failures);
      log.warn({ consumer: consumer.durable, failures, backoffMs, err }, 'consumer is declared again');
      await clock.sleep(backoffMs, signal);
    }
  }
};

const declare = async ({ nats }: ConsumerDeps, consumer: Consumer): Promise<PullConsumer> => {
  const { durable, stream, filterSubject, maxInFlight = 1_000 } = consumer;
  await ensureStreams(nats, [stream, 'DLQ']);
  const wanted = { filter_subject: filterSubject, max_ack_pending: maxInFlight, ack_wait: nanos(ACK_WAIT_MS) };
  const held = await nats.jsm.consumers.info(stream, durable).catch((error: unknown) => {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound) return null;
    throw error;
  });
  if (!held) {
    await nats.jsm.consumers.add(stream, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      max_deliver: -1,
      ...wanted,
    });
  } else if (Object.entries(wanted).some(([name, value]) => held.config[name as keyof typeof wanted] !== value)) {
    await nats.jsm.consumers.update(stream, durable, wanted);
  }
  return nats.js.consumers.get(stream, durable);
};

const pullOnce = async (deps: ConsumerDeps, consumer: Consumer, pull: PullConsumer): Promise<void> => {
  const { signal } = deps;
  const messages = await pull.fetch({
    max_messages: Math.min(consumer.maxInFlight ?? PULL_MESSAGES, PULL_MESSAGES),
    expires: PULL_MS,
  });
  const stop = () => void messages.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const message of messages) {
      // Given back, so that another replica need not wait until we are taken for dead.
      if (signal.aborted) message.nak();
      else await deliver(deps, consumer, message);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
};

const deliver = async (deps: ConsumerDeps, consumer: Consumer, message: JsMsg): Promise<void> => {
  const { log } = deps;
  const { deliveryCount } = message.info;
  const incoming = {
    subject: message.subject,
    headers: fromMsgHdrs(message.headers),
    body: message.data,
    deliveryCount,
  };
  const context = { consumer: consumer.durable, subject: message.subject, sequence: message.seq, deliveryCount };
  try {
    const span = { kind: 'consumer', parent: incoming.headers[TRACEPARENT] ?? '' } as const;
    await inSpan(consumer.durable, span, async () => consumer.handle(incoming));
  } catch (err) {
    const exhausted = deliveryCount >= (consumer.maxDeliveries ?? MAX_DELIVERIES) && !isOutage(err);
    const isHopeless = err instanceof InvalidMessage || err instanceof Rejected || exhausted;
    const failed = { consumer: consumer.durable, message: incoming, sequence: String(message.seq), cause: err };
    if (isHopeless && (await setAside(deps, failed))) {
      log.warn({ ...context, err }, 'message set aside');
      message.term();
    } else {
      const backoffMs = backoff(deliveryCount);
      log.warn({ ...context, backoffMs, err }, 'message comes again');
      message.nak(backoffMs);
    }
    return;
  }
  // Unacknowledged it comes again, which the handler takes.
  if (!(await message.ackAck().catch(() => false))) log.warn(context, 'acknowledgement not confirmed');
};

const backoff = (attempt: number): number => Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS);

/** Something that we need is away: no reason to give up a message, however long it takes. */
export const isOutage = (error: unknown): boolean =>
  error instanceof Unavailable ||
  (error instanceof Error && 'code' in error && /^(08|53|57P|ECONN|ETIMEDOUT|EPIPE)/.test(String(error.code)));
