import { Fact } from '@privatelink/proto/events/v1/fact';
import type { Recorded, StoredEvent } from '@privatelink/shared/eventing/message';
import { publicFact } from '@privatelink/shared/facts/public-fact';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { run, story, zoneStory } from '../connection/connection.stories.ts';
import type { Connection, ConnectionEvent } from '../connection/connection.ts';
import { isReverse } from '../connection/connection.ts';
import type { Hold } from '../connection/holds.ts';
import { connectionFacts } from './connection-facts.ts';

const PROVIDER = '1000000000000001';
const CONSUMER = '2000000000000002';
/** Words that stand for what only one side may read. */
const OF_PROVIDER = 'secret-of-provider';
const OF_CONSUMER = 'secret-of-consumer';
const OF_OPERATOR = 'secret-of-operator';

const translation = connectionFacts({
  dnsSuffix: 'privatelink.internal',
  forwarder: 'agents',
  stuckAfterMs: 60_000,
  now: () => new Date('2026-01-02T03:04:05.678Z'),
});

const CONSUMERS_AFFAIR = /^(ENDPOINT_|PAUSED_BY_CONSUMER)/;

const markHold = (hold: Hold): Hold => {
  if (CONSUMERS_AFFAIR.test(hold.reason))
    return { ...hold, source: OF_CONSUMER, actor: OF_CONSUMER, message: OF_CONSUMER };
  if (hold.reason.startsWith('SERVICE_'))
    return { ...hold, source: OF_PROVIDER, actor: OF_PROVIDER, message: OF_PROVIDER };
  return { ...hold, actor: OF_PROVIDER };
};

/** The same connection, in which everything that is of one side alone says so. */
const marked = (connection: Connection): Connection => {
  const resourceOf = <R extends object>(resource: R) => ({
    ...{ ...resource, resourceId: OF_PROVIDER, vpcId: OF_PROVIDER },
    targets: [{ ip: OF_PROVIDER, port: 443 }],
  });
  const starting = isReverse(connection) ? OF_PROVIDER : OF_CONSUMER;
  return {
    ...connection,
    decisionHold: connection.decisionHold && markHold(connection.decisionHold),
    holds: Object.fromEntries(Object.entries(connection.holds).map(([key, hold]) => [key, markHold(hold)])),
    resources: connection.resources.map(resourceOf),
    targets: connection.targets.map((target) => (target.allowed ? target : { ...target, ip: OF_CONSUMER })),
    zones: Object.fromEntries(
      Object.entries(connection.zones).map(([zoneId, zone]) => [
        zoneId,
        {
          ...zone,
          resource: zone.resource && resourceOf(zone.resource),
          listeners: [{ port: 1, address: starting }],
        },
      ]),
    ),
  };
};

const people = [
  { actor: `user:${OF_PROVIDER}`, accountId: PROVIDER, requestId: `${PROVIDER}/any/r` },
  { actor: `user:${OF_OPERATOR}`, accountId: '', requestId: 'user:o/any/r' },
];
/** What the consumer service tells of is its people's. */
const consumersPeople = { actor: `user:${OF_CONSUMER}`, accountId: '', requestId: 'service:consumer/any/r' };
const TOLD_BY_CONSUMER =
  /^(ConnectionRequested|ConnectionUpdated|DeletionStarted|Zone(Added|AddressesChanged|RemovalStarted)|TargetsChanged|IngressChanged|CustomDomainsChanged|ZoneAffinityChanged)$/;

const factsOf = (event: ConnectionEvent, after: Connection) =>
  (TOLD_BY_CONSUMER.test(event.type) ? [consumersPeople] : people).map((metadata) => {
    const stored: StoredEvent = {
      ...{ id: 'id', type: `${event.type}.v1`, data: event.data, metadata, stream: `connection-${after.endpointId}` },
      ...{ revision: 3n, position: 9n, recordedAt: '2026-01-02T03:04:05.678Z' },
    };
    const { type: _, data: __, ...meta } = stored;
    return publicFact(translation, marked(after), stored, { ...event, meta } as Recorded<ConnectionEvent>);
  });

const textOf = (fact: Fact): string => JSON.stringify(Fact.toJSON(fact));

describe('of a connection', () => {
  it('neither side is told what is the other’s, whatever happens', () => {
    const seen = { provider: 0, consumer: 0, operators: 0 };
    fc.assert(
      fc.property(fc.oneof(story, zoneStory), (commands) => {
        for (const { events, after } of run(commands)) {
          for (const fact of events.flatMap((event) => factsOf(event, after))) {
            expect([PROVIDER, CONSUMER]).toEqual(expect.arrayContaining([...fact.audience]));
            if (fact.audience.includes(PROVIDER)) {
              const text = textOf(fact.seenBy(PROVIDER));
              expect(text).not.toContain(OF_CONSUMER);
              expect(text).not.toContain(OF_OPERATOR);
              if (text.includes(OF_PROVIDER)) seen.provider++;
            }
            if (fact.audience.includes(CONSUMER)) {
              const text = textOf(fact.seenBy(CONSUMER));
              expect(text).not.toContain(OF_PROVIDER);
              expect(text).not.toContain(OF_OPERATOR);
              expect(text).not.toContain('MIGRAT');
              if (text.includes(OF_CONSUMER)) seen.consumer++;
            }
            if (textOf(fact.seenBy(null)).includes(OF_OPERATOR)) seen.operators++;
          }
        }
      }),
    );
    // Each is told its own, or the marks would prove nothing.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100);
  });

  it('both sides are told of every fact, but the consumer not of how its zones are served', () => {
    fc.assert(
      fc.property(fc.oneof(story, zoneStory), (commands) => {
        for (const { events, after } of run(commands)) {
          for (const { type, audience } of events.flatMap((event) => factsOf(event, after))) {
            expect(audience).toEqual(type.startsWith('ZoneMigration') ? [PROVIDER] : [PROVIDER, CONSUMER]);
          }
        }
      }),
    );
  });

  it('an account that is both sides is told once', () => {
    const [step] = run([...(fc.sample(story, { seed: 1, numRuns: 1 })[0] ?? [])]);
    if (!step) throw new Error('a story has a beginning');
    const own = { ...step.after, endpointAccountId: PROVIDER };
    for (const { audience } of step.events.flatMap((event) => factsOf(event, own)))
      expect(audience).toEqual([PROVIDER]);
  });
});
