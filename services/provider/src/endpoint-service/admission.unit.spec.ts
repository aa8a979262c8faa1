import { evolveAll } from '@privatelink/shared/eventing/decider';
import { describe, expect, it } from 'vitest';
import { type Applicant, acceptanceOf, admit, explainAdmission, explainWaiting } from './admission.ts';
import { endpointService } from './endpoint-service.decide.ts';
import * as the from './endpoint-service.fixtures.ts';
import type { EndpointServiceEvent } from './endpoint-service.ts';

const zoned = (resourceId: string, zoneId: string, autoAllocated = true) =>
  the.attachedAs(the.resource(resourceId, { zoneId, autoAllocated }), false);
const published = [...the.active, the.addedAs(the.consumer), zoned('nlb-2', 'i'), zoned('nlb-3', 'i', false)];
const applicant: Applicant = {
  ...{ serviceId: 'epsrv-1', accountId: the.consumer },
  ...{ endpointType: 'INTERFACE', addressType: 'IPV4', zoneIds: ['h'], regionId: null },
};

const admitTo = (
  history: readonly EndpointServiceEvent[],
  change: Partial<Applicant> = {},
  serviceRegion: string | null = null,
) => admit(evolveAll(endpointService, endpointService.initial, history), { ...applicant, ...change }, serviceRegion);
const refusal = (reason: string, facts: object = {}) =>
  expect.objectContaining({ name: 'Rejected', reason, facts: expect.objectContaining(facts) });

describe('admission', () => {
  it('gives the resources of the zones asked for that take new endpoints', () => {
    const ids = (zoneIds: readonly string[]) =>
      admitTo(published, { zoneIds }).resources.map((found) => found.resourceId);
    expect(ids(['h'])).toEqual(['nlb-1']);
    expect(ids(['i'])).toEqual(['nlb-2']);
    expect(ids(['i', 'h'])).toEqual(['nlb-1', 'nlb-2']);
    expect(admitTo(published).service.version).toBe(published.length);
  });

  it.each([
    ['absent', []],
    ['gone', the.gone],
    ['there for others only', the.active],
    ['being deleted, there for others only', the.deleting],
  ])('does not know a service that is %s', (_what, history) =>
    expect(() => admitTo(history)).toThrow(
      // The same facts for all of them: they must not tell one from another.
      expect.objectContaining({ reason: 'ENDPOINT_SERVICE_NOT_FOUND', facts: { service_id: 'epsrv-1' } }),
    ),
  );

  it('takes nobody while the service is created or deleted, and somebody while it changes', () => {
    const added = the.addedAs(the.consumer);
    expect(() => admitTo([the.createdAs(), added])).toThrow(refusal('SERVICE_NOT_ACTIVE', { status: 'CREATING' }));
    expect(() => admitTo([...published, the.deletionStartedAs('ACTIVE')])).toThrow(
      refusal('SERVICE_NOT_ACTIVE', { status: 'DELETING' }),
    );
    expect(admitTo([...published, the.describedAs('new')]).service.status).toBe('CHANGING');
  });

  it('takes nobody while the service is locked, and tells that to those only who may see it', () => {
    const locked = [...published, the.lockedAs()];
    expect(() => admitTo(locked)).toThrow(refusal('SERVICE_LOCKED', { service_id: 'epsrv-1' }));
    expect(admitTo([...locked, the.unlocked]).service.securityLock).toBeNull();
    expect(() => admitTo(locked, { accountId: '3000000000000003' })).toThrow(refusal('ENDPOINT_SERVICE_NOT_FOUND'));
    expect(() => admitTo([...locked, the.deletionStartedAs('ACTIVE')])).toThrow(refusal('SERVICE_NOT_ACTIVE'));
  });

  it('names the type that the service needs', () =>
    expect(() => admitTo(published, { endpointType: 'REVERSE' })).toThrow(
      refusal('ENDPOINT_TYPE_MISMATCH', { required: 'INTERFACE', given: 'REVERSE' }),
    ));

  it('gives IPv6 where the service has it', () => {
    const addressType = 'DUAL_STACK';
    expect(() => admitTo(published, { addressType })).toThrow(
      refusal('DUAL_STACK_UNAVAILABLE', { missing: 'SERVICE', service_id: 'epsrv-1', field: 'address_type' }),
    );
    expect(admitTo([...published, the.dualStackAs(false)], { addressType }).resources).toHaveLength(1);
  });

  it('takes endpoints of a region that is supported and available, and gives resources of every zone', () => {
    const from = { regionId: 'cn-shanghai', zoneIds: ['cn-shanghai-a'] };
    const supported = [...published, ...the.supporting.slice(the.active.length)];
    const admitFrom = (history: readonly EndpointServiceEvent[]) => admitTo(history, from, 'cn-hangzhou');
    expect(admitFrom(supported).resources.map(({ resourceId }) => resourceId)).toEqual(['nlb-1', 'nlb-2']);
    for (const history of [
      published,
      [...published, the.regionAddedAs()],
      [...published, the.regionAddedAs(), the.regionFailed],
      [...supported, the.regionRemovalStartedAs()],
      [...published, the.regionAddedAs(true, null, 'cn-beijing')],
    ]) {
      const facts = { region: 'cn-shanghai', supported_regions: '', field: 'vpc_id' };
      expect(() => admitFrom(history)).toThrow(refusal('REGION_NOT_SUPPORTED', facts));
    }
    expect(() => admitTo(supported, { ...from, regionId: 'cn-beijing' }, 'cn-hangzhou')).toThrow(
      refusal('REGION_NOT_SUPPORTED', { supported_regions: 'cn-shanghai' }),
    );
  });

  it('is looked for in its own region', () => {
    const mismatch = refusal('SERVICE_REGION_MISMATCH', { required: 'cn-hangzhou', given: 'cn-shanghai' });
    expect(() => admitTo(published, {}, 'cn-shanghai')).toThrow(mismatch);
    expect(() => admitTo(published, { regionId: 'cn-shanghai' })).toThrow(mismatch);
    expect(admitTo(published, { regionId: 'cn-hangzhou' }).resources).toHaveLength(1);
    expect(() => admitTo(the.active, {}, 'cn-shanghai')).toThrow(refusal('ENDPOINT_SERVICE_NOT_FOUND'));
    expect(() => admitTo([], {}, 'cn-shanghai')).toThrow(refusal('ENDPOINT_SERVICE_NOT_FOUND'));
  });

  it('names the zones that are offered', () =>
    expect(() => admitTo(published, { zoneIds: ['h', 'x', 'y'] })).toThrow(
      refusal('ZONE_NOT_OFFERED', { zones: 'x,y', offered: 'h,i' }),
    ));

  it('takes nobody where nothing is offered', () =>
    expect(() => admitTo([...the.active, the.addedAs('*'), the.detachingAs('nlb-1')])).toThrow(
      refusal('NO_AVAILABLE_RESOURCE'),
    ));
});

describe('an explanation', () => {
  const explain = (history: readonly EndpointServiceEvent[], change: Partial<Applicant> = {}) =>
    explainAdmission(evolveAll(endpointService, endpointService.initial, history), { ...applicant, ...change });

  it('lists everything that stands in the way, not only the first', () => {
    const history = [...the.active, zoned('nlb-2', 'i'), the.lockedAs(), the.deletionStartedAs('ACTIVE')];
    const all = explain(history, { endpointType: 'REVERSE', zoneIds: ['h', 'x', 'y'] });
    expect(all.map(({ reason }) => reason)).toEqual([
      ...['NOT_WHITELISTED', 'SERVICE_NOT_ACTIVE', 'SERVICE_LOCKED', 'ENDPOINT_TYPE_MISMATCH', 'ZONE_NOT_OFFERED'],
    ]);
    expect(all.at(-1)?.facts).toMatchObject({ zones: 'x,y', offered: 'h,i' });
  });

  it('says of a service that is not there no more than that', () => {
    for (const history of [[], the.gone]) {
      expect(explain(history, { zoneIds: ['x'] }).map(({ reason }) => reason)).toEqual(['ENDPOINT_SERVICE_NOT_FOUND']);
    }
  });

  it('says what a request waits for', () => {
    const waiting = (autoAccept: boolean, terms: object, earlier: number) => {
      const history = [the.createdAs({ autoAccept }), the.activated, the.addedAs(the.consumer, terms)];
      return explainWaiting(evolveAll(endpointService, endpointService.initial, history), the.consumer, earlier);
    };
    expect(waiting(true, {}, 9)).toBeNull();
    expect(waiting(false, {}, 0)).toMatchObject({ reason: 'AWAITING_ACCEPTANCE' });
    const reached = { reason: 'MAX_CONNECTIONS_REACHED', facts: { limit: '2', current: '2' } };
    expect(waiting(true, { maxConnections: 2 }, 2)).toEqual(reached);
    expect(waiting(true, { maxConnections: 2 }, 1)).toBeNull();
    expect(waiting(false, { maxConnections: 0 }, 3)).toMatchObject({ reason: 'AWAITING_ACCEPTANCE' });
  });
});

describe('acceptance without being asked about', () => {
  const no = { autoAccept: false, approvalTtlMs: null };
  const yes = { autoAccept: true, approvalTtlMs: null };
  const accept = (autoAccept: boolean, events: readonly EndpointServiceEvent[], earlier = 0) => {
    const history = [the.createdAs({ autoAccept }), the.activated, ...events];
    return acceptanceOf(evolveAll(endpointService, endpointService.initial, history), the.consumer, earlier);
  };
  const own = (terms: object) => the.addedAs(the.consumer, terms);
  const everybodys = (terms: object) => the.addedAs('*', terms);

  it("is the service's where no entry says anything", () => {
    for (const [on, expected] of [
      [true, yes],
      [false, no],
    ] as const) {
      expect(accept(on, [own({})])).toEqual(expected);
      expect(accept(on, [everybodys({})])).toEqual(expected);
    }
  });

  it("is that of the account's entry, else of everybody's, else the service's", () => {
    expect(accept(false, [everybodys({ autoAccept: true })])).toEqual(yes);
    expect(accept(true, [everybodys({ autoAccept: false })])).toEqual(no);
    expect(accept(false, [everybodys({ autoAccept: false }), own({ autoAccept: true })])).toEqual(yes);
    expect(accept(true, [everybodys({ autoAccept: true }), own({ autoAccept: false })])).toEqual(no);
    expect(accept(true, [everybodys({ autoAccept: false, maxConnections: 0 }), own({})], 7)).toEqual(yes);
  });

  it('ends at so many endpoints of the account, and none at all are not any number', () => {
    const upTo = (maxConnections: number | null, earlier: number) =>
      accept(true, [own({ maxConnections, autoAccept: true })], earlier).autoAccept;
    expect([0, 1, 2, 3].map((earlier) => upTo(2, earlier))).toEqual([true, true, false, false]);
    expect(upTo(0, 0)).toBe(false);
    expect(upTo(null, 9_999)).toBe(true);
    expect(accept(true, [everybodys({ maxConnections: 1 })], 1)).toEqual(no);
  });

  it('lasts as long as the entry says, if it is accepted', () => {
    const terms = { approvalTtlMs: 60_000, maxConnections: 1 };
    expect(accept(true, [own(terms)])).toEqual({ autoAccept: true, approvalTtlMs: 60_000 });
    expect(accept(true, [own(terms)], 1)).toEqual(no);
    expect(accept(false, [own(terms)])).toEqual(no);
    expect(accept(true, [everybodys(terms), own({})])).toEqual(yes);
  });
});
