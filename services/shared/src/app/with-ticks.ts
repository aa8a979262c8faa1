import type { Clock } from '../eventing/ports.ts';

/** What comes, and null each time that so much has passed since the last null. Ends with the source, or the signal. */
export async function* withTicks<T extends object>(
  source: AsyncIterable<T>,
  everyMs: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<T | null> {
  const ended = new AbortController();
  const sleeping = AbortSignal.any([signal, ended.signal]);
  const tick = () => clock.sleep(everyMs, sleeping).then(() => null);
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  let ticked = tick();
  try {
    while (!signal.aborted) {
      const came = await Promise.race([next, ticked]);
      if (came === null) {
        if (!signal.aborted) yield null;
        ticked = tick();
        continue;
      }
      if (came.done) return;
      next = iterator.next();
      yield came.value;
    }
  } finally {
    ended.abort();
    // It may wait for what never comes; and nobody hears any more how it ended.
    next.catch(() => undefined);
    void iterator.return?.().catch(() => undefined);
  }
}
