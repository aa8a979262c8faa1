import { describe, expect, it } from 'vitest';
import { locksOf } from './endpoint.locks.ts';
import type { EndpointEvent } from './endpoint.ts';
import {
  activate,
  active,
  at,
  create,
  given,
  lock,
  payments,
  played,
  remove,
  stateAfter,
  update,
} from './testing/fixtures.ts';

const ofEndpoint = 'erp:ep-1';
const ofAccount = `erp:${'2'.repeat(16)}`;
const placedAs = (source: string, revision: number): EndpointEvent => ({
  type: 'FinancialLockPlaced',
  data: { source, message: 'invoice 7', revision, at },
});
const liftedAs = (source: string, revision: number): EndpointEvent => ({
  type: 'FinancialLockLifted',
  data: { source, revision, at },
});

describe('an overdue payment', () => {
  it('locks until it is settled', () => {
    given(...active())
      .when(payments(4, ofEndpoint))
      .thenEvents(placedAs(ofEndpoint, 4));
    given(...active(payments(4, ofEndpoint)))
      .when(payments(7))
      .thenEvents(liftedAs(ofEndpoint, 7));
    given(...active())
      .when(payments(7))
      .thenNothing();
  });

  it('is one of several: each is a lock of its own', () => {
    given(...active(payments(4, ofEndpoint)))
      .when(payments(5, ofEndpoint, ofAccount))
      .thenEvents(placedAs(ofAccount, 5));
    given(...active(payments(5, ofEndpoint, ofAccount)))
      .when(payments(6, ofAccount))
      .thenEvents(liftedAs(ofEndpoint, 6));
  });

  it('is of the connection’s newest revision: what comes late changes nothing', () => {
    given(...active(payments(4, ofEndpoint), payments(7)))
      .when(payments(4, ofEndpoint))
      .thenNothing();
  });

  it('is listed after an operator’s lock', () => {
    expect(locksOf(stateAfter(payments(4, ofEndpoint), lock('abuse')))).toEqual([
      { kind: 'SECURITY_LOCKED', source: '', message: 'abuse', at },
      { kind: 'FINANCIAL_LOCKED', source: ofEndpoint, message: 'invoice 7', at },
    ]);
  });

  it('leaves only the deletion, after which nothing is owed', () => {
    const overdue = active(payments(4, ofEndpoint));
    const facts = { endpoint_id: 'ep-1', message: 'invoice 7', business_status: 'FINANCIAL_LOCKED' };
    given(...overdue)
      .when(update({ description: 'other' }))
      .thenRejected('ENDPOINT_LOCKED', facts);
    given(...overdue)
      .when(remove())
      .thenTypes('DeletionStarted');
    given(...active(remove()))
      .when(payments(4, ofEndpoint))
      .thenNothing();
  });

  it('locks also an endpoint that is being created', () => {
    given(...played(create))
      .when(payments(1, ofAccount))
      .thenEvents(placedAs(ofAccount, 1));
    given(...played(create, payments(1, ofAccount)))
      .when(activate)
      .thenTypes('EndpointActivated');
  });
});
