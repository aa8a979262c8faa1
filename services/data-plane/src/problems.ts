import type { Logger } from 'pino';

/** What is not in place and why: each is said once, and once more when it is over. */
export type Problems = Readonly<{
  /** `undefined`: there is none (any more). */
  set: (connectionId: string, reason: string | undefined) => void;
  /** The problems of what does not exist any more are none. */
  retain: (connectionIds: ReadonlySet<string>) => void;
  count: () => number;
}>;

export const createProblems = (log: Logger): Problems => {
  const reasons = new Map<string, string>();
  return {
    set: (connectionId, reason) => {
      if (reasons.get(connectionId) === reason) return;
      if (reason === undefined) {
        reasons.delete(connectionId);
        log.info({ connectionId }, 'an interface is in place after all');
        return;
      }
      reasons.set(connectionId, reason);
      log.warn({ connectionId, reason }, 'an interface is not in place; it is tried again');
    },
    retain: (connectionIds) => {
      for (const connectionId of reasons.keys()) if (!connectionIds.has(connectionId)) reasons.delete(connectionId);
    },
    count: () => reasons.size,
  };
};
