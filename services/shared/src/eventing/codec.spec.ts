import { expect, test } from 'vitest';
import { defineCodec, isSnapshot, snapshotType, UnknownEvent } from './codec.ts';
import type { Ev, StoredEvent } from './message.ts';

type Named = Ev<'Named', { name: string; language: string }>;
type Gone = Ev<'Gone', Record<string, never>>;

/** Reads what has all fields of the current version. */
const schema = {
  parse: (input: unknown) => {
    const { name, language } = input as Record<string, unknown>;
    if (typeof name !== 'string' || typeof language !== 'string') throw new Error('not a name');
    return { name, language };
  },
};

const codec = defineCodec<Named | Gone>({
  category: 'thing',
  stateVersion: 1,
  events: {
    Named: {
      version: 3,
      schema,
      upcast: {
        1: ({ title, ...rest }) => ({ ...rest, name: title }),
        2: (old) => ({ ...old, language: 'en' }),
      },
    },
    Gone: { version: 2, schema: { parse: () => ({}) } },
  },
});

const stored = (type: string, data: unknown = {}): StoredEvent => ({
  id: 'id',
  type,
  data,
  metadata: { actor: 'user:alice' },
  stream: 'thing-1',
  revision: 7n,
  position: 70n,
  recordedAt: '2026-01-01T00:00:00.000Z',
});

test('writes the current version under its name', () => {
  const data = { name: 'a', language: 'de' };
  expect(codec.encode({ type: 'Named', data })).toEqual({ type: 'Named.v3', data });
});

test('brings older versions up step by step', () => {
  const current = { name: 'a', language: 'en' };
  expect(codec.decode(stored('Named.v1', { title: 'a' })).data).toEqual(current);
  expect(codec.decode(stored('Named.v2', { name: 'a' })).data).toEqual(current);
  expect(codec.decode(stored('Named.v3', { name: 'a', language: 'de' })).data).toEqual({ name: 'a', language: 'de' });
});

test('tells where and when an event was recorded', () => {
  const { type, data, ...meta } = stored('Gone.v2');
  expect(codec.decode({ type, data, ...meta })).toEqual({ type: 'Gone', data: {}, meta });
});

test.each([
  'Other.v1',
  'Named',
  'Named.v',
  'Named.v0',
  'Named.v4',
  'Named.v1.5',
  'Named.v-1',
  'Named.vx',
  'Named.v2.v2',
  'named.v1',
  'constructor.v1',
  '',
  // Nobody says how version 1 became version 2.
  'Gone.v1',
])('does not know %j, and names it', (type) => {
  expect(() => codec.decode(stored(type))).toThrow(UnknownEvent);
  expect(() => codec.decode(stored(type))).toThrow(`cannot read event type ${type} at thing-1@7`);
});

test('refuses data that its schema does not read', () => {
  expect(() => codec.decode(stored('Named.v3', { name: 'a' }))).toThrow('not a name');
});

test('knows a snapshot from an event', () => {
  expect(snapshotType('thing', 2)).toBe('thing.snapshot.v2');
  expect(isSnapshot(snapshotType('thing', 2))).toBe(true);
  expect(isSnapshot('SnapshotTaken.v1')).toBe(false);
});
