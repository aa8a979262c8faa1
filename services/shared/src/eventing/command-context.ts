import type { Rehearsal } from './rehearsal.ts';

/** Who asks, for whom, and by which request. Travels as an argument. */
export type CommandContext = Readonly<{
  /** `user:<subject>` or `service:<name>`. */
  actor: string;
  /** The account on whose behalf; empty for operators and services. */
  accountId: string;
  /** `<account>/<method>/<request id>`: a repeat meets its first outcome. */
  requestId: string;
  fingerprint: string;
  correlationId: string;
  causationId: string;
  /** Epoch milliseconds after which nobody waits for the outcome. */
  deadline: number;
  /** Of what gives the command, where that is traced (W3C Trace Context). */
  traceparent?: string;
  /** Of a dry run: nothing is appended. */
  rehearsal?: Rehearsal | undefined;
}>;
