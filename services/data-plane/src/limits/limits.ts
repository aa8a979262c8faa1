import type { Bind } from '../haproxy/forward.ts';

/** How much an interface may carry in each direction, and where it accepts connections. */
export type Limit = Readonly<{ connectionId: string; mbps: number; binds: readonly Bind[] }>;

/** Keeps limits of bandwidth on this machine, whatever agents before this one have kept. Its calls do not overlap. */
export type Limits = Readonly<{
  /**
   * Makes that exactly these are kept. Idempotent; flows go on. When `hurry` aborts it leaves the rest: something is
   * to be closed at once.
   */
  apply: (limits: readonly Limit[], hurry: AbortSignal) => Promise<Unkept>;
  /** Looks whether somebody has undone it: then `apply` has something to do. */
  check: (hurry: AbortSignal) => Promise<boolean>;
}>;

/** `again`: it may be done when it is tried again soon. */
export type Unkept = Readonly<{ connectionIds: ReadonlySet<string>; again: boolean }>;
