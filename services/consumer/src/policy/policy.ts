import type { Condition } from './conditions.ts';

/** Patterns, any of which is meant; or anything but them. */
export type Selection = Readonly<{ patterns: readonly string[]; isNegated: boolean }>;

export type Statement = Readonly<{
  effect: 'Allow' | 'Deny';
  actions: Selection;
  resources: Selection;
  /** Null: whoever asks. */
  principals: readonly string[] | null;
  /** All of them must hold. */
  conditions: readonly Condition[];
}>;

/** A policy in RAM policy language. */
export type Policy = readonly Statement[];

export type PolicyFault = Readonly<{
  /** JSON path, `policy.Statement[0].Effect`. */
  path: string;
  description: string;
}>;
