import { evolveAll } from '@privatelink/shared/eventing/decider';
import { describe, expect, it } from 'vitest';
import { factsForConnection, scopesOf } from './facts-for-connection.ts';
import { type ScopeFacts, type ScopeFactsEvent, scopeFacts } from './scope-facts.ts';

const at = '2026-01-02T03:04:05.000Z';
const actor = 'user:paula';
const endpoint = {
  endpointId: 'ep-1',
  endpointAccountId: 'consumer',
  endpointRegion: 'cn-shanghai',
  serviceId: 'epsrv-1',
  serviceAccountId: 'provider',
  serviceVersion: 4,
  payer: 'ENDPOINT',
} as const;
const paidByService = { ...endpoint, payer: 'ENDPOINT_SERVICE' } as const;

const factsOf = (...history: readonly ScopeFactsEvent[]): ScopeFacts =>
  evolveAll(scopeFacts, scopeFacts.initial, history);
const overdue = factsOf({
  type: 'PaymentOverdueReported',
  data: { source: 'billing', sequence: 3, actor: 'user:bill', message: 'invoice', at },
});
const listed = (accountId: string, revision: number): ScopeFactsEvent => ({
  type: 'ServiceUserListed',
  data: { accountId, revision, actor, at },
});
const unlisted = (accountId: string, revision: number, ...exceptAccountIds: readonly string[]): ScopeFactsEvent => ({
  type: 'ServiceUserUnlisted',
  data: { accountId, exceptAccountIds, revision, actor, at },
});
const hold = (reason: string, scope: string) => ({
  kind: 'hold',
  reason,
  source: `billing:${scope}`,
  placed: true,
  revision: 3,
  actor: 'user:bill',
  message: 'invoice',
});

describe('a payment report', () => {
  it.each([
    ['the endpoint', 'ep-1', endpoint, 'ENDPOINT_PAYMENT_OVERDUE'],
    ['the endpoint, though the service pays', 'ep-1', paidByService, 'ENDPOINT_PAYMENT_OVERDUE'],
    ['the service', 'epsrv-1', paidByService, 'SERVICE_PAYMENT_OVERDUE'],
    ['the service, though the endpoint pays', 'epsrv-1', endpoint, 'SERVICE_PAYMENT_OVERDUE'],
    ['the consumer that pays', 'consumer', endpoint, 'ENDPOINT_PAYMENT_OVERDUE'],
    ['the provider that pays', 'provider', paidByService, 'SERVICE_PAYMENT_OVERDUE'],
  ])('on %s holds', (_what, scope, connection, reason) => {
    expect(factsForConnection(connection, scope, overdue)).toEqual([hold(reason, scope)]);
    expect(scopesOf(connection)).toContain(scope);
  });

  it.each([
    ['the consumer that does not pay', 'consumer', paidByService],
    ['the provider that does not pay', 'provider', endpoint],
    ['a stranger', 'stranger', endpoint],
    ['another endpoint', 'ep-2', endpoint],
  ])('on %s does not', (_what, scope, connection) => {
    expect(factsForConnection(connection, scope, overdue)).toEqual([]);
    expect(scopesOf(connection)).not.toContain(scope);
  });

  it('on an account that is on both sides holds as the side that pays, once', () => {
    const same = { endpointAccountId: 'both', serviceAccountId: 'both' };
    expect(factsForConnection({ ...endpoint, ...same }, 'both', overdue)).toEqual([
      hold('ENDPOINT_PAYMENT_OVERDUE', 'both'),
    ]);
    expect(factsForConnection({ ...paidByService, ...same }, 'both', overdue)).toEqual([
      hold('SERVICE_PAYMENT_OVERDUE', 'both'),
    ]);
  });

  it('of every source is a hold of its own, and settled lifts it', () => {
    const both = factsOf(
      { type: 'PaymentOverdueReported', data: { source: 'a', sequence: 1, actor, message: '', at } },
      { type: 'PaymentSettledReported', data: { source: 'b', sequence: 8, actor, message: '', at } },
    );
    expect(factsForConnection(endpoint, 'ep-1', both)).toMatchObject([
      { source: 'a:ep-1', placed: true, revision: 1 },
      { source: 'b:ep-1', placed: false, revision: 8 },
    ]);
  });

  it('acts whatever the version of the admission: it may be overdue since long before', () =>
    expect(factsForConnection({ ...endpoint, serviceVersion: 900 }, 'epsrv-1', overdue)).toHaveLength(1));
});

describe('the whitelist', () => {
  const held = (...history: readonly ScopeFactsEvent[]) =>
    factsForConnection(endpoint, 'epsrv-1', factsOf(...history)).map((fact) =>
      fact.kind === 'hold' ? `${fact.placed ? 'held' : 'free'}@${fact.revision}` : fact.kind,
    );

  it.each<[string, readonly ScopeFactsEvent[], readonly string[]]>([
    ['removed', [unlisted('consumer', 5)], ['held@5']],
    ['removed and added again', [unlisted('consumer', 5), listed('consumer', 6)], ['free@6']],
    ['somebody else removed', [unlisted('other', 5)], []],
    ['everybody removed', [unlisted('*', 5)], ['held@5']],
    ['everybody but some removed, this one among them', [unlisted('*', 5, 'consumer')], []],
    ['everybody but others removed', [unlisted('*', 5, 'other')], ['held@5']],
    ['removed, then everybody added', [unlisted('consumer', 5), listed('*', 6)], ['free@6']],
    ['everybody added, then removed', [listed('*', 5), unlisted('consumer', 6)], ['held@6']],
    ['added, then everybody removed that is not entered', [listed('consumer', 5), unlisted('*', 6)], ['held@6']],
    ['added, everybody else removed', [listed('consumer', 5), unlisted('*', 6, 'consumer')], ['free@5']],
    ['everybody removed, then added', [unlisted('*', 5), listed('consumer', 6)], ['free@6']],
    ['kept by an exception, then removed', [unlisted('*', 5, 'consumer'), unlisted('consumer', 6)], ['held@6']],
    ['told in another order', [listed('*', 6), unlisted('consumer', 5)], ['free@6']],
    ['before it was admitted', [unlisted('consumer', 4)], []],
    ['everybody before it was admitted', [unlisted('*', 3)], []],
    ['never changed', [], []],
  ])('%s', (_what, history, expected) => expect(held(...history)).toEqual(expected));

  it('is of the service alone: the same record of another scope says nothing', () =>
    expect(factsForConnection(endpoint, 'consumer', factsOf(unlisted('consumer', 5)))).toEqual([]));

  it('holds by the service as its source, so that a word on the account and one on everybody are one key', () =>
    expect(factsForConnection(endpoint, 'epsrv-1', factsOf(unlisted('*', 5)))).toEqual([
      {
        kind: 'hold',
        reason: 'NOT_WHITELISTED',
        source: 'epsrv-1',
        placed: true,
        revision: 5,
        actor,
        message: '',
      },
    ]));
});

describe('accepting all that wait', () => {
  const accepted = (revision: number) => factsOf({ type: 'WaitingConnectionsAccepted', data: { revision, actor, at } });

  it('is for those admitted before', () => {
    expect(factsForConnection(endpoint, 'epsrv-1', accepted(5))).toEqual([
      { kind: 'waitingAccepted', revision: 5, actor },
    ]);
    expect(factsForConnection(endpoint, 'epsrv-1', accepted(4))).toEqual([]);
  });
});

describe('a closing service', () => {
  const start = (revision: number, regionId: string | null = null): ScopeFactsEvent => ({
    type: 'ServiceClosingStarted',
    data: { regionId, revision, force: true, actor, at },
  });
  const deleted = [{ kind: 'serviceDeleted', revision: 6, actor }];

  it('says nothing to connections until it is decided', () => {
    expect(factsForConnection(endpoint, 'epsrv-1', factsOf(start(6)))).toEqual([]);
    const refused: ScopeFactsEvent = {
      type: 'ServiceClosingRefused',
      data: { regionId: null, revision: 6, blockerCount: 1, at },
    };
    expect(factsForConnection(endpoint, 'epsrv-1', factsOf(start(6), refused))).toEqual([]);
  });

  it('is deleted once closed, for late comers also after the teardown, and whatever else is known', () => {
    const closed = [start(6), { type: 'ServiceClosed', data: { regionId: null, revision: 6, at } }] as const;
    const done = {
      type: 'ServiceTeardownCompleted',
      data: { regionId: null, revision: 6, connectionCount: 0, at },
    } as const;
    expect(factsForConnection(endpoint, 'epsrv-1', factsOf(...closed))).toEqual(deleted);
    expect(factsForConnection(endpoint, 'epsrv-1', factsOf(unlisted('*', 5), ...closed, done))).toEqual(deleted);
    expect(factsForConnection(endpoint, 'consumer', factsOf(...closed))).toEqual([]);
  });

  it('of a region is deleted for endpoints of it that were admitted before', () => {
    const closedTo = (regionId: string) =>
      factsOf(start(6, regionId), { type: 'ServiceClosed', data: { regionId, revision: 6, at } });
    expect(factsForConnection(endpoint, 'epsrv-1', closedTo('cn-shanghai'))).toEqual(deleted);
    expect(factsForConnection(endpoint, 'epsrv-1', closedTo('cn-beijing'))).toEqual([]);
    const later = { ...endpoint, serviceVersion: 7 };
    expect(factsForConnection(later, 'epsrv-1', closedTo('cn-shanghai'))).toEqual([]);
  });
});
