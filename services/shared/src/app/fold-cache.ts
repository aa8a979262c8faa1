import type { Folded } from './fold.ts';
import { LRUCache } from './lru-cache.ts';

/** What a process remembers of streams, for all its repositories together. */
export type FoldCache = LRUCache<string, Folded<unknown>>;

/** Some 256 bytes each: together a third of the heap that a service has. */
const CAPACITY = 1 << 20;
const STATE_WEIGHT = 32;
const YOUNG = 256;

/** Of a young stream most is the requests that it remembers; the state of an old one, a ledger's, may grow with its events. */
const weigh = ({ requests, revision }: Folded<unknown>): number =>
  STATE_WEIGHT + requests.recent.length + Math.max(0, Number(revision ?? 0n) - YOUNG);

export const foldCache = (capacity = CAPACITY): FoldCache => new LRUCache(capacity, weigh);
