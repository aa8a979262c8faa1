import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { endpointService } from './endpoint-service.decide.ts';
import * as the from './endpoint-service.fixtures.ts';
import { type EndpointServiceEvent, isOffered, mayConnect, offeredZones } from './endpoint-service.ts';

const { givenAll } = deciderSpec(endpointService, the.at);
const { active, consumer, owner } = the;

const after = (...events: readonly EndpointServiceEvent[]) =>
  evolveAll(endpointService, endpointService.initial, [...active, ...events]);
const untold = (...events: readonly EndpointServiceEvent[]) =>
  after(...events).untold.map(({ actor: _actor, at: _at, ...fact }) => fact);
const addedAll = (count: number) => Array.from({ length: count }, (_, index) => the.addedAs(`user-${index}`));

describe('the whitelist', () => {
  it('enters the owner at creation, who stays', () => {
    expect(mayConnect(after(), owner)).toBe(true);
    givenAll(active).when(the.add(owner)).thenNothing();
    givenAll(active)
      .when(the.remove(owner, 'KEEP'))
      .thenRejected('ENDPOINT_SERVICE_OWNER_REQUIRED', { account_id: owner, field: 'account_id' });
  });

  it('takes an account once', () => {
    givenAll(active).when(the.add(consumer)).thenEvents(the.addedAs(consumer));
    givenAll([...active, the.addedAs(consumer)])
      .when(the.add(consumer))
      .thenNothing();
  });

  it('stops at 1,000', () => {
    givenAll([...active, ...addedAll(998)])
      .when(the.add(consumer))
      .thenTypes('ServiceUserAdded');
    givenAll([...active, ...addedAll(999)])
      .when(the.add(consumer))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'service users', limit: '1000', current: '1000' });
    givenAll([...active, ...addedAll(999)])
      .when(the.add('user-1', { maxConnections: 1 }))
      .thenTypes('ServiceUserTermsChanged');
  });

  it('takes an account again on other terms, which are the whole of its terms then', () => {
    const terms = { autoAccept: true, maxConnections: 0, approvalTtlMs: 60_000 };
    givenAll(active).when(the.add(consumer, terms)).thenEvents(the.addedAs(consumer, terms));
    const added = [...active, the.addedAs(consumer, terms)];
    givenAll(added).when(the.add(consumer, terms)).thenNothing();
    for (const other of [{}, { ...terms, autoAccept: false }, { ...terms, maxConnections: 1 }, { autoAccept: true }]) {
      givenAll(added).when(the.add(consumer, other)).thenEvents(the.termsAs(consumer, other));
    }
    const changed = the.termsAs(consumer, { maxConnections: 5 });
    const later = { ...changed, data: { ...changed.data, at: '2027-01-02T03:04:05.000Z' } } as EndpointServiceEvent;
    expect(after(the.addedAs(consumer, terms), later)).toMatchObject({
      users: { [consumer]: { autoAccept: null, maxConnections: 5, approvalTtlMs: null, at: the.at } },
      updatedAt: later.data.at,
    });
  });

  it('has terms for its owner, and forgets those of who is removed', () => {
    givenAll(active)
      .when(the.add(owner, { autoAccept: true }))
      .thenEvents(the.termsAs(owner, { autoAccept: true }));
    const removed = [the.addedAs(consumer, { maxConnections: 1 }), the.removedAs(consumer, 'KEEP')];
    givenAll([...active, ...removed])
      .when(the.add(consumer))
      .thenEvents(the.addedAs(consumer));
    expect(after(...removed).users).not.toHaveProperty([consumer]);
  });

  it('removes an account once, and nothing where none is', () => {
    const added = [...active, the.addedAs(consumer)];
    givenAll(added).when(the.remove(consumer, 'KEEP')).thenEvents(the.removedAs(consumer, 'KEEP'));
    givenAll([...added, the.removedAs(consumer, 'KEEP')])
      .when(the.remove(consumer, 'KEEP'))
      .thenNothing();
    givenAll([...added, the.removedAs(consumer, 'DISCONNECT')])
      .when(the.remove(consumer, 'DISCONNECT'))
      .thenNothing();
  });

  it('still disconnects who was removed and kept', () => {
    const kept = [...active, the.addedAs(consumer), the.removedAs(consumer, 'KEEP')];
    givenAll(kept).when(the.remove(consumer, 'DISCONNECT')).thenEvents(the.removedAs(consumer, 'DISCONNECT'));
    const held = [...kept, the.removedAs(consumer, 'DISCONNECT')];
    givenAll([...held, the.addedAs(consumer), the.removedAs(consumer, 'KEEP')])
      .when(the.remove(consumer, 'DISCONNECT'))
      .thenTypes('ServiceUserRemoved');
    givenAll([...held, the.addedAs('*')])
      .when(the.remove(consumer, 'DISCONNECT'))
      .thenNothing();
    givenAll([...held, the.addedAs('*'), the.removedAs('*', 'KEEP')])
      .when(the.remove(consumer, 'DISCONNECT'))
      .thenTypes('ServiceUserRemoved');
  });

  it('lets everybody connect by *, and nobody by a name that objects have', () => {
    expect(mayConnect(after(the.addedAs('*')), consumer)).toBe(true);
    expect(mayConnect(after(), consumer)).toBe(false);
    for (const name of ['constructor', 'toString', '__proto__']) expect(mayConnect(after(), name), name).toBe(false);
  });
});

describe('what connections must be told', () => {
  it.each<[string, readonly EndpointServiceEvent[], readonly object[]]>([
    ['an account added', [the.addedAs(consumer)], [{ kind: 'userAdded', version: 3, accountId: consumer }]],
    ['an account removed and kept', [the.removedAs(consumer, 'KEEP')], []],
    [
      'an account removed and disconnected',
      [the.removedAs(consumer, 'DISCONNECT')],
      [{ kind: 'userRemoved', version: 3, accountId: consumer, exceptAccountIds: [] }],
    ],
    [
      'an account disconnected that * still matches',
      [the.addedAs('*'), the.removedAs(consumer, 'DISCONNECT')],
      [{ kind: 'userAdded', version: 3, accountId: '*' }],
    ],
    [
      'everybody disconnected but who is entered',
      [the.addedAs(consumer), the.addedAs('*'), the.informedAs(4), the.removedAs('*', 'DISCONNECT')],
      [{ kind: 'userRemoved', version: 6, accountId: '*', exceptAccountIds: [owner, consumer] }],
    ],
    ['other terms of an account', [the.termsAs(owner, { autoAccept: true })], []],
    [
      'a lock, other words for it, and its end',
      [the.lockedAs('a'), the.lockedAs('b'), the.unlocked],
      [
        { kind: 'securityLocked', version: 3, locked: true, message: 'a' },
        { kind: 'securityLocked', version: 4, locked: true, message: 'b' },
        { kind: 'securityLocked', version: 5, locked: false, message: '' },
      ],
    ],
    ['auto-accept', [the.autoAcceptOn()], []],
    ['auto-accept with those that wait', [the.autoAcceptOn(true)], [{ kind: 'waitingAccepted', version: 3 }]],
    ['no auto-accept any more', [the.autoAcceptOff], []],
  ])('%s', (_what, events, expected) => expect(untold(...events)).toEqual(expected));

  it('is in order of version, until the broker was told up to one', () => {
    const three = [the.addedAs('a'), the.addedAs('b'), the.autoAcceptOn(true)];
    expect(untold(...three).map((fact) => fact.version)).toEqual([3, 4, 5]);
    expect(untold(...three, the.informedAs(4)).map((fact) => fact.version)).toEqual([5]);
    givenAll([...active, ...three])
      .when(the.informed(4))
      .thenEvents(the.informedAs(4));
    givenAll([...active, ...three])
      .when(the.informed(2))
      .thenNothing();
    givenAll([...active, ...three, the.informedAs(5)])
      .when(the.informed(5))
      .thenNothing();
  });
});

describe('auto-accept', () => {
  it('is switched on and off once', () => {
    givenAll(active).when(the.autoAccept(true)).thenEvents(the.autoAcceptOn());
    givenAll([...active, the.autoAcceptOn()])
      .when(the.autoAccept(true))
      .thenNothing();
    givenAll([...active, the.autoAcceptOn()])
      .when(the.autoAccept(false))
      .thenEvents(the.autoAcceptOff);
    givenAll(active).when(the.autoAccept(false)).thenNothing();
  });

  it('accepts those that wait when it is on already', () =>
    givenAll([...active, the.autoAcceptOn()])
      .when(the.autoAccept(true, true))
      .thenEvents(the.autoAcceptOn(true)));

  const accepted = [...active, the.autoAcceptOn(true), the.informedAs(3)];
  it('accepts them once, also after the broker was told', () => {
    givenAll(accepted.slice(0, -1)).when(the.autoAccept(true, true)).thenNothing();
    givenAll(accepted).when(the.autoAccept(true, true)).thenNothing();
    givenAll(accepted)
      .when(the.autoAccept(true, true, 2))
      .thenNothing();
  });

  it('accepts again for whoever has seen the last time: the terms of an account may let it wait', () =>
    givenAll(accepted)
      .when(the.autoAccept(true, true, 3))
      .thenEvents(the.autoAcceptOn(true)));

  it('accepts those that came while it was off, though the broker has not been told of the earlier ones', () => {
    const off = [...active, the.autoAcceptOn(true), the.autoAcceptOff];
    givenAll(off).when(the.autoAccept(true, true)).thenEvents(the.autoAcceptOn(true));
    givenAll([...off, the.autoAcceptOn()])
      .when(the.autoAccept(true, true, 5))
      .thenEvents(the.autoAcceptOn(true));
  });
});

describe('zones on offer', () => {
  const inZone = (resourceId: string, zoneId: string, autoAllocated = true) =>
    the.attachedAs(the.resource(resourceId, { zoneId, autoAllocated }), false);

  it('are those with a resource that takes new endpoints, sorted', () => {
    expect(offeredZones(after(inZone('nlb-2', 'b'), inZone('nlb-3', 'b'), inZone('nlb-4', 'a', false)))).toEqual([
      'b',
      'h',
    ]);
    expect(offeredZones(after(the.detachingAs('nlb-1')))).toEqual([]);
    expect(offeredZones(after(the.detachingAs('nlb-1'), the.detachmentRefusedAs('nlb-1')))).toEqual(['h']);
  });

  it('leave out one resource being detached, not its neighbours', () => {
    const state = after(inZone('nlb-2', 'h'), the.detachingAs('nlb-1'));
    expect(state.resources.filter(isOffered(state)).map((found) => found.resourceId)).toEqual(['nlb-2']);
  });
});

describe('the last refusals', () => {
  it('are kept for who waits for them', () => {
    expect(after(the.deletionStartedAs('ACTIVE'), the.deletionRefused)).toMatchObject({
      status: 'ACTIVE',
      deletion: null,
      lastRefusal: { version: 4, blockers: [{ connectionId: 'ep-1', status: 'CONNECTED' }], blockerCount: 1 },
    });
    expect(after(the.detachingAs('nlb-1'), the.detachmentRefusedAs('nlb-1'))).toMatchObject({
      detaching: [],
      lastDetachmentRefusal: { resourceId: 'nlb-1', zoneId: 'h', version: 4, started: 3, endpointIds: ['ep-1'] },
    });
  });
});
