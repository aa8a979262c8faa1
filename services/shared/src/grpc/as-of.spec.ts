import { expect, test } from 'vitest';
import { momentReader } from './as-of.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const read = momentReader({ store: { tail: async () => 42n }, clock: { now: () => now } });
const at = (date: Date, extraNanos = 0) => {
  const ms = date.getTime();
  return { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 + extraNanos };
};
const ofTime = (value: ReturnType<typeof at>) => read({ moment: { $case: 'time', value } });
const ofPosition = (value: bigint) => read({ moment: { $case: 'position', value } });
const refusedFor = (field: string) => ({ reason: 'INVALID_ARGUMENT', violations: [{ field }] });

test('a moment is a position or a time that has passed, and none is now', async () => {
  expect(await read(undefined)).toBeNull();
  expect(await ofPosition(42n)).toEqual({ position: 42n });
  expect(await ofPosition(0n)).toEqual({ position: 0n });
  expect(await ofTime(at(now))).toEqual({ time: now.toISOString() });
  expect(await ofTime(at(now, 999_999))).toEqual({ time: now.toISOString() });
});

test('what has not come yet, or is none, is refused by its field', async () => {
  await expect(ofPosition(43n)).rejects.toMatchObject(refusedFor('as_of.position'));
  await expect(ofTime(at(new Date(now.getTime() + 1)))).rejects.toMatchObject(refusedFor('as_of.time'));
  await expect(ofTime({ seconds: -1n, nanos: 0 })).rejects.toMatchObject(refusedFor('as_of.time'));
  await expect(ofTime({ seconds: 1n << 60n, nanos: 0 })).rejects.toMatchObject(refusedFor('as_of.time'));
  await expect(read({ moment: undefined })).rejects.toMatchObject(refusedFor('as_of'));
});
