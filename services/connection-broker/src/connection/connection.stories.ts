import fc from 'fast-check';
import type { ConnectionCommand, Side } from './connection.commands.ts';
import { connection } from './connection.decide.ts';
import { evolve } from './connection.evolve.ts';
import * as the from './connection.fixtures.ts';
import type { Connection, ConnectionEvent, Forwarding, Names } from './connection.ts';
import type { Move } from './connection-status.ts';
import { outstandingNames, zoneGoal } from './forwarding.ts';
import { type Fact, type FactReason, holdsOf } from './holds.ts';

/** Generated lives of one connection, for the property tests. */

export type Step = Readonly<{ before: Connection; events: readonly ConnectionEvent[]; after: Connection }>;

export const settling: ConnectionCommand = the.report(-1);
/** The agent of one zone alone. */
const settlingOne: ConnectionCommand = the.report(-2);

const ofOneZone = (state: Connection): ConnectionCommand =>
  the.report(state.generation, {
    zones: Object.values(state.zones)
      .slice(0, 1)
      .map((zone) => the.zone(zone.zoneId, zoneGoal(state, zone))),
  });

/** The report of a reactor and of agents that have done all that this state wants. */
const confirmed = (state: Connection): ConnectionCommand =>
  the.report(state.generation, {
    assigned: Object.values(state.zones).map(({ zoneId }) => ({
      ...{ zoneId, resource: the.resource(zoneId), placement: 1 },
    })),
    zones: Object.values(state.zones).map((zone) => the.zone(zone.zoneId, zoneGoal(state, zone))),
    names: outstandingNames(state),
    healthRevision: state.healthRevision,
  });

/** What the same command does to the aggregate; a rejection appends nothing, anything else thrown is a failure. */
export const take = (before: Connection, command: ConnectionCommand): Step => {
  try {
    const events = connection.decide(command, before, the.at);
    return { before, events, after: events.reduce(evolve, before) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'Rejected') throw error;
    return { before, events: [], after: before };
  }
};

/** `settling` stands for the report that fits the state it meets, and so does that of one zone. */
export const run = (commands: readonly ConnectionCommand[], initial = connection.initial): readonly Step[] => {
  const steps: Step[] = [];
  for (const command of commands) {
    const before = steps.at(-1)?.after ?? initial;
    const fitting = command === settlingOne ? ofOneZone(before) : command;
    steps.push(take(before, command === settling ? confirmed(before) : fitting));
  }
  return steps;
};

export const last = (steps: readonly Step[]): Connection => steps.at(-1)?.after ?? connection.initial;

/** Confirmations until nothing moves: at most tear down, connect. */
export const settled = (state: Connection): Connection => last(run(Array(4).fill(settling), state));

export const movesOf = (events: readonly ConnectionEvent[]): readonly Move[] =>
  events.flatMap((event) => ('move' in event.data && event.data.move ? [event.data.move] : []));

export const visible = (state: Connection) => ({
  status: state.status,
  holds: holdsOf(state).map(({ reason, source, message }) => ({ reason, source, message })),
});

export const holdFact: fc.Arbitrary<Fact> = fc
  .record({
    key: fc.constantFrom<[FactReason, string][]>(
      ['ENDPOINT_PAYMENT_OVERDUE', 'billing:ep-1'],
      ['ENDPOINT_PAYMENT_OVERDUE', 'billing:2000000000000002'],
      ['SERVICE_PAYMENT_OVERDUE', 'billing:epsrv-1'],
      ['NOT_WHITELISTED', 'epsrv-1'],
      ['SERVICE_SECURITY_LOCK', 'epsrv-1'],
    ),
    revision: fc.integer({ min: 0, max: 6 }),
  })
  // What a revision says of a key is one thing, however often and late it is told.
  .map(({ key: [reason, source], revision }) => ({
    ...the.placed(revision, source, reason),
    placed: (revision + reason.length) % 2 === 0,
    message: `revision ${revision}`,
  }));
export const waitingAccepted = fc.integer({ min: 5, max: 7 }).map(the.waitingAccepted);
const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  { weight: 12, arbitrary: holdFact },
  { weight: 1, arbitrary: waitingAccepted },
  { weight: 1, arbitrary: fc.constant(the.serviceDeleted) },
);

const anyReport: fc.Arbitrary<ConnectionCommand> = fc
  .record({
    generation: fc.oneof(fc.constant(1), fc.nat(3), fc.nat(12)),
    assigned: fc.subarray([...the.wanted.resources]),
    zones: fc.array(
      fc
        .tuple(fc.constantFrom('h', 'i', 'z'), fc.constantFrom<Forwarding>('READY', 'CLOSED'))
        .map(([zoneId, state]) => the.zone(zoneId, state)),
      { maxLength: 4 },
    ),
    namesGraceOver: fc.boolean(),
    names: fc.constantFrom<(Names | null)[]>(null, 'PUBLISHED', 'WITHDRAWN', 'REMOVED'),
    healthRevision: fc.nat(2),
  })
  .map(({ generation, assigned, ...rest }) =>
    the.report(generation, {
      ...rest,
      assigned: assigned.map((found) => ({ zoneId: found.zoneId, resource: found, placement: 1 })),
    }),
  );
const zoneCommand: fc.Arbitrary<ConnectionCommand> = fc.oneof(
  fc.constantFrom('h', 'i', 'z').map((zoneId) => the.accept('', '', zoneId)),
  fc.constant(the.accept('')),
  fc
    .tuple(fc.constantFrom('EnableZone' as const, 'DisableZone' as const), fc.constantFrom('h', 'i', 'j', 'z'))
    .map(([type, zoneId]) => the.switched(type, zoneId)),
  fc
    .tuple(
      fc.integer({ min: 1, max: 20 }),
      fc.subarray(['h', 'i', 'j'], { minLength: 1 }),
      fc.boolean(),
      fc.subarray(['a.example.com', 'b.example.com']),
      fc.boolean(),
    )
    .map((said) => the.updated(...said)),
  fc
    .tuple(fc.constantFrom('h', 'i', 'j', 'z'), fc.integer({ min: 1, max: 9 }), fc.boolean())
    .map(([zoneId, placement, force]) => the.moved(zoneId, `nlb-${zoneId}${placement}`, placement, force)),
  fc
    .record({ zoneId: fc.constantFrom('h', 'i', 'z'), healthy: fc.boolean(), bandwidthKept: fc.boolean() })
    .map((data): ConnectionCommand => ({ type: 'ReportZoneHealth', data })),
);
export const anyCommand: fc.Arbitrary<ConnectionCommand> = fc.oneof(
  { weight: 3, arbitrary: fc.boolean().map(the.request) },
  { weight: 3, arbitrary: fc.constantFrom('', 'yes', 'until june').map(the.accept) },
  { weight: 2, arbitrary: fc.constantFrom('', 'no').map(the.reject) },
  { weight: 2, arbitrary: fc.constantFrom<Side[]>('CONSUMER', 'PROVIDER').map((side) => the.pause(side)) },
  { weight: 2, arbitrary: fc.constantFrom<Side[]>('CONSUMER', 'PROVIDER').map(the.resume) },
  { weight: 8, arbitrary: zoneCommand },
  { weight: 6, arbitrary: fc.array(anyFact, { maxLength: 3 }).map((facts) => the.apply(...facts)) },
  { weight: 4, arbitrary: anyReport },
  { weight: 6, arbitrary: fc.constant(settling) },
  { weight: 1, arbitrary: fc.constant(the.remove) },
);
export const story = fc
  .tuple(fc.boolean().map(the.request), fc.array(anyCommand, { maxLength: 30 }))
  .map(([request, rest]) => [request, ...rest]);
/** One that is up, with more of zones and less of its end than a story has. */
export const zoneStory = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: zoneCommand },
      { weight: 3, arbitrary: fc.constantFrom(settling, settling, settlingOne) },
      { weight: 2, arbitrary: fc.constantFrom(the.pause('CONSUMER'), the.resume('CONSUMER')) },
      { weight: 1, arbitrary: anyReport },
      { weight: 1, arbitrary: fc.constantFrom(the.remove, the.apply(the.serviceDeleted), settling, settling) },
    ),
    { maxLength: 20 },
  )
  .map((rest) => [the.request(true), settling, ...rest]);
export const lateStory = fc.array(anyCommand, { maxLength: 12 });

/** A history whose status is any: facts do not meet it in one state only. */
export const anyState = fc.oneof(story, lateStory).map((commands) => last(run(commands)));

export const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length });
