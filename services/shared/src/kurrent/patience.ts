import { setTimeout as delay } from 'node:timers/promises';
import {
  CancelledError,
  DeadlineExceededError,
  NotLeaderError,
  TimeoutError,
  UnavailableError,
  UnknownError,
} from '@kurrent/kurrentdb-client';
import { Unavailable } from '../app/errors.ts';

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 1_000;

class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/** The client waits without end for a server that died silently. */
export const withTimeout = async <T>(promise: Promise<T>, timeoutMs: number): Promise<T> => {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Unanswered(`no answer in ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([promise, timer.promise]);
  } finally {
    clearTimeout(timeout);
  }
};

/** Trouble on the way to the store, after which nobody knows what has happened there. */
export const isTransient = (error: unknown): boolean =>
  error instanceof UnavailableError ||
  error instanceof TimeoutError ||
  error instanceof DeadlineExceededError ||
  error instanceof CancelledError ||
  error instanceof NotLeaderError ||
  error instanceof Unanswered ||
  // The client reports a connection that broke under it in these two ways.
  error instanceof UnknownError ||
  (error instanceof Error && /UNAVAILABLE|ECONNREFUSED|ECONNRESET|transport error/i.test(error.message));

export const storeUnavailable = (cause: unknown): Unavailable =>
  new Unavailable('EVENT_STORE_UNAVAILABLE', 'the event store does not answer', { cause });

/** @throws Unavailable when the trouble lasts longer than the patience */
export const withPatience = async <T>(patienceMs: number, attempt: () => Promise<T>): Promise<T> => {
  const end = performance.now() + patienceMs;
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, MAX_RETRY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (performance.now() + waitMs > end) throw storeUnavailable(error);
      await delay(waitMs);
    }
  }
};
