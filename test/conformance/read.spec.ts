import {
  BACKWARDS,
  binaryEvent,
  END,
  eventTypeFilter,
  FORWARDS,
  jsonEvent,
  NO_STREAM,
  StreamNotFoundError,
  streamNameFilter,
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

describe('reading a stream', () => {
  let stream: string;
  beforeAll(async () => {
    stream = newStream();
    await target.client.appendToStream(stream, newEvents(600), { streamState: NO_STREAM });
  });
  const numbers = (from: number, to: number): number[] =>
    Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => (from <= to ? from + i : from - i));

  // The client turns every read from the end backwards and every read from the start forwards.
  it.each([
    { options: {}, revisions: numbers(0, 599) },
    { options: { maxCount: 3 }, revisions: [0, 1, 2] },
    { options: { fromRevision: 5n, maxCount: 2 }, revisions: [5, 6] },
    { options: { fromRevision: 598n }, revisions: [598, 599] },
    { options: { fromRevision: 600n }, revisions: [] },
    { options: { direction: BACKWARDS, fromRevision: END }, revisions: numbers(599, 0) },
    { options: { direction: BACKWARDS, fromRevision: END, maxCount: 1 }, revisions: [599] },
    { options: { direction: BACKWARDS, fromRevision: 4n }, revisions: [4, 3, 2, 1, 0] },
    { options: { direction: BACKWARDS, fromRevision: 10_000n, maxCount: 2 }, revisions: [599, 598] },
  ] as const)('reads inclusively with $options', async ({ options, revisions }) => {
    expect(revisionsOf(await collect(target.client.readStream(stream, options)))).toEqual(revisions);
  });

  it('gives a typed error for a stream that never was', async () => {
    const absent = newStream();
    const error = await errorOf(collect(target.client.readStream(absent)));
    expect(error).toBeInstanceOf(StreamNotFoundError);
    expect(error).toMatchObject({ streamName: absent });
  });

  it('brings back what was written', async () => {
    const name = newStream('conformance-üñí');
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const before = Date.now();
    await target.client.appendToStream(name, [
      jsonEvent({ type: 'Ünïcode', data: { text: 'żółw 🐢', list: [1, null] }, metadata: { by: 'me' } }),
      binaryEvent({ type: 'Binary', data: bytes, metadata: Uint8Array.of(0, 255, 7) }),
      jsonEvent({ type: 'Empty', data: {} }),
    ]);
    const [json, binary, empty] = (await collect(target.client.readStream(name))).map(recorded);
    expect(json).toMatchObject({ streamId: name, type: 'Ünïcode', isJson: true, metadata: { by: 'me' } });
    expect(json?.data).toEqual({ text: 'żółw 🐢', list: [1, null] });
    expect(binary).toMatchObject({ type: 'Binary', isJson: false });
    expect(Buffer.from(binary?.data as Uint8Array)).toEqual(Buffer.from(bytes));
    expect(Buffer.from(binary?.metadata as Uint8Array)).toEqual(Buffer.of(0, 255, 7));
    expect(empty?.metadata).toBeUndefined();
    expect(Math.abs((json?.created.getTime() ?? 0) - before)).toBeLessThan(60_000);
  });
});

describe('reading $all', () => {
  const prefix = newStream('conformanceAll');
  const written: string[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 30; i++) {
      const event = newEvent(i % 3 === 0 ? `${prefix}-third` : 'Other');
      await target.client.appendToStream(`${prefix}-${i % 4}`, event);
      written.push(event.id);
    }
  });
  const filter = streamNameFilter({ prefixes: [prefix] });

  it('keeps the order in which events were acknowledged, with rising positions', async () => {
    const events = await readByPrefix(target.client, prefix);
    expect(idsOf(events)).toEqual(written);
    const positions = events.map(positionOf);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
    expect(events.every((event) => recorded(event).position?.prepare === positionOf(event))).toBe(true);
  });

  it('reads forwards from a position, that event included', async () => {
    const events = await readByPrefix(target.client, prefix);
    const at = recorded(events[10] ?? expect.fail()).position ?? expect.fail();
    const rest = await collect(target.client.readAll({ filter, fromPosition: at, maxCount: 5 }));
    expect(idsOf(rest)).toEqual(written.slice(10, 15));
  });

  it('reads backwards from the end, and from a position the events before it', async () => {
    const options = { direction: BACKWARDS, filter } as const;
    const all = await collect(target.client.readAll({ ...options, fromPosition: END }));
    expect(idsOf(all)).toEqual(written.toReversed());
    const at = recorded(all[4] ?? expect.fail()).position ?? expect.fail();
    const rest = await collect(target.client.readAll({ ...options, fromPosition: at, maxCount: 3 }));
    expect(idsOf(rest)).toEqual(written.toReversed().slice(5, 8));
  });

  it('reads without filter the same order both ways', async () => {
    const start = recorded((await readByPrefix(target.client, prefix))[0] ?? expect.fail()).position ?? expect.fail();
    const up = await collect(target.client.readAll({ fromPosition: start, direction: FORWARDS }));
    const end = recorded(up.at(-1) ?? expect.fail()).position ?? expect.fail();
    const down = target.client.readAll({ direction: BACKWARDS, fromPosition: end, maxCount: up.length - 1 });
    expect(idsOf(up).filter((id) => written.includes(id))).toEqual(written);
    expect(idsOf(await collect(down))).toEqual(idsOf(up).slice(0, -1).toReversed());
  });

  it.each([
    {
      name: 'stream prefix',
      by: streamNameFilter({ prefixes: [`${prefix}-1`, `${prefix}-3`] }),
      keep: (i: number) => i % 2 === 1,
    },
    { name: 'stream regex', by: streamNameFilter({ regex: `^${prefix}-[02]$` }), keep: (i: number) => i % 2 === 0 },
    { name: 'type prefix', by: eventTypeFilter({ prefixes: [`${prefix}-th`] }), keep: (i: number) => i % 3 === 0 },
    { name: 'type regex', by: eventTypeFilter({ regex: `^${prefix}-.*d$` }), keep: (i: number) => i % 3 === 0 },
  ])('filters by $name', async ({ by, keep }) => {
    const events = await collect(target.client.readAll({ filter: by }));
    expect(idsOf(events)).toEqual(written.filter((_, i) => keep(i)));
  });

  it('counts only matching events towards maxCount', async () => {
    const by = eventTypeFilter({ prefixes: [`${prefix}-third`] });
    expect(await collect(target.client.readAll({ filter: by, maxCount: 4 }))).toHaveLength(4);
  });

  it('is empty where nothing matches', async () => {
    const nothing = streamNameFilter({ prefixes: [newStream('conformanceNothing')] });
    expect(await collect(target.client.readAll({ filter: nothing }))).toEqual([]);
    const backwards = target.client.readAll({ filter: nothing, direction: BACKWARDS, fromPosition: END });
    expect(await collect(backwards)).toEqual([]);
  });
});
