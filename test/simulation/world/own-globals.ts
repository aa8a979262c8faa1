import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** While `run` runs, what the code under simulation takes from the process itself follows from the seed too. */
export const owningGlobals = async <T>(timeline: Timeline, random: Random, run: () => Promise<T>): Promise<T> => {
  const { randomUUID } = crypto;
  const { now } = Date;
  const { random: randomNumber } = Math;
  const hex = (digits: number): string => Array.from({ length: digits }, () => random.int(16).toString(16)).join('');
  crypto.randomUUID = () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  Date.now = timeline.now;
  Math.random = random.next;
  syncBuiltinESMExports();
  try {
    return await run();
  } finally {
    crypto.randomUUID = randomUUID;
    Date.now = now;
    Math.random = randomNumber;
    syncBuiltinESMExports();
  }
};
