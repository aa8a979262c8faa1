/** One row of a declared state machine: in any of `from`, `on` leads to `to`. `null` is before the first event. */
export type TransitionRow<S extends string, O extends string> = Readonly<{
  from: readonly (S | null)[];
  on: O;
  to: S;
  because: string;
}>;

/** A move as it is recorded in an event: exactly one in each append that moves a status. */
export type Transition<S extends string, O extends string> = Readonly<{ from: S | null; to: S; because: O }>;

/**
 * Moves by the table, so that no code can leave it.
 *
 * @throws Error when the table has no such row: always our bug
 */
export const transitionBy =
  <S extends string, O extends string>(table: readonly TransitionRow<S, O>[]) =>
  (from: S | null, on: O, to: S): Transition<S, O> => {
    const row = table.find((candidate) => candidate.on === on && candidate.to === to && candidate.from.includes(from));
    if (!row) throw new Error(`no row in the transition table: ${from ?? '(none)'} --${on}--> ${to}`);
    return { from, to, because: on };
  };
