import { setTimeout } from 'node:timers/promises';
import { StillWaiting } from './failures.ts';

export type Progress = Readonly<{
  /** Something has come about: the whole line. */
  done: (line: string) => void;
  /** What is waited for now; empty when nothing is. */
  waiting: (line: string) => void;
}>;

export type Patience = Readonly<{ progress: Progress; deadline: number; pollMs: number }>;

/**
 * Asks until it is so, and says meanwhile what it is.
 *
 * @param look true when it is so, else what is instead
 * @throws StillWaiting after the deadline
 */
export const until = async (
  what: string,
  { progress, deadline, pollMs }: Patience,
  look: () => Promise<string | true>,
): Promise<void> => {
  for (;;) {
    const seen = await look();
    if (seen === true) return progress.waiting('');
    progress.waiting(`${what} ${seen}`);
    if (Date.now() > deadline)
      throw new StillWaiting(`${what} is still ${seen}: wait longer (--wait), or look again later`);
    await setTimeout(pollMs);
  }
};
