import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { endpointService } from './endpoint-service.decide.ts';
import * as the from './endpoint-service.fixtures.ts';
import { businessStatusOf, locksOf } from './endpoint-service.locks.ts';
import type { EndpointServiceEvent } from './endpoint-service.ts';

const { given, givenAll, at } = deciderSpec(endpointService);
const stateOf = (events: readonly EndpointServiceEvent[]) =>
  events.reduce(endpointService.evolve, endpointService.initial);
const ofService = 'erp:epsrv-1';
const ofAccount = `erp:${the.owner}`;
const paying = [the.createdAs({ payer: 'ENDPOINT_SERVICE' }), the.activated];

describe('an overdue payment', () => {
  it.each([
    ['of the service, whoever pays', the.active, 'epsrv-1', [the.overdueAs(ofService, 3)]],
    ['of the account that pays for its services', paying, the.owner, [the.overdueAs(ofAccount, 3)]],
    ['of the account, where the endpoints pay', the.active, the.owner, []],
  ])('%s', (_what, history, scope, expected) => {
    givenAll(history)
      .when(the.payments(scope, the.unpaid(3)))
      .thenEvents(...expected);
  });

  it('is ordered by its number: what comes late changes nothing', () => {
    const overdue = [...the.active, the.overdueAs(ofService, 3)];
    givenAll(overdue)
      .when(the.payments('epsrv-1', the.paid(2)))
      .thenNothing();
    givenAll(overdue)
      .when(the.payments('epsrv-1', the.paid(4)))
      .thenEvents(the.settledAs(ofService, 4));
    givenAll([...overdue, the.settledAs(ofService, 4)])
      .when(the.payments('epsrv-1', the.unpaid(3)))
      .thenNothing();
    givenAll(the.active)
      .when(the.payments('epsrv-1', the.paid(4)))
      .thenNothing();
  });

  it('is one of several: all of them must be settled', () => {
    const both = [...paying, the.overdueAs(ofService, 1), the.overdueAs(ofAccount, 1)];
    const one = [...both, the.settledAs(ofAccount, 2)];
    expect(businessStatusOf(stateOf(both))).toBe('FINANCIAL_LOCKED');
    expect(locksOf(stateOf(one)).map(({ source }) => source)).toEqual([ofService]);
    expect(businessStatusOf(stateOf([...one, the.settledAs(ofService, 2)]))).toBe('NORMAL');
  });

  it('is not shown before an operator’s lock, but listed after it', () => {
    const state = stateOf([...the.active, the.overdueAs(ofService, 1), the.lockedAs('leaks')]);
    expect(businessStatusOf(state)).toBe('SECURITY_LOCKED');
    expect(locksOf(state)).toEqual([
      { kind: 'SECURITY_LOCKED', source: '', message: 'leaks', at },
      { kind: 'FINANCIAL_LOCKED', source: ofService, message: 'invoice 1', at },
    ]);
  });

  it('leaves only the deletion', () => {
    const overdue = [...the.active, the.overdueAs(ofService, 1)];
    const facts = { service_id: 'epsrv-1', business_status: 'FINANCIAL_LOCKED' };
    givenAll(overdue).when(the.describeAs('other')).thenRejected('SERVICE_LOCKED', facts);
    givenAll(overdue).when(the.startDeletion()).thenTypes('DeletionStarted');
  });

  it('of the account locks also a service that is created meanwhile', () => {
    given(the.createdAs({ payer: 'ENDPOINT_SERVICE' }))
      .when({ type: 'ActivateEndpointService', data: { payments: [the.unpaid(7), the.paid(2, 'billing')] } })
      .thenEvents(the.activated, the.overdueAs(ofAccount, 7));
  });
});
