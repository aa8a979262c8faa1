import {
  BACKWARDS,
  END,
  NO_STREAM,
  type SetStreamMetadataOptions,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, errorOf, newEvent, newEvents, newStream, revisionsOf, take } from './support/events.ts';
import { openTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());

const revisions = async (stream: string, options = {}) =>
  revisionsOf(await collect(target.client.readStream(stream, options)));

async function streamOf(count: number): Promise<string> {
  const stream = newStream();
  await target.client.appendToStream(stream, newEvents(count), { streamState: NO_STREAM });
  return stream;
}

describe('stream metadata', () => {
  it('is read back, the last one set', async () => {
    const stream = newStream();
    expect((await target.client.getStreamMetadata(stream)).metadata).toBeUndefined();
    await target.client.setStreamMetadata(stream, { maxCount: 5 });
    await target.client.setStreamMetadata(stream, { maxAge: 60, owner: 'me' });
    expect((await target.client.getStreamMetadata(stream)).metadata).toEqual({ maxAge: 60, owner: 'me' });
    expect(await revisions(`$$${stream}`)).toEqual([1]);
  });

  it('is set under an expected revision of its own', async () => {
    const stream = await streamOf(3);
    // The client's type forgets this option, its code passes it on.
    const expectNone = { streamState: NO_STREAM } as SetStreamMetadataOptions;
    await target.client.setStreamMetadata(stream, { maxCount: 1 }, expectNone);
    const again = target.client.setStreamMetadata(stream, { maxCount: 2 }, expectNone);
    expect(await errorOf(again)).toBeInstanceOf(WrongExpectedVersionError);
    expect(await revisions(stream)).toEqual([2]);
  });

  it('$maxCount keeps the last events visible, as the stream grows', async () => {
    const stream = await streamOf(5);
    await target.client.setStreamMetadata(stream, { maxCount: 2 });
    expect(await revisions(stream)).toEqual([3, 4]);
    await target.client.appendToStream(stream, newEvent(), { streamState: 4n });
    expect(await revisions(stream)).toEqual([4, 5]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: END })).toEqual([5, 4]);
    expect(await revisions(stream, { fromRevision: 0n, maxCount: 1 })).toEqual([4]);
    await target.client.setStreamMetadata(stream, {});
    expect(await revisions(stream)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('$tb hides what is before it, up to the whole stream', async () => {
    const stream = await streamOf(4);
    await target.client.setStreamMetadata(stream, { truncateBefore: 3 });
    expect(await revisions(stream)).toEqual([3]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: 2n })).toEqual([]);
    await target.client.setStreamMetadata(stream, { truncateBefore: 10 });
    expect(await revisions(stream)).toEqual([]);
    expect(await target.client.appendToStream(stream, newEvent(), { streamState: 3n })).toMatchObject({
      nextExpectedRevision: 4n,
    });
  });

  it('the stricter of $tb and $maxCount counts', async () => {
    const stream = await streamOf(6);
    await target.client.setStreamMetadata(stream, { truncateBefore: 2, maxCount: 3 });
    expect(await revisions(stream)).toEqual([3, 4, 5]);
    await target.client.setStreamMetadata(stream, { truncateBefore: 5, maxCount: 3 });
    expect(await revisions(stream)).toEqual([5]);
  });

  it('$maxAge hides events once they are old, at the time of the read', async () => {
    const stream = await streamOf(2);
    await target.client.setStreamMetadata(stream, { maxAge: 3600 });
    expect(await revisions(stream)).toEqual([0, 1]);
    await target.client.setStreamMetadata(stream, { maxAge: 1 });
    await expect.poll(() => revisions(stream), { timeout: 10_000, interval: 100 }).toEqual([]);
    await target.client.appendToStream(stream, newEvent(), { streamState: 1n });
    expect(await revisions(stream)).toContain(2);
  });

  it('bounds a subscription to the visible events', async () => {
    const stream = await streamOf(5);
    await target.client.setStreamMetadata(stream, { maxCount: 2 });
    const subscription = target.client.subscribeToStream(stream);
    expect(revisionsOf(await take(subscription, 2))).toEqual([3, 4]);
    await subscription.unsubscribe();
  });

  it('written to a soft-deleted stream brings the stream back, empty', async () => {
    const stream = await streamOf(2);
    await target.client.deleteStream(stream);
    await target.client.setStreamMetadata(stream, { maxCount: 7 });
    expect(await revisions(stream)).toEqual([]);
    expect((await target.client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 7, truncateBefore: 2 });
  });
});
