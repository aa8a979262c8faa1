import {
  ANY,
  BACKWARDS,
  END,
  NO_STREAM,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  collect,
  errorOf,
  idsOf,
  newEvent,
  newEvents,
  newStream,
  positionOf,
  readByPrefix,
  recorded,
  revisionsOf,
} from './support/events.ts';
import { openTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());

const read = (stream: string, options = {}) => collect(target.client.readStream(stream, options));

async function streamOf(count: number): Promise<string> {
  const stream = newStream();
  await target.client.appendToStream(stream, newEvents(count), { streamState: NO_STREAM });
  return stream;
}

describe.each(['deleteStream', 'tombstoneStream'] as const)('%s', (remove) => {
  it.each([ANY, 2n] as const)('removes expecting %s and reports the position', async (expectedRevision) => {
    const stream = await streamOf(3);
    const before = positionOf((await read(stream)).at(-1) ?? expect.fail());
    const { position } = await target.client[remove](stream, { expectedRevision });
    expect(position?.commit).toBeGreaterThan(before);
  });

  it.each([
    { expectedRevision: 1n, actual: 2n },
    { expectedRevision: 9n, actual: 2n },
    { expectedRevision: NO_STREAM, actual: 2n },
  ] as const)('refuses the wrong revision $expectedRevision', async ({ expectedRevision, actual }) => {
    const stream = await streamOf(3);
    const error = await errorOf(target.client[remove](stream, { expectedRevision }));
    expect(error).toBeInstanceOf(WrongExpectedVersionError);
    expect(error).toMatchObject({ streamName: stream, actualState: actual });
    expect(await read(stream)).toHaveLength(3);
  });

  it('takes a stream that never was, expecting any', async () => {
    await expect(target.client[remove](newStream(), { expectedRevision: ANY })).resolves.toBeDefined();
  });

  it('leaves the events in $all', async () => {
    const prefix = newStream('conformanceRemoved');
    const events = newEvents(3);
    await target.client.appendToStream(prefix, events);
    await target.client[remove](prefix);
    expect(idsOf(await readByPrefix(target.client, prefix)).slice(0, 3)).toEqual(events.map((event) => event.id));
  });
});

describe('a soft-deleted stream', () => {
  it('is not found, and goes on counting when written again', async () => {
    const stream = await streamOf(3);
    await target.client.deleteStream(stream);
    for (const options of [{}, { direction: BACKWARDS, fromRevision: END }, { fromRevision: 1n }]) {
      expect(await errorOf(read(stream, options))).toBeInstanceOf(StreamNotFoundError);
    }
    await target.client.appendToStream(stream, newEvent());
    expect(revisionsOf(await read(stream))).toEqual([3]);
    expect(revisionsOf(await read(stream, { direction: BACKWARDS, fromRevision: END }))).toEqual([3]);
  });

  it('can be deleted again and revived again', async () => {
    const stream = await streamOf(1);
    for (const revision of [1, 2]) {
      await target.client.deleteStream(stream);
      await target.client.appendToStream(stream, newEvent());
      expect(revisionsOf(await read(stream))).toEqual([revision]);
    }
  });

  it('says so in its metadata, truncated where it was revived', async () => {
    const stream = await streamOf(4);
    await target.client.deleteStream(stream);
    const { metadata: deleted } = await target.client.getStreamMetadata(stream);
    expect(deleted?.truncateBefore).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    await target.client.appendToStream(stream, newEvent());
    expect((await target.client.getStreamMetadata(stream)).metadata).toMatchObject({ truncateBefore: 4 });
  });
});

describe('a tombstoned stream', () => {
  it('is deleted for reads, writes, deletes and its metadata', async () => {
    const stream = await streamOf(2);
    await target.client.tombstoneStream(stream);
    const attempts = [
      read(stream),
      read(stream, { direction: BACKWARDS, fromRevision: END }),
      target.client.appendToStream(stream, newEvent()),
      target.client.deleteStream(stream),
      target.client.tombstoneStream(stream),
      target.client.setStreamMetadata(stream, { maxCount: 1 }),
      target.client.getStreamMetadata(stream),
    ];
    for (const error of await Promise.all(attempts.map(errorOf))) expect(error).toBeInstanceOf(StreamDeletedError);
  });

  it('ends in $all with an event of its own, numbered with the largest int64', async () => {
    const stream = await streamOf(1);
    await target.client.tombstoneStream(stream);
    const last = recorded((await readByPrefix(target.client, stream)).at(-1) ?? expect.fail());
    expect(last).toMatchObject({ streamId: stream, type: '$streamDeleted', revision: 2n ** 63n - 1n });
  });

  it('can have been soft-deleted before', async () => {
    const stream = await streamOf(1);
    await target.client.deleteStream(stream);
    await target.client.tombstoneStream(stream);
    expect(await errorOf(read(stream))).toBeInstanceOf(StreamDeletedError);
  });
});
