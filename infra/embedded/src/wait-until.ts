import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until the answer is yes; an aborted signal ends the asking with its reason. */
export async function waitUntil(answer: () => Promise<boolean>, signal: AbortSignal, everyMs = 50): Promise<void> {
  while (!(await answer())) await delay(everyMs, undefined, { signal });
  signal.throwIfAborted();
}
