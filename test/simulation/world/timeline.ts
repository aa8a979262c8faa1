/** Simulated time: it stands still while anything can go on, and then jumps to what is due next. */
export type Timeline = Readonly<{
  /** Epoch milliseconds. */
  now: () => number;
  /** Calls back after `ms`; the returned function cancels it. */
  after: (ms: number, run: () => void) => () => void;
  /** Lets time pass until `end`, or until `isOver` says so. */
  runUntil: (end: number, isOver?: () => boolean) => Promise<void>;
}>;

type Timer = { at: number; order: number; run: (() => void) | null };

export const START = Date.parse('2026-01-01T00:00:00.000Z');

/** Taken before anybody replaces it. */
const { setImmediate: afterMicrotasks } = globalThis;

export const createTimeline = (): Timeline => {
  const heap: Timer[] = [];
  let now = START;
  let order = 0;
  return {
    now: () => now,
    after: (ms, run) => {
      const timer: Timer = { at: now + Math.max(0, ms), order: order++, run };
      push(heap, timer);
      return () => {
        timer.run = null;
      };
    },
    runUntil: async (end, isOver = () => false) => {
      for (;;) {
        await new Promise<void>((resolve) => afterMicrotasks(resolve));
        if (isOver()) return;
        let next = heap[0];
        while (next && next.run === null) {
          pop(heap);
          next = heap[0];
        }
        if (!next || next.at > end) break;
        pop(heap);
        now = Math.max(now, next.at);
        next.run?.();
      }
      now = Math.max(now, end);
    },
  };
};

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

const push = (heap: Timer[], timer: Timer): void => {
  let index = heap.length;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] as Timer;
    if (!isBefore(timer, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = timer;
};

const pop = (heap: Timer[]): void => {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
    if (!isBefore(heap[child] as Timer, last)) break;
    heap[index] = heap[child] as Timer;
    index = child;
  }
  heap[index] = last;
};
