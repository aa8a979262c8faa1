import type { Logger } from 'pino';
import type { Clock, EventStore, SubscriptionMessage } from '../eventing/ports.ts';
import { subscriptions } from '../telemetry/metrics.ts';
import { Unavailable } from './errors.ts';
import { findOverdue } from './stalled-subscription.ts';

/**
 * What to do when a handler keeps failing, other than for want of something that does not answer. There is no
 * default and no 'log and go on'.
 * `stopAfter`: the process ends, since a dead subscription behind a live API is the worst state.
 * `retry`: for ever, for subscriptions whose handler sets a single failing stream aside.
 */
export type FailurePolicy = Readonly<{ stopAfter: number }> | 'retry';

export type Subscription = Readonly<{
  name: string;
  prefixes: readonly string[];
  /** Position to resume after; asked at every start and restart. Null: from the first event. */
  resumeAfter: () => Promise<bigint | null>;
  /** Messages in order. When it throws, the subscription restarts from `resumeAfter`. */
  handle: (messages: readonly SubscriptionMessage[]) => Promise<void>;
  onFailure: FailurePolicy;
  /**
   * How long a message waits for others that are handled with it, and once more for as long as they come in numbers. For
   * what nobody waits for at once.
   */
  lingerMs?: number;
}>;

/** What is followed, and how far it goes. */
export type Followed = Pick<EventStore, 'subscribe' | 'tail'>;

export type SubscriptionDeps = Readonly<{ store: Followed; clock: Clock; log: Logger; signal: AbortSignal }>;

/** `upTo`: the handler has not got over its trouble before it has handled this position. */
class HandlerFailed extends Error {
  override readonly name = 'HandlerFailed';
  readonly upTo: bigint;

  constructor(upTo: bigint, options: ErrorOptions) {
    super('the handler failed', options);
    this.upTo = upTo;
  }
}

const MAX_BATCH = 256;
/** Where a linger brings so many, more are waited for, for so many lingers. */
const IN_NUMBERS = 4;
const MAX_LINGERS = 10;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 10_000;
const STALL_CHECK_MS = 15_000;

/** Runs until the signal aborts, over every loss of connection. Rejects only when its failure policy says stop. */
export const runSubscription = async (deps: SubscriptionDeps, subscription: Subscription): Promise<void> => {
  const { clock, log, signal } = deps;
  const { name, onFailure } = subscription;
  let failures = 0;
  let handlerFailures = 0;
  let stuckBefore = -1n;
  const handled = (position: bigint): void => {
    if (position < stuckBefore) return;
    stuckBefore = -1n;
    failures = 0;
    handlerFailures = 0;
  };
  while (!signal.aborted) {
    try {
      await follow(deps, subscription, handled);
    } catch (cause) {
      if (signal.aborted) return;
      failures++;
      if (cause instanceof HandlerFailed) {
        stuckBefore = cause.upTo;
        if (!(cause.cause instanceof Unavailable)) handlerFailures++;
        if (onFailure !== 'retry' && handlerFailures >= onFailure.stopAfter) {
          throw new Error(`subscription ${name} failed ${handlerFailures} times`, { cause });
        }
      }
      subscriptions.restarts.inc({ subscription: name });
      const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS);
      log.warn({ subscription: name, failures, backoffMs, err: cause }, 'subscription restarts');
      await clock.sleep(backoffMs, signal);
    }
  }
};

/** One life of the subscription: collects what arrives while the handler works, so that batches form under load. */
const follow = async (
  deps: SubscriptionDeps,
  { name, prefixes, resumeAfter, handle, lingerMs = 0 }: Subscription,
  handled: (position: bigint) => void,
): Promise<void> => {
  const after = await resumeAfter();
  const life = new AbortController();
  const signal = AbortSignal.any([deps.signal, life.signal]);
  const queue: SubscriptionMessage[] = [];
  let wake = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();
  let received = after ?? -1n;
  let done = received;
  let failure: unknown;

  const read = async (): Promise<void> => {
    try {
      for await (const message of deps.store.subscribe({ prefixes, after, signal })) {
        received = positionOf(message) ?? received;
        queue.push(message);
        wake.resolve();
        if (queue.length < MAX_BATCH || signal.aborted) continue;
        room = Promise.withResolvers();
        await room.promise;
      }
      failure = new Error('the subscription ended');
    } catch (error) {
      failure = error;
    }
    wake.resolve();
  };

  const watch = async (): Promise<void> => {
    let overdue: bigint | null = null;
    for (;;) {
      await deps.clock.sleep(STALL_CHECK_MS, signal);
      if (signal.aborted) return;
      const isHandling = done < received;
      if (!isHandling && overdue !== null && received < overdue) {
        failure = new Error(`the subscription stands still at ${received}, before ${overdue}`);
        wake.resolve();
        return;
      }
      overdue = isHandling ? null : await findOverdue({ ...deps, signal }, prefixes, received, STALL_CHECK_MS);
    }
  };

  const linger = async (): Promise<void> => {
    for (let count = 0; count < MAX_LINGERS; count++) {
      const before = queue.length;
      if (before >= MAX_BATCH || failure !== undefined || signal.aborted) return;
      await deps.clock.sleep(lingerMs, signal);
      if (queue.length - before < IN_NUMBERS) return;
    }
  };

  const loops = [read(), watch()];
  try {
    while (!deps.signal.aborted) {
      if (lingerMs > 0 && queue.length > 0) await linger();
      const batch = queue.splice(0, MAX_BATCH);
      room.resolve();
      if (batch.length > 0) {
        const position = batch.reduce((last, message) => positionOf(message) ?? last, done);
        await handle(batch).catch((cause: unknown) => {
          throw new HandlerFailed(position > done ? position : done + 1n, { cause });
        });
        done = position;
        handled(position);
        measure(name, batch, done, deps.clock.now());
      } else if (failure !== undefined) {
        throw failure;
      } else {
        await wake.promise;
        wake = Promise.withResolvers();
      }
    }
  } finally {
    life.abort();
    room.resolve();
    await Promise.all(loops);
  }
};

const measure = (subscription: string, batch: readonly SubscriptionMessage[], position: bigint, now: Date): void => {
  subscriptions.position.set({ subscription }, Number(position));
  const delay = subscriptions.delay.labels({ subscription });
  for (const message of batch) {
    if (message.kind !== 'event' || message.event.recordedAt === '') continue;
    const delayMs = now.getTime() - Date.parse(message.event.recordedAt);
    delay.observe(Math.max(0, delayMs) / 1_000);
  }
};

const positionOf = (message: SubscriptionMessage): bigint | null => {
  if (message.kind === 'event') return message.event.position;
  return message.kind === 'checkpoint' ? message.position : null;
};
