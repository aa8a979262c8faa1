import { z } from 'zod';
import type { Transition, TransitionRow } from '../eventing/transition-table.ts';

/** ISO 8601, UTC, as `Date.toISOString` writes it. */
export const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

/** A move by one of the rows of a declared table. */
export const moveBy = <S extends string, O extends string>(table: readonly TransitionRow<S, O>[]) => {
  const statuses = new Set<string>(table.flatMap((row) => [...row.from.filter((from) => from !== null), row.to]));
  const inputs = new Set<string>(table.map((row) => row.on));
  const status = z.string().refine((value) => statuses.has(value));
  return z.object({
    from: status.nullable(),
    to: status,
    because: z.string().refine((value) => inputs.has(value)),
  }) as unknown as z.ZodType<Transition<S, O>>;
};
