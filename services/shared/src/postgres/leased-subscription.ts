import { type Followed, runSubscription, type Subscription, type SubscriptionDeps } from '../app/run-subscription.ts';
import type { EventStore, SubscriptionMessage } from '../eventing/ports.ts';
import type { Db } from './connect.ts';
import { holdLease, LeaseLost } from './lease.ts';

export type LeasedDeps<Source extends Followed> = Omit<SubscriptionDeps, 'store'> &
  Readonly<{ store: Source; db: Db; holder: string }>;

export type LeasedSubscriptionDeps = LeasedDeps<EventStore>;

export type LeasedSubscription = Omit<Subscription, 'resumeAfter'> &
  Readonly<{
    resumeAfter: (epoch: bigint) => Promise<bigint | null>;
    /** Called each second, never while `resumeAfter` or `handle` runs. */
    idle: () => Promise<void>;
  }>;

const IDLE_EVERY_MS = 1000;
/** One transaction, or one round of publishing, then takes what one request has caused. */
const LINGER_MS = 10;

/** A subscription that one replica at a time runs. A step that throws `LeaseLost` ends this holder's turn. */
export const runLeasedSubscription = (deps: LeasedDeps<Followed>, subscription: LeasedSubscription): Promise<void> =>
  holdLease({ ...deps, name: subscription.name }, async (lease) => {
    const { clock, log } = deps;
    const life = new AbortController();
    const signal = AbortSignal.any([lease.signal, life.signal]);
    let last: Promise<unknown> = Promise.resolve();

    const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
      const run = last.then(step).catch((error: unknown) => {
        if (error instanceof LeaseLost) {
          log.warn({ subscription: subscription.name, epoch: String(lease.epoch), err: error }, 'turn given up');
          life.abort();
        }
        throw error;
      });
      last = run.catch(() => undefined);
      return run;
    };

    const idling = (async () => {
      for (;;) {
        await clock.sleep(IDLE_EVERY_MS, signal);
        if (signal.aborted) return;
        await inTurn(subscription.idle).catch((err: unknown) =>
          log.warn({ subscription: subscription.name, err }, 'idle step failed'),
        );
      }
    })();

    try {
      await runSubscription(
        { ...deps, signal },
        {
          name: subscription.name,
          prefixes: subscription.prefixes,
          onFailure: subscription.onFailure,
          lingerMs: LINGER_MS,
          resumeAfter: () => inTurn(() => subscription.resumeAfter(lease.epoch)),
          handle: (messages) => inTurn(() => subscription.handle(messages)),
        },
      );
    } finally {
      life.abort();
      await idling;
    }
  });

/** Position up to which a message completes what was examined. */
export const positionOf = (message: SubscriptionMessage): bigint | null => {
  if (message.kind === 'event') return message.event.position;
  return message.kind === 'checkpoint' ? message.position : null;
};
