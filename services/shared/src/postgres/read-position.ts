import type { Clock } from '../eventing/ports.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { Db } from './connect.ts';
import type { RowTable } from './row-table.ts';
import { waitUntilReached } from './wait-until-reached.ts';

type Named = Pick<RowTable<never>, 'table'>;
type Listener = (position: bigint) => void;

const listeners = new WeakMap<object, Set<Listener>>();

/** Calls back after each commit of this process to the read model; ends with the returned function. */
export const onCommitted = (readModel: Named, listener: Listener): (() => void) => {
  const held = listeners.get(readModel) ?? new Set();
  listeners.set(readModel, held.add(listener));
  return () => held.delete(listener);
};

export const committed = (readModel: Named, position: bigint): void => {
  for (const listener of listeners.get(readModel) ?? []) listener(position);
};

/** Position up to which the read model is complete; null before it has begun. */
export const readPosition = (db: Db, readModel: Named): Promise<bigint | null> => readCheckpoint(db, readModel.table);

/**
 * Waits until a read model shows everything up to a position.
 *
 * @param deadline epoch milliseconds
 * @throws Unavailable READ_MODEL_BEHIND when it does not get there in time
 */
export const waitForPosition = async ({
  db,
  readModel,
  ...wanted
}: Readonly<{ db: Db; readModel: Named; position: bigint; deadline: number; clock: Clock }>): Promise<void> => {
  let woken = new AbortController();
  // Only a hint that wakes us early: other replicas commit as well, and only the table tells.
  const stop = onCommitted(readModel, () => woken.abort());
  const wake = () => {
    woken = new AbortController();
    return woken.signal;
  };
  try {
    await waitUntilReached({ ...wanted, name: readModel.table, reached: () => readPosition(db, readModel), wake });
  } finally {
    stop();
  }
};
