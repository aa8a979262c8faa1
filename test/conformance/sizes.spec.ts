import { randomBytes } from 'node:crypto';
import {
  binaryEvent,
  DeadlineExceededError,
  MaxAppendSizeExceededError,
  NO_STREAM,
  StreamNotFoundError,
} from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, errorOf, idsOf, newEvent, newEvents, newStream, recorded } from './support/events.ts';
import { openTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());

const kilobyte = 1024;
const binary = (bytes: number) => binaryEvent({ type: 'Binary', data: randomBytes(bytes) });

describe('sizes', () => {
  it('brings back a large event unchanged', async () => {
    const stream = newStream();
    const data = randomBytes(900 * kilobyte);
    await target.client.appendToStream(stream, binaryEvent({ type: 'Large', data }));
    const [event] = await collect(target.client.readStream(stream));
    expect(data.equals(recorded(event ?? expect.fail()).data as Uint8Array)).toBe(true);
  });

  it('writes an append that arrives in fragments as one', async () => {
    const stream = newStream();
    const events = newEvents(80);
    const result = await target.client.appendToStream(stream, events, {
      streamState: NO_STREAM,
      batchAppendSize: kilobyte,
    });
    expect(result.nextExpectedRevision).toBe(79n);
    expect(idsOf(await collect(target.client.readStream(stream)))).toEqual(events.map((event) => event.id));
  });

  it('refuses an oversize append with a typed error, leaves nothing, and the connection goes on', async () => {
    const stream = newStream();
    // Larger than any default limit of a KurrentDB version.
    const events = Array.from({ length: 36 }, () => binary(500 * kilobyte));
    const [error, beside] = await Promise.all([
      errorOf(target.client.appendToStream(stream, events)),
      target.client.appendToStream(newStream(), newEvent()),
    ]);
    expect(error).toBeInstanceOf(MaxAppendSizeExceededError);
    expect((error as MaxAppendSizeExceededError).maxAppendSize).toBeGreaterThan(0);
    expect(beside.success).toBe(true);
    expect(await errorOf(collect(target.client.readStream(stream)))).toBeInstanceOf(StreamNotFoundError);
    expect((await target.client.appendToStream(stream, newEvent())).nextExpectedRevision).toBe(0n);
  });

  it('does not write an append whose deadline has passed', async () => {
    const stream = newStream();
    const late = target.client.appendToStream(stream, newEvent(), { deadline: -5_000 });
    expect(await errorOf(late)).toBeInstanceOf(DeadlineExceededError);
    expect(await errorOf(collect(target.client.readStream(stream)))).toBeInstanceOf(StreamNotFoundError);
  });
});
