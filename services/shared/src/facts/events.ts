import { categoryOfStream } from '../eventing/decider.ts';
import type { Ev } from '../eventing/message.ts';
import type { Fields } from '../filter/fields.ts';
import { defineReadModel, type ReadModel } from '../postgres/read-model.ts';
import type { FactReader, OpenFactReader } from './fact-reader.ts';

/** Where a public fact is recorded, and what it is found by. What it says its stream says. */
export type IndexedFact = Readonly<{
  stream: string;
  eventId: string;
  type: string;
  resourceType: string;
  resourceId: string;
  accountIds: readonly string[];
  correlationId: string;
  /** In milliseconds, which the store does not tell again where a stream is read. */
  recordTime: string;
}>;

type Column = 'type' | 'resource_type' | 'resource_id' | 'account_ids' | 'correlation_id' | 'record_time';

export type Events = ReadModel<Ev<'Fact', IndexedFact>, IndexedFact, Column>;

/** What facts may be filtered by. */
export const eventFields: Fields<Column> = {
  type: { column: 'type', type: 'text' },
  resource_type: { column: 'resource_type', type: 'text' },
  resource_id: { column: 'resource_id', type: 'text' },
  account_ids: { column: 'account_ids', type: 'list' },
  correlation_id: { column: 'correlation_id', type: 'text' },
  record_time: { column: 'record_time', type: 'time' },
};

/** By stream category. */
export type PublicFacts = Readonly<Record<string, OpenFactReader>>;

export const prefixesOf = (facts: PublicFacts): readonly string[] =>
  Object.keys(facts).map((category) => `${category}-`);

/** One reader for all categories, each of which remembers so many streams. */
export const readerOf = (facts: PublicFacts, rememberedStreams?: number): FactReader => {
  const readers = new Map(Object.entries(facts).map(([category, open]) => [category, open(rememberedStreams)]));
  return async (event) => readers.get(categoryOfStream(event.stream))?.(event) ?? null;
};

const DIGITS = 20;

/** Keys of the index are positions, so that its order is that of the log. */
export const eventKey = (position: bigint): string => String(position).padStart(DIGITS, '0');

/** All public facts of a service, by position. */
export const eventsReadModel = (prefixes: readonly string[], read: FactReader): Events =>
  defineReadModel<Ev<'Fact', IndexedFact>, IndexedFact, Column>({
    name: 'events',
    version: 1,
    prefixes,
    decode: async (stored) => {
      const fact = await read(stored);
      if (!fact) return null;
      const { data: _, type: __, ...meta } = stored;
      const data = {
        ...{ stream: stored.stream, eventId: stored.id, recordTime: stored.recordedAt },
        ...{ type: fact.type, resourceType: fact.resourceType, resourceId: fact.resourceId },
        accountIds: fact.audience,
        correlationId: stored.metadata['$correlationId'] ?? '',
      };
      return { type: 'Fact', data, meta };
    },
    key: ({ meta }) => eventKey(meta.position),
    initial: {
      ...{ stream: '', eventId: '', recordTime: '', type: '', resourceType: '', resourceId: '' },
      ...{ accountIds: [], correlationId: '' },
    },
    evolve: (_, { data }) => data,
    columns: {
      type: { type: 'text', of: ({ type }) => type },
      resource_type: { type: 'text', of: ({ resourceType }) => resourceType },
      resource_id: { type: 'text', of: ({ resourceId }) => resourceId, indexed: true },
      account_ids: { type: 'text[]', of: ({ accountIds }) => accountIds, indexed: true },
      correlation_id: { type: 'text', of: ({ correlationId }) => correlationId, indexed: true },
      record_time: { type: 'timestamptz', of: ({ recordTime }) => recordTime },
    },
  });
