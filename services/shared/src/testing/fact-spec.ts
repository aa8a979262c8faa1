import { readFileSync } from 'node:fs';
import { Fact } from '@privatelink/proto/events/v1/fact';
import { CloudEvent } from 'cloudevents';
import { expect, it } from 'vitest';
import { loadFolded, type Rules, snapshotOf } from '../app/fold.ts';
import { snapshotType } from '../eventing/codec.ts';
import { streamName } from '../eventing/decider.ts';
import type { AnyEvent, Metadata, StoredEvent } from '../eventing/message.ts';
import { factReader } from '../facts/fact-reader.ts';
import { type FactTranslation, kebab } from '../facts/public-fact.ts';
import { factAnnouncer } from '../nats/fact-announcements.ts';
import type { Announcement } from '../nats/publisher.ts';
import { type Producer, tenantSubjectsOf } from '../nats/subjects.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';

type Sample = Readonly<{ type: string; data: object }>;

/** A fact as it left the service once: its bytes in base64. Added to, never edited. */
export type GoldenFact = Readonly<{ type: string; subject: string; bytes: string }>;

const metadata: Metadata = {
  $correlationId: 'correlation-1',
  $causationId: 'cause-1',
  accountId: '1000000000000001',
  actor: 'user:paula',
  requestId: 'request-1',
  fingerprint: 'fingerprint',
  producer: 'sample',
};
const recordedAt = new Date('2026-01-02T03:04:05.678Z');

type Options<E extends AnyEvent, S> = Readonly<{
  rules: Rules<E, S>;
  translation: FactTranslation<S>;
  /** The aggregate's frozen samples. */
  samples: URL;
  golden: URL;
}>;

/** What leaves a service: a fact of every event, with the whole state after it, however the publisher comes to it. */
export const factSpec = <E extends AnyEvent, S>({ rules, translation, samples, golden }: Options<E, S>): void => {
  const history = (JSON.parse(readFileSync(samples, 'utf8')) as { events: readonly Sample[] }).events;
  const frozen = JSON.parse(readFileSync(golden, 'utf8')) as readonly GoldenFact[];
  const id = 'sample';
  const stream = streamName(rules.decider.category, id);
  const nameOf = (sample: Readonly<{ type: string }>): string => sample.type.replace(/\.v\d+$/, '');

  const append = async (store: MemoryStore, { type, data }: Sample): Promise<void> => {
    const tail = await store.tail();
    const event = { id: `event-${tail}`, type, data, metadata };
    await store.append(stream, [event], tail === 0n ? 'no-stream' : tail - 1n);
  };
  const record = async (snapshotAfter?: number): Promise<MemoryStore> => {
    const store = createMemoryStore({ now: () => recordedAt });
    for (const [index, sample] of history.entries()) {
      await append(store, sample);
      if (index + 1 !== snapshotAfter) continue;
      const folded = await loadFolded(store, stream, rules);
      const type = snapshotType(rules.codec.category, rules.codec.stateVersion);
      await append(store, { type, data: snapshotOf(folded) });
    }
    return store;
  };
  const recorded = async (store: MemoryStore): Promise<readonly StoredEvent[]> => {
    const events: StoredEvent[] = [];
    const all = { from: 'start', direction: 'forwards', maxCount: 1_000 } as const;
    for await (const event of store.read(stream, all)) events.push(event);
    return events;
  };
  const translateAll = async (store: MemoryStore, events: readonly StoredEvent[]) => {
    const translate = factAnnouncer(factReader(store, rules, translation)());
    const told = [];
    for (const event of events) told.push(await translate(event));
    return told;
  };

  const isAnnounced = (event: StoredEvent): boolean => translation.only?.includes(nameOf(event)) ?? true;

  it('is announced of every event, with what the event says and the whole state after it', async () => {
    const store = await record();
    const events = await recorded(store);
    const told = await translateAll(store, events);
    expect(told.map((announced) => announced.filter(isToServices).length)).toEqual(
      events.map((event) => (isAnnounced(event) ? 1 : 0)),
    );
    for (const [index, event] of events.entries()) {
      if (!isAnnounced(event)) continue;
      const fact = Fact.decode(told[index]?.at(-1)?.body ?? new Uint8Array());
      const { state } = await loadFolded(store, stream, rules, event.revision);
      const { move } = event.data as { move?: { from: string | null; to: string; because: string } | null };
      expect(fact).toEqual({
        eventId: event.id,
        type: nameOf(event),
        sourceStream: stream,
        sourceRevision: BigInt(index),
        position: event.position,
        recordTime: { seconds: BigInt(Math.floor(recordedAt.getTime() / 1000)), nanos: 678_000_000 },
        correlationId: 'correlation-1',
        causationId: 'cause-1',
        actor: 'user:paula',
        transition: move ? { from: move.from ?? '', to: move.to, because: move.because } : undefined,
        resource: Fact.decode(
          Fact.encode(Fact.fromPartial({ resource: translation.resourceOf(state, event.revision, id) })).finish(),
        ).resource,
      });
    }
  });

  it('is told to each account that it concerns as a CloudEvent, which is that account’s view of it', async () => {
    const store = await record();
    const read = factReader(store, rules, translation)();
    const kind = kebab(translation.entity);
    const streamSubjects = tenantSubjectsOf(translation.service as Producer);
    for (const event of await recorded(store)) {
      const fact = await read(event);
      const [announced = []] = await translateAll(store, [event]);
      const toAccounts = announced.filter((announcement) => !isToServices(announcement));
      expect(toAccounts.map(({ subject }) => subject)).toEqual(
        (fact?.audience ?? []).map((account) => `privatelink.v1.${account}.${kind}.${id}.${kebab(nameOf(event))}`),
      );
      for (const [index, { body, headers }] of toAccounts.entries()) {
        const account = fact?.audience[index] ?? '';
        expect(streamSubjects).toContain(`privatelink.v1.*.${kind}.>`);
        expect(Fact.decode(body)).toEqual(fact?.seenBy(account));
        expect(readCloudEvent(headers)).toMatchObject({
          ...{ id: event.id, time: recordedAt.toISOString(), datacontenttype: 'application/protobuf' },
          ...{ type: `com.privatelink.v1.${kind}.${nameOf(event)}`, subject: `${kind}/${id}` },
          source: `/privatelink/${translation.service}/accounts/${account}`,
          ...{ sequence: String(event.position).padStart(20, '0'), revision: String(event.revision) },
          correlationid: 'correlation-1',
        });
      }
    }
  });

  it('is of every type', () => {
    const types = Object.keys(rules.codec.formats).sort();
    expect([...new Set(history.map(nameOf))].sort()).toEqual(types);
  });

  it('has a subject that says service, entity, fact and account', async () => {
    const store = await record();
    for (const event of (await recorded(store)).filter(isAnnounced)) {
      const [announced = []] = await translateAll(store, [event]);
      const told = announced.at(-1);
      const { state } = await loadFolded(store, stream, rules, event.revision);
      const { service, entity, accountOf } = translation;
      const fact = kebab(nameOf(event));
      expect(told?.subject).toBe(`evt.${service}.v1.${kebab(entity)}.${fact}.${accountOf(state, id) || '-'}`);
    }
  });

  it('is the same when it is told again, out of turn, by a publisher that saw nothing before', async () => {
    const store = await record();
    const events = await recorded(store);
    const live = await translateAll(store, events);
    for (const [index, event] of events.entries()) {
      expect(await translateAll(store, [event])).toEqual([live[index]]);
    }
    const backwards = await translateAll(store, events.toReversed());
    expect(backwards.toReversed()).toEqual(live);
    const twice = await translateAll(store, [...events, ...events]);
    expect(twice).toEqual([...live, ...live]);
  });

  // As many histories as there are events, each told event by event.
  it('is the same over a snapshot, of which nothing is told', { timeout: 300_000 }, async () => {
    const plain = await record();
    const told = (await translateAll(plain, await recorded(plain))).flat();
    // Each place reads the history as often as it is long: some twenty of them, spread over it.
    const every = Math.max(1, Math.floor(history.length / 20));
    for (let after = 1; after < history.length; after += every) {
      const store = await record(after);
      const events = await recorded(store);
      for (const inTurn of [true, false]) {
        const over = inTurn ? await translateAll(store, events) : [];
        for (const event of inTurn ? [] : events) over.push(...(await translateAll(store, [event])));
        expect(over[after]).toEqual([]);
        expect(over.flat().map(withoutPlace)).toEqual(told.map(withoutPlace));
      }
    }
  });

  it('is as it was when it first left the service, or is added to what left it', async () => {
    const store = await record();
    const left = frozen.map(({ type, subject, bytes }) => JSON.stringify([type, subject, bytes]));
    for (const [index, told] of (await translateAll(store, await recorded(store))).entries()) {
      for (const { subject, body } of told.filter(isToServices)) {
        const fact = [nameOf(history[index] ?? { type: '' }), subject, Buffer.from(body).toString('base64')];
        expect(left, `add to ${golden.pathname}`).toContain(JSON.stringify(fact));
      }
    }
  });
};

const isToServices = ({ subject }: Readonly<{ subject: string }>): boolean => subject.startsWith('evt.');

/** As the field's own library understands the headers, which says of what is no CloudEvent what is wrong. */
const readCloudEvent = (headers: Announcement['headers'] = {}): CloudEvent<undefined> => {
  const attributes = Object.entries(headers).map(([name, value]) => {
    expect(name).toMatch(/^ce-[a-z0-9]+$/);
    return [name.slice('ce-'.length), decodeURIComponent(value)];
  });
  return new CloudEvent(Object.fromEntries(attributes));
};

/** A snapshot takes a revision and a position, and the events after it come later. */
const withoutPlace = ({ subject, body }: Readonly<{ subject: string; body: Uint8Array }>) => {
  const { eventId: _id, position: _position, sourceRevision: _revision, resource, ...fact } = Fact.decode(body);
  const value = resource && 'revision' in resource.value ? { ...resource.value, revision: 0n } : resource?.value;
  return { subject, ...fact, $case: resource?.$case, value };
};
