import { Rejected } from '@privatelink/shared/eventing/rejected';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, explainAdmission } from './admission.ts';
import { endpointService } from './endpoint-service.decide.ts';
import { evolve } from './endpoint-service.evolve.ts';
import * as the from './endpoint-service.fixtures.ts';
import { locksOf } from './endpoint-service.locks.ts';
import type { EndpointService, EndpointServiceCommand, EndpointServiceEvent } from './endpoint-service.ts';
import { endpointServiceTransitions } from './endpoint-service-status.ts';
import { supportedRegionTransitions } from './supported-region-status.ts';

type Step = Readonly<{ before: EndpointService; events: readonly EndpointServiceEvent[]; after: EndpointService }>;

const rowOf = (from: string | null, on: string, to: string): string => `${from ?? '(none)'} --${on}--> ${to}`;
const rows = endpointServiceTransitions.flatMap(({ from, on, to }) => from.map((status) => rowOf(status, on, to)));

const regionRows = supportedRegionTransitions.flatMap(({ from, on, to }) =>
  from.map((status) => rowOf(status, on, to)),
);

const movesOf = (events: readonly EndpointServiceEvent[]) =>
  events.flatMap((event) => ('move' in event.data && event.data.move ? [event.data.move] : []));

const take = (before: EndpointService, command: EndpointServiceCommand): Step => {
  try {
    const events = endpointService.decide(command, before, the.at);
    return { before, events, after: events.reduce(evolve, before) };
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    return { before, events: [], after: before };
  }
};

/** Answers that name the deletion they are for, and stale ones. */
type Wish = EndpointServiceCommand | ((state: EndpointService) => EndpointServiceCommand);

const run = (wishes: readonly Wish[]): readonly Step[] => {
  const steps: Step[] = [];
  for (const wish of wishes) {
    const before = steps.at(-1)?.after ?? endpointService.initial;
    steps.push(take(before, typeof wish === 'function' ? wish(before) : wish));
  }
  return steps;
};

const names = fc.constantFrom('nlb-1', 'nlb-2');
const accounts = fc.constantFrom(the.owner, the.consumer, '3000000000000003', '*', 'constructor', '__proto__');
const terms = fc.record(
  { autoAccept: fc.boolean(), maxConnections: fc.constantFrom(0, 1), approvalTtlMs: fc.constantFrom(1_000, 2_000) },
  { requiredKeys: [] },
);
const regions = fc.constantFrom('cn-shanghai', 'cn-beijing');
const domains = fc.constantFrom('a.example.com', '*.a.example.com');
const ends: fc.Arbitrary<Wish> = fc.constantFrom<Wish[]>(
  the.startDeletion(),
  the.startDeletion(true),
  ({ deletion }) => the.refuseDeletion(deletion?.version ?? 0),
  ({ deletion }) => the.refuseDeletion(deletion?.version ?? 0),
  ({ deletion }) => the.confirmTeardown(deletion?.version ?? 0),
);
const regionWish: fc.Arbitrary<Wish> = fc.oneof(
  regions.map(the.addRegion),
  fc.tuple(fc.boolean(), regions).map(([force, id]) => the.removeRegion(force, id)),
  regions.map(the.openRegion),
  regions.map(the.failRegion),
  regions.map(
    (id): Wish =>
      ({ supportedRegions }) =>
        the.refuseRegionRemoval(supportedRegions[id]?.version ?? 0, id),
  ),
  regions.map(
    (id): Wish =>
      ({ supportedRegions }) =>
        the.confirmTeardown(supportedRegions[id]?.version ?? 0),
  ),
);
const anyWish: fc.Arbitrary<Wish> = fc.oneof(
  ends,
  fc.constantFrom<Wish[]>(the.create(), the.abandon, the.activate, the.completeChange, the.completeChange),
  names.map(the.detach),
  names.map(
    (name): Wish =>
      ({ detaching }) =>
        the.completeDetachment(name, detaching[0]?.version ?? 0),
  ),
  names.map(
    (name): Wish =>
      ({ detaching }) =>
        the.refuseDetachment(name, detaching[0]?.version ?? 0),
  ),
  fc.tuple(names, fc.boolean()).map(([id, autoAllocated]) => the.attach(the.resource(id, { autoAllocated }))),
  fc.tuple(names, fc.boolean()).map(([id, on]) => the.allocate(id, on)),
  fc
    .record({
      description: fc.constantFrom('a', 'b', null),
      tags: fc.constantFrom([the.tag('a')], [], null),
      addressType: fc.constantFrom('IPV4' as const, 'DUAL_STACK' as const, null),
    })
    .map(the.update),
  regionWish,
  fc.tuple(accounts, terms).map(([id, said]) => the.add(id, said)),
  fc.oneof(
    domains.map(the.declare),
    domains.map(the.withdraw),
    fc.tuple(domains, fc.constantFrom(null, 'NO_RECORD' as const), fc.nat(3)).map(
      ([name, why, ago]): Wish =>
        ({ version }) =>
          the.checked(name, why, version - ago),
    ),
  ),
  fc.constantFrom('why', 'so').map(the.lock),
  fc.constant(the.unlock),
  fc.tuple(accounts, fc.constantFrom('KEEP' as const, 'DISCONNECT' as const)).map(([id, how]) => the.remove(id, how)),
  fc.tuple(fc.boolean(), fc.boolean(), fc.nat(3)).map(
    ([on, waiting, ago]): Wish =>
      ({ version }) =>
        the.autoAccept(on, waiting, Math.max(version - ago, 0)),
  ),
  fc.nat(20).map(the.informed),
  fc
    .tuple(fc.constantFrom('epsrv-1', the.owner), fc.constantFrom(the.paid, the.unpaid), fc.integer({ min: 1, max: 5 }))
    .map(([scope, said, sequence]) => the.payments(scope, said(sequence))),
  fc.nat(20).map(the.refuseDeletion),
  fc.nat(20).map(the.confirmTeardown),
);
const life = fc
  .tuple(fc.boolean(), fc.array(anyWish, { maxLength: 40 }))
  .map(([isActive, wishes]) => [the.create(), ...(isActive ? [the.activate] : []), ...wishes]);
const lateLife = fc.array(anyWish, { maxLength: 8 });
const regionLife = fc
  .array(fc.oneof(regionWish, regionWish, anyWish), { maxLength: 20 })
  .map((wishes) => [the.create(), the.activate, ...wishes]);

const always = (check: (step: Step) => void): void => {
  fc.assert(
    fc.property(fc.oneof(life, lateLife, regionLife), (wishes) => {
      for (const step of run(wishes)) check(step);
    }),
    { numRuns: 300 },
  );
};

const regionMovesOf = (events: readonly EndpointServiceEvent[]) =>
  events.flatMap(({ data }) => ('regionMove' in data ? [data.regionMove] : []));

const WHILE_LOCKED: readonly EndpointServiceEvent['type'][] = [
  ...(['EndpointServiceActivated', 'ResourceDetached', 'ResourceDetachmentRefused', 'ChangeCompleted'] as const),
  ...(['SupportedRegionOpened', 'SupportedRegionFailed'] as const),
  ...(['SupportedRegionRemovalRefused', 'SupportedRegionRemoved'] as const),
  ...(['SecurityLockPlaced', 'SecurityLockLifted', 'ConnectionsInformed'] as const),
  ...(['FinancialLockPlaced', 'FinancialLockLifted'] as const),
  ...(['DeletionStarted', 'DeletionRefused', 'EndpointServiceDeleted'] as const),
];

describe('no sequence of commands and reports', () => {
  it('leaves the declared table, and each append moves the status at most once', () =>
    always(({ before, events, after }) => {
      const moves = movesOf(events);
      expect(moves.length).toBe(before.status === after.status ? 0 : 1);
      for (const { from, because, to } of moves) {
        expect(rows).toContain(rowOf(from, because, to));
        expect([from, to]).toEqual([before.status, after.status]);
      }
    }));

  it('makes the version differ from the number of events', () =>
    always(({ before, events, after }) => expect(after.version).toBe(before.version + events.length)));

  it('has facts to tell that are not in order of version, newer than any told before', () =>
    always(({ before, after }) => {
      const versions = after.untold.map((fact) => fact.version);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      const news = after.untold.filter((fact) => !before.untold.includes(fact));
      for (const fact of news) expect(fact.version).toBeGreaterThan(before.version);
    }));

  it('brings a service back that is gone, or removes its owner', () =>
    always(({ before, after }) => {
      if (before.status === 'GONE') expect(after).toEqual(before);
      if (after.createdAt !== '') expect(after.users).toHaveProperty([the.owner]);
      if (after.status === 'DELETING') expect(after.deletion).not.toBeNull();
      if (after.status === 'ACTIVE' || after.status === 'CHANGING') expect(after.deletion).toBeNull();
    }));

  it('detaches what is not attached, or is active meanwhile', () =>
    always(({ after: { detaching, resources, status } }) => {
      if (status === 'CREATING' || status === 'ACTIVE') expect(detaching).toEqual([]);
      for (const { resourceId } of detaching) {
        expect(resources.filter((found) => found.resourceId === resourceId)).toHaveLength(1);
      }
      expect(new Set(detaching.map((found) => found.resourceId)).size).toBe(detaching.length);
    }));

  it('leaves the declared table of its regions, or is active while one of them is under way', () =>
    always(({ before, events, after }) => {
      for (const { from, because, to } of regionMovesOf(events)) {
        expect(regionRows).toContain(rowOf(from, because, to));
      }
      for (const [regionId, { status, version }] of Object.entries(after.supportedRegions)) {
        const earlier = before.supportedRegions[regionId];
        const moved = regionMovesOf(events.filter(({ data }) => 'regionId' in data && data.regionId === regionId));
        expect(moved.at(-1)?.to ?? earlier?.status).toBe(status);
        expect(version).toBeLessThanOrEqual(after.version);
        if (status === 'PENDING' || status === 'DELETING') expect(after.status).not.toBe('ACTIVE');
      }
    }));

  it('changes a locked service, but for its end and what others tell', () =>
    always(({ before, events }) => {
      if (locksOf(before).length === 0) return;
      for (const { type } of events) expect(WHILE_LOCKED).toContain(type);
    }));

  it('is other than idempotent: the same command again appends nothing', () => {
    fc.assert(
      fc.property(fc.oneof(life, lateLife, regionLife), anyWish, (wishes, wish) => {
        const state = run(wishes).at(-1)?.after ?? endpointService.initial;
        const command = typeof wish === 'function' ? wish(state) : wish;
        expect(take(take(state, command).after, command).events).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the declared table', () => {
  it('has no row that no life reaches', () => {
    const lives = fc
      .sample(fc.oneof(life, lateLife, regionLife), { numRuns: 16_000, seed: 4 })
      .flatMap((wishes) => run(wishes).map(({ events }) => events));
    const reached = lives.flatMap(movesOf).map(({ from, because, to }) => rowOf(from, because, to));
    expect(rows.filter((row) => !reached.includes(row))).toEqual([]);
    const regionsReached = lives.flatMap(regionMovesOf).map(({ from, because, to }) => rowOf(from, because, to));
    expect(regionRows.filter((row) => !regionsReached.includes(row))).toEqual([]);
  });
});

describe('evolve', () => {
  const events: readonly EndpointServiceEvent[] = [
    the.createdAs(),
    the.activated,
    the.describedAs('new'),
    the.taggedAs([the.tag('a')], false),
    the.changed,
    the.attachedAs(the.resource('nlb-2')),
    the.allocatedAs('nlb-1', false),
    the.detachingAs('nlb-1'),
    the.detachedAs('nlb-1'),
    the.detachmentRefusedAs('nlb-1'),
    ...[the.regionAddedAs(), the.regionOpened, the.regionFailed, the.regionRemovalStartedAs()],
    ...[the.regionRemovalRefused, the.regionRemoved],
    the.addedAs('*'),
    the.termsAs('*', { maxConnections: 0 }),
    the.removedAs('*', 'DISCONNECT'),
    the.autoAcceptOn(true),
    the.autoAcceptOff,
    the.lockedAs(),
    the.unlocked,
    the.informedAs(3),
    the.deletionStartedAs('ACTIVE'),
    the.deletionRefused,
    the.deleted,
    ...[the.declaredAs('a.b'), the.verifiedAs('a.b'), the.proofMissedAs('a.b', 'NO_RECORD'), the.withdrawnAs('a.b')],
    the.abandoned,
  ];

  it('is total: events in any order are applied, and state stays JSON', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...events]), (order) => {
        const state = order.reduce(evolve, endpointService.initial);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        expect(state.version).toBe(order.length);
      }),
    );
  });
});

const refusalOf = (act: () => unknown): string | null => {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof Rejected) return error.reason;
    throw error;
  }
};

describe('an explanation of admission', () => {
  it('says nothing exactly when an endpoint is admitted, and first what the refusal says', () => {
    const applicants = fc.record({
      ...{ serviceId: fc.constant('epsrv-1'), accountId: accounts },
      endpointType: fc.constantFrom('INTERFACE' as const, 'REVERSE' as const),
      addressType: fc.constantFrom('IPV4' as const, 'DUAL_STACK' as const),
      zoneIds: fc.subarray(['h', 'i', 'x']),
      regionId: fc.constantFrom(null, 'cn-hangzhou', 'cn-shanghai'),
    });
    fc.assert(
      fc.property(fc.oneof(life, lateLife, regionLife), applicants, (wishes, applicant) => {
        for (const { after } of run(wishes)) {
          const [first] = explainAdmission(after, applicant).map(({ reason }) => reason);
          const told = first === 'NOT_WHITELISTED' ? 'ENDPOINT_SERVICE_NOT_FOUND' : (first ?? null);
          expect(refusalOf(() => admit(after, applicant, 'cn-hangzhou'))).toBe(told);
        }
      }),
    );
  });
});
