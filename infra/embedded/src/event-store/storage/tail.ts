import { type StoredEvent, sizeOf } from './records.ts';

export type Tail = {
  push(events: readonly StoredEvent[]): void;
  /** Events after a position, in order; undefined if some of them are no longer held here. */
  after(position: number, limit: number): StoredEvent[] | undefined;
};

const maxEvents = 4096;
const maxBytes = 16 * 1024 * 1024;

/** The events committed last, in memory: subscriptions that keep up never touch the database. */
export function createTail(head: number): Tail {
  const events: StoredEvent[] = [];
  let start = 0;
  let bytes = 0;
  /** Everything after this position is held. */
  let floor = head;

  const indexAfter = (position: number): number => {
    let [low, high] = [start, events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const event = events[middle];
      if (event !== undefined && event.position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    push(added) {
      for (const event of added) {
        events.push(event);
        bytes += sizeOf(event.stream, event);
      }
      while (events.length - start > maxEvents || bytes > maxBytes) {
        const dropped = events[start++];
        if (dropped === undefined) break;
        bytes -= sizeOf(dropped.stream, dropped);
        floor = dropped.position;
      }
      if (start > maxEvents) {
        events.splice(0, start);
        start = 0;
      }
    },
    after(position, limit) {
      if (position < floor) return undefined;
      const from = indexAfter(position);
      return events.slice(from, from + limit);
    },
  };
}
