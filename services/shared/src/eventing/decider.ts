import type { AnyCommand, AnyEvent } from './message.ts';

/**
 * The rules of one aggregate, pure: no clock, ids, environment, client or logger.
 *
 * `decide` is idempotent: the same command against the state that it produced returns no events. It throws
 * `Rejected` for an expected no. `evolve` never throws and never validates. State is JSON, so that it can be
 * kept in a snapshot and in a read model.
 */
export type Decider<C extends AnyCommand, E extends AnyEvent, S> = Readonly<{
  /** lowerCamel, without a dash: what precedes the first dash of a stream's name. */
  category: string;
  initial: S;
  evolve: (state: S, event: E) => S;
  /** @param now ISO 8601, UTC */
  decide: (command: C, state: S, now: string) => readonly E[];
}>;

export const evolveAll = <C extends AnyCommand, E extends AnyEvent, S>(
  decider: Pick<Decider<C, E, S>, 'evolve'>,
  state: S,
  events: readonly E[],
): S => events.reduce(decider.evolve, state);

export const streamName = (category: string, id: string): string => `${category}-${id}`;

export const idOfStream = (stream: string): string => stream.slice(stream.indexOf('-') + 1);

export const categoryOfStream = (stream: string): string => stream.slice(0, stream.indexOf('-'));
