import { Unavailable } from '../app/errors.ts';
import type { Clock } from '../eventing/ports.ts';

type Wanted = Readonly<{
  name: string;
  reached: () => Promise<bigint | null>;
  position: bigint;
  /** Epoch milliseconds. */
  deadline: number;
  clock: Clock;
  /** Asked before each look; aborts when it is worth to look again at once. */
  wake?: () => AbortSignal;
}>;

const POLL_MS = 20;

/** @throws Unavailable READ_MODEL_BEHIND when the position is not reached in time */
export const waitUntilReached = async ({ name, reached, position, deadline, clock, wake }: Wanted): Promise<void> => {
  for (;;) {
    const woken = wake?.();
    const at = await reached();
    if (at !== null && at >= position) return;
    if (clock.now().getTime() >= deadline) {
      throw new Unavailable('READ_MODEL_BEHIND', `${name} is at ${at ?? 'its start'}, not yet at ${position}`);
    }
    await clock.sleep(POLL_MS, woken);
  }
};
