/** How far a reactor has come: positions up to which every event is done with. */
export type Progress = Readonly<{
  /** Where this life begins: after the position, or before the first event (null). */
  startAfter: (position: bigint | null) => void;
  /** Position of the last event or checkpoint that was seen; null before the first. */
  seen: () => bigint | null;
  /** An event or a checkpoint has arrived; `key` is what must be looked at because of it, if anything. */
  see: (position: bigint, key: string | null) => void;
  /** All that was seen for the key is done with. */
  end: (key: string) => void;
  /** The last position that no event which is still open precedes. */
  position: () => bigint | null;
}>;

export const createProgress = (): Progress => {
  /** What was seen before the first event of each key that is not done with. */
  const open = new Map<string, bigint | null>();
  let seen: bigint | null = null;
  return {
    startAfter: (position) => {
      seen = position;
    },
    seen: () => seen,
    see: (position, key) => {
      if (key !== null && !open.has(key)) open.set(key, seen);
      seen = position;
    },
    end: (key) => void open.delete(key),
    position: () => {
      let lowest = seen;
      for (const before of open.values()) if (before === null || (lowest !== null && before < lowest)) lowest = before;
      return lowest;
    },
  };
};
