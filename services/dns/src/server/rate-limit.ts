import { isIPv6 } from 'node:net';

/** How often one source (an IPv4 /24 or IPv6 /56) may be answered over UDP. */
export type RateLimitSettings = {
  responsesPerSecond: number;
  /** Responses a source that was quiet may get at once (default: one second's worth). */
  burst?: number;
  /** Every how many-th query over the limit is answered empty with TC instead of dropped (default 2; 0: none). */
  slip?: number;
};

export type Verdict = 'answer' | 'slip' | 'drop';

/** Judges a query from an address at a time in milliseconds that never goes back. */
export type RateLimit = (address: string, now: number) => Verdict;

type Bucket = { tokens: number; at: number; over: number };

const defaultSlip = 2;
/** Sources are forgotten, the longest unseen first, beyond this: spoofed addresses must not fill the memory. */
const maxSources = 65_536;

export function createRateLimit(settings: RateLimitSettings): RateLimit {
  const { responsesPerSecond, burst = responsesPerSecond, slip = defaultSlip } = settings;
  const buckets = new Map<string, Bucket>();

  return (address, now) => {
    const source = sourcePrefix(address);
    const bucket = buckets.get(source) ?? { tokens: burst, at: now, over: 0 };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * responsesPerSecond);
    bucket.at = now;
    buckets.delete(source);
    buckets.set(source, bucket);
    if (buckets.size > maxSources) forgetOldest(buckets);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 'answer';
    }
    bucket.over += 1;
    return slip > 0 && bucket.over % slip === 0 ? 'slip' : 'drop';
  };
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  for (const source of buckets.keys()) {
    buckets.delete(source);
    return;
  }
}

/** The network an address counts for: its /24, or its /56 for IPv6. */
export function sourcePrefix(address: string): string {
  const mapped = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(mapped)) return mapped.slice(0, mapped.lastIndexOf('.'));
  const [head = '', tail] = mapped.replace(/%.*/, '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : new Array<string>(8 - front.length - back.length).fill('0');
  const [a, b, c, d = '0'] = [...front, ...zeros, ...back].map((group) => Number.parseInt(group, 16));
  return [a, b, c, Number(d) & 0xff00].map((group) => Number(group).toString(16)).join(':');
}
