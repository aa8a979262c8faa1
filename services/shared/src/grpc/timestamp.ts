import type { Timestamp } from '@privatelink/proto/google/protobuf/timestamp';

/** From ISO 8601, as events keep it; nothing for an empty one. */
export const timestamp = (at: string): Timestamp | undefined => {
  if (at === '') return undefined;
  const ms = Date.parse(at);
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 };
};

const MAX_SECONDS = 253_402_300_799n;

/** To ISO 8601, to the millisecond; null for what is none before the year 10000. */
export const instantOf = ({ seconds, nanos }: Timestamp): string | null =>
  seconds >= 0n && seconds <= MAX_SECONDS && nanos >= 0 && nanos < 1_000_000_000
    ? new Date(Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000)).toISOString()
    : null;
