import {
  ANY,
  type AppendStreamState,
  type EventData,
  NO_STREAM,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, errorOf, idsOf, newEvent, newEvents, newStream, positionOf, revisionsOf } from './support/events.ts';
import { openTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());

/** The client appends over BatchAppend, but over Append when the call has credentials of its own. */
const paths = [
  { path: 'BatchAppend', options: {} },
  { path: 'Append', options: { credentials: { username: 'admin', password: 'changeit' } } },
];

describe.each(paths)('append decisions over $path', ({ options }) => {
  const append = (stream: string, events: EventData | EventData[], streamState: AppendStreamState) =>
    target.client.appendToStream(stream, events, { streamState, ...options });
  const read = (stream: string) => collect(target.client.readStream(stream));

  const expectWrongVersion = async (
    appending: Promise<unknown>,
    fields: { streamName: string; expectedState: AppendStreamState; actualState: AppendStreamState },
  ) => {
    const error = await errorOf(appending);
    expect(error).toBeInstanceOf(WrongExpectedVersionError);
    expect(error).toMatchObject(fields);
  };

  it.each([ANY, NO_STREAM, STREAM_EXISTS, 0n] as const)(
    'row 1: refuses a tombstoned stream, expecting %s',
    async (state) => {
      const stream = newStream();
      await append(stream, newEvent(), NO_STREAM);
      await target.client.tombstoneStream(stream);
      const error = await errorOf(append(stream, newEvent(), state));
      expect(error).toBeInstanceOf(StreamDeletedError);
      expect(error).toMatchObject({ streamName: stream });
    },
  );

  it.each([ANY, NO_STREAM] as const)('row 2: creates a new stream, expecting %s', async (state) => {
    const stream = newStream();
    const result = await append(stream, newEvents(2), state);
    expect(result).toMatchObject({ success: true, nextExpectedRevision: 1n });
    const events = await read(stream);
    expect(revisionsOf(events)).toEqual([0, 1]);
    expect(result.position?.commit).toBe(positionOf(events[1] ?? expect.fail()));
  });

  it.each([STREAM_EXISTS, 0n, 7n] as const)('row 3: refuses a new stream, expecting %s', async (state) => {
    const stream = newStream();
    await expectWrongVersion(append(stream, newEvent(), state), {
      streamName: stream,
      expectedState: state,
      actualState: NO_STREAM,
    });
    expect(await errorOf(read(stream))).toBeInstanceOf(StreamNotFoundError);
  });

  it('row 4: a soft-deleted stream does not exist', async () => {
    const stream = newStream();
    await append(stream, newEvents(3), NO_STREAM);
    await target.client.deleteStream(stream);
    await expectWrongVersion(append(stream, newEvent(), STREAM_EXISTS), {
      streamName: stream,
      expectedState: STREAM_EXISTS,
      actualState: 2n,
    });
  });

  it('row 5: a stream with nothing but metadata exists', async () => {
    const stream = newStream();
    await target.client.setStreamMetadata(stream, { maxCount: 10 });
    expect(await append(stream, newEvent(), STREAM_EXISTS)).toMatchObject({ nextExpectedRevision: 0n });
  });

  it.each([ANY, STREAM_EXISTS] as const)('row 6: an unknown first id writes all, expecting %s', async (state) => {
    const stream = newStream();
    const [first, second] = [newEvent(), newEvent()];
    await append(stream, first, NO_STREAM);
    expect(await append(stream, [second, first], state)).toMatchObject({ nextExpectedRevision: 2n });
    expect(idsOf(await read(stream))).toEqual([first.id, second.id, first.id]);
  });

  it.each([ANY, STREAM_EXISTS] as const)(
    'row 7: a known first id with an unknown one is refused, expecting %s',
    async (state) => {
      const stream = newStream();
      const [first, second] = [newEvent(), newEvent()];
      await append(stream, first, NO_STREAM);
      await expectWrongVersion(append(stream, [first, second], state), {
        streamName: stream,
        expectedState: state,
        actualState: 0n,
      });
      expect(idsOf(await read(stream))).toEqual([first.id]);
    },
  );

  it.each([ANY, STREAM_EXISTS] as const)('row 8: known ids are a repetition, expecting %s', async (state) => {
    const stream = newStream();
    const [first, second, third] = [newEvent(), newEvent(), newEvent()];
    const original = await append(stream, [first, second, third], NO_STREAM);
    const repeated = await append(stream, [first, second, third], state);
    expect(repeated).toEqual(original);
    expect(await append(stream, [third, second], state)).toMatchObject({ nextExpectedRevision: 1n });
    expect(await read(stream)).toHaveLength(3);
  });

  it('row 9: the exact last revision appends, also an id that is there already', async () => {
    const stream = newStream();
    const first = newEvent();
    await append(stream, first, NO_STREAM);
    expect(await append(stream, first, 0n)).toMatchObject({ nextExpectedRevision: 1n });
    expect(idsOf(await read(stream))).toEqual([first.id, first.id]);
  });

  it('row 10: a revision beyond the end is refused', async () => {
    const stream = newStream();
    await append(stream, newEvents(2), NO_STREAM);
    await expectWrongVersion(append(stream, newEvent(), 2n), {
      streamName: stream,
      expectedState: 2n,
      actualState: 1n,
    });
  });

  it('row 11: the same events at an earlier revision are a repetition', async () => {
    const stream = newStream();
    const events = newEvents(4);
    await append(stream, events.slice(0, 2), NO_STREAM);
    const original = await append(stream, events.slice(2), 1n);
    expect(await append(stream, events.slice(2), 1n)).toEqual(original);
    expect(await append(stream, events.slice(0, 2), NO_STREAM)).toMatchObject({ nextExpectedRevision: 1n });
    expect(await append(stream, events.slice(1, 3), 0n)).toMatchObject({ nextExpectedRevision: 2n });
    expect(idsOf(await read(stream))).toEqual(events.map((event) => event.id));
  });

  it.each([NO_STREAM, 0n] as const)(
    'row 12: other events at an earlier revision are refused, expecting %s',
    async (state) => {
      const stream = newStream();
      await append(stream, newEvents(3), NO_STREAM);
      await expectWrongVersion(append(stream, newEvent(), state), {
        streamName: stream,
        expectedState: state,
        actualState: 2n,
      });
    },
  );

  it.each([NO_STREAM, ANY, 2n] as const)(
    'row 12: new events revive a soft-deleted stream, expecting %s',
    async (state) => {
      const stream = newStream();
      await append(stream, newEvents(3), NO_STREAM);
      await target.client.deleteStream(stream);
      const added = newEvents(2);
      expect(await append(stream, added, state)).toMatchObject({ nextExpectedRevision: 4n });
      const events = await read(stream);
      expect(revisionsOf(events)).toEqual([3, 4]);
      expect(idsOf(events)).toEqual(added.map((event) => event.id));
    },
  );

  it('row 13: a repetition that goes on differently is refused', async () => {
    const stream = newStream();
    const [first, second, other] = [newEvent(), newEvent(), newEvent()];
    await append(stream, first, NO_STREAM);
    await expectWrongVersion(append(stream, [first, second], NO_STREAM), {
      streamName: stream,
      expectedState: NO_STREAM,
      actualState: 0n,
    });
    await append(stream, second, 0n);
    await expectWrongVersion(append(stream, [first, other], NO_STREAM), {
      streamName: stream,
      expectedState: NO_STREAM,
      actualState: 1n,
    });
    expect(idsOf(await read(stream))).toEqual([first.id, second.id]);
  });

  it('row 13: so it is on a soft-deleted stream', async () => {
    const stream = newStream();
    const first = newEvent();
    await append(stream, first, NO_STREAM);
    await target.client.deleteStream(stream);
    await expectWrongVersion(append(stream, [first, newEvent()], NO_STREAM), {
      streamName: stream,
      expectedState: NO_STREAM,
      actualState: 0n,
    });
  });

  it('row 15: the original events of a soft-deleted stream are a repetition that leaves it deleted', async () => {
    const stream = newStream();
    const events = newEvents(2);
    await append(stream, events, NO_STREAM);
    await target.client.deleteStream(stream);
    expect(await append(stream, events, NO_STREAM)).toMatchObject({ success: true, nextExpectedRevision: 1n });
    expect(await errorOf(read(stream))).toBeInstanceOf(StreamNotFoundError);
  });

  it('takes the same id in another stream', async () => {
    const [one, two] = [newStream(), newStream()];
    const event = newEvent();
    await append(one, event, NO_STREAM);
    expect(await append(two, event, ANY)).toMatchObject({ nextExpectedRevision: 0n });
    expect(idsOf(await read(two))).toEqual([event.id]);
  });

  it('writes two equal ids of one append twice', async () => {
    const stream = newStream();
    const event = newEvent();
    expect(await append(stream, [event, event], NO_STREAM)).toMatchObject({ nextExpectedRevision: 1n });
  });

  it('lets exactly one of many racing appends win', async () => {
    const stream = newStream();
    const outcomes = await Promise.allSettled(newEvents(40).map((event) => append(stream, event, NO_STREAM)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await read(stream)).toHaveLength(1);
  });

  it('takes more than 100 appends at once on a fresh connection', async () => {
    const client = target.connect();
    const streams = Array.from({ length: 250 }, () => newStream());
    const results = await Promise.all(
      streams.map((stream) => client.appendToStream(stream, newEvent(), { streamState: NO_STREAM, ...options })),
    );
    expect(results.every((result) => result.success && result.nextExpectedRevision === 0n)).toBe(true);
  });
});
