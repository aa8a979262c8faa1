import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Db } from '@privatelink/shared/postgres/connect';
import type { Logger } from 'pino';
import { type FactLog, readFactLog } from '../read-models/facts.ts';

const LOOK_EVERY_MS = 250;

type Waiting = Readonly<{ signal: AbortSignal; withinMs: number }>;

/** The end of the log of facts, looked at once for all who wait for more, whichever replica takes them in. */
export type FactTail = Readonly<{
  look: () => Promise<FactLog>;
  /** The last place once it is beyond this one; also when that takes too long, or the signal aborts. */
  beyond: (place: bigint, waiting: Waiting) => Promise<bigint>;
}>;

export const factTail = ({ db, clock, log }: Readonly<{ db: Db; clock: Clock; log: Logger }>): FactTail => {
  let looking: Promise<FactLog> | null = null;

  const lookSoon = (): Promise<FactLog> => {
    looking ??= clock
      .sleep(LOOK_EVERY_MS)
      .then(() => readFactLog(db))
      .finally(() => {
        looking = null;
      });
    return looking;
  };

  return {
    look: () => readFactLog(db),
    beyond: async (place, { signal, withinMs }) => {
      const giveUpAt = clock.now().getTime() + withinMs;
      let { last } = await readFactLog(db);
      while (last <= place && !signal.aborted && clock.now().getTime() < giveUpAt) {
        try {
          ({ last } = await lookSoon());
        } catch (err) {
          // It will be back, and the stream goes on where it was.
          log.warn({ err }, 'the log of facts cannot be read');
        }
      }
      return last;
    },
  };
};
