import type { Codec } from '../eventing/codec.ts';
import { isSnapshot } from '../eventing/codec.ts';
import { categoryOfStream, type Decider, idOfStream } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent } from '../eventing/message.ts';
import { defineReadModel, type ReadModel } from './read-model.ts';
import type { Column } from './row-table.ts';

/**
 * A list of aggregates whose rows are the aggregates' own folded states, so that a list shows what a read of one
 * shows, and rows without an existing resource are gone.
 */
export const aggregateReadModel = <E extends AnyEvent, S, C extends string>({
  name,
  decider,
  codec,
  exists,
  columns,
  edition = 0,
  alsoExamined = [],
}: Readonly<{
  name: string;
  decider: Pick<Decider<AnyCommand, E, S>, 'category' | 'initial' | 'evolve'>;
  codec: Codec<E>;
  exists: (state: S) => boolean;
  columns: Readonly<Record<C, Column<S>>>;
  /** Raised with every change of `exists` and `columns`. */
  edition?: number;
  /** Further stream prefixes that only move the table's position on. */
  alsoExamined?: readonly string[];
}>): ReadModel<E, S, C> =>
  defineReadModel<E, S, C>({
    name,
    version: codec.stateVersion * 1_000 + edition,
    prefixes: [`${decider.category}-`, ...alsoExamined],
    decode: (stored) =>
      isSnapshot(stored.type) || categoryOfStream(stored.stream) !== decider.category ? null : codec.decode(stored),
    key: (event) => idOfStream(event.meta.stream),
    initial: decider.initial,
    evolve: (state, event) => {
      const next = decider.evolve(state, event);
      return exists(next) ? next : null;
    },
    columns,
  });
