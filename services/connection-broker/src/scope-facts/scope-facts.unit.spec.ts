import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ScopeFactsCommand, type ScopeFactsEvent, scopeFacts } from './scope-facts.ts';

const { given, at } = deciderSpec(scopeFacts);

const actor = 'user:paula';
const payment = (sequence: number, source = 'billing') => ({
  source,
  sequence,
  actor: 'user:bill',
  message: 'invoice',
});
const listed = (revision: number, accountId = 'a') => ({ accountId, revision, actor });
const unlisted = (revision: number, accountId = 'a') => ({ ...listed(revision, accountId), exceptAccountIds: [] });

const reportPayment = (overdue: boolean, sequence: number, source?: string): ScopeFactsCommand => ({
  type: 'ReportPayment',
  data: { overdue, ...payment(sequence, source) },
});
const startClosing = (revision: number, force = false, regionId: string | null = null): ScopeFactsCommand => ({
  type: 'StartServiceClosing',
  data: { regionId, revision, force, actor },
});
const started = (revision: number, force = false, regionId: string | null = null): ScopeFactsEvent => ({
  type: 'ServiceClosingStarted',
  data: { regionId, revision, force, actor, at },
});
const refused = (revision: number, regionId: string | null = null): ScopeFactsEvent => ({
  type: 'ServiceClosingRefused',
  data: { regionId, revision, blockerCount: 2, at },
});
const closed = (revision: number, regionId: string | null = null): ScopeFactsEvent => ({
  type: 'ServiceClosed',
  data: { regionId, revision, at },
});
const tornDown = (revision: number, regionId: string | null = null): ScopeFactsEvent => ({
  type: 'ServiceTeardownCompleted',
  data: { regionId, revision, connectionCount: 2, at },
});

describe('payments', () => {
  const overdue: ScopeFactsEvent = { type: 'PaymentOverdueReported', data: { ...payment(3), at } };

  it('are recorded, overdue and settled', () => {
    given().when(reportPayment(true, 3)).thenEvents(overdue);
    given(overdue)
      .when(reportPayment(false, 4))
      .thenEvents({ type: 'PaymentSettledReported', data: { ...payment(4), at } });
  });

  it('of a sequence that is not higher are ignored', () => {
    given(overdue).when(reportPayment(false, 3)).thenNothing();
    given(overdue).when(reportPayment(false, 2)).thenNothing();
  });

  it('have a sequence of each source', () =>
    given(overdue)
      .when(reportPayment(true, 1, 'other'))
      .thenEvents({ type: 'PaymentOverdueReported', data: { ...payment(1, 'other'), at } }));
});

describe('the whitelist', () => {
  const added: ScopeFactsEvent = { type: 'ServiceUserListed', data: { ...listed(5), at } };
  const removed: ScopeFactsEvent = { type: 'ServiceUserUnlisted', data: { ...unlisted(7), at } };

  it('is recorded account by account', () => {
    given()
      .when({ type: 'ListServiceUser', data: listed(5) })
      .thenEvents(added);
    given(added)
      .when({ type: 'UnlistServiceUser', data: unlisted(7) })
      .thenEvents(removed);
    given(added, removed)
      .when({ type: 'ListServiceUser', data: listed(6, 'b') })
      .thenEvents({ type: 'ServiceUserListed', data: { ...listed(6, 'b'), at } });
  });

  it('ignores what is older of the same account, late or repeated', () => {
    given(removed)
      .when({ type: 'ListServiceUser', data: listed(5) })
      .thenNothing();
    given(removed)
      .when({ type: 'ListServiceUser', data: listed(7) })
      .thenNothing();
    given(added)
      .when({ type: 'UnlistServiceUser', data: unlisted(4) })
      .thenNothing();
  });
});

describe('accepting all that wait', () => {
  const accept = (revision: number): ScopeFactsCommand => ({
    type: 'AcceptWaitingConnections',
    data: { revision, actor },
  });
  const accepted: ScopeFactsEvent = { type: 'WaitingConnectionsAccepted', data: { revision: 5, actor, at } };

  it('is recorded by the newest revision', () => {
    given().when(accept(5)).thenEvents(accepted);
    given(accepted).when(accept(4)).thenNothing();
    given(accepted).when(accept(6)).thenTypes('WaitingConnectionsAccepted');
  });
});

describe('closing', () => {
  const refuse = (revision: number, regionId: string | null = null): ScopeFactsCommand => ({
    type: 'RefuseServiceClosing',
    data: { regionId, revision, blockerCount: 2 },
  });
  const close = (revision: number, regionId: string | null = null): ScopeFactsCommand => ({
    type: 'CloseService',
    data: { regionId, revision },
  });
  const complete = (revision: number, regionId: string | null = null): ScopeFactsCommand => ({
    type: 'CompleteServiceTeardown',
    data: { regionId, revision, connectionCount: 2 },
  });

  it('starts, closes and is torn down', () => {
    given().when(startClosing(6)).thenEvents(started(6));
    given(started(6)).when(close(6)).thenEvents(closed(6));
    given(started(6), closed(6)).when(complete(6)).thenEvents(tornDown(6));
  });

  it('that was refused can start again, with force', () => {
    given(started(6)).when(refuse(6)).thenEvents(refused(6));
    given(started(6), refused(6)).when(startClosing(8, true)).thenEvents(started(8, true));
  });

  it('takes an answer to this start only, and only once', () => {
    given().when(close(6)).thenNothing();
    given(started(6), refused(6), started(8)).when(close(6)).thenNothing();
    given(started(6), refused(6), started(8)).when(refuse(6)).thenNothing();
    given(started(6), refused(6)).when(close(6)).thenNothing();
    given(started(6), closed(6)).when(refuse(6)).thenNothing();
    given(started(6)).when(complete(6)).thenNothing();
    given(started(6), closed(6)).when(complete(7)).thenNothing();
  });

  it('does not start again late, and not at all once the service is closed', () => {
    given(started(6), refused(6)).when(startClosing(6)).thenNothing();
    given(started(6), refused(6)).when(startClosing(5)).thenNothing();
    given(started(6), closed(6)).when(startClosing(8)).thenNothing();
    given(started(6), closed(6), tornDown(6)).when(startClosing(8, true)).thenNothing();
  });

  it('is of all endpoints, or of those of a region alone, each in its own order', () => {
    const shanghai = 'cn-shanghai';
    given()
      .when(startClosing(6, true, shanghai))
      .thenEvents(started(6, true, shanghai));
    given(started(6, true, shanghai))
      .when(close(6))
      .thenNothing();
    given(started(6, true, shanghai))
      .when(close(6, 'cn-beijing'))
      .thenNothing();
    given(started(6, true, shanghai))
      .when(close(6, shanghai))
      .thenEvents(closed(6, shanghai));
    given(started(6, false, shanghai))
      .when(refuse(6, shanghai))
      .thenEvents(refused(6, shanghai));
    const removed = [started(6, true, shanghai), closed(6, shanghai)];
    given(...removed)
      .when(complete(6, shanghai))
      .thenEvents(tornDown(6, shanghai));
    given(...removed)
      .when(startClosing(5))
      .thenEvents(started(5));
    given(...removed)
      .when(startClosing(6, true, shanghai))
      .thenNothing();
  });

  it('of a region that is supported again starts anew', () => {
    const shanghai = 'cn-shanghai';
    const removed = [started(6, true, shanghai), closed(6, shanghai), tornDown(6, shanghai)];
    given(...removed)
      .when(startClosing(9, false, shanghai))
      .thenEvents(started(9, false, shanghai));
  });
});

describe('every order of the same facts', () => {
  const commands: readonly ScopeFactsCommand[] = [
    ...[1, 2, 3].map((sequence) => reportPayment(sequence !== 2, sequence)),
    reportPayment(true, 1, 'other'),
    { type: 'ListServiceUser', data: listed(2) },
    { type: 'UnlistServiceUser', data: unlisted(3) },
    { type: 'ListServiceUser', data: listed(4, '*') },
    { type: 'AcceptWaitingConnections', data: { revision: 5, actor } },
    { type: 'AcceptWaitingConnections', data: { revision: 6, actor } },
    startClosing(7),
    startClosing(9, true),
    startClosing(8, false, 'cn-shanghai'),
    startClosing(10, true, 'cn-shanghai'),
  ];
  const known = (order: readonly ScopeFactsCommand[]) => {
    const state = order.reduce(
      (facts, command) => evolveAll(scopeFacts, facts, scopeFacts.decide(command, facts, at)),
      scopeFacts.initial,
    );
    return { ...state, version: 'counts the events' };
  };

  it('is known alike, also when some come twice', () => {
    const orders = fc.shuffledSubarray([...commands, ...commands], { minLength: commands.length * 2 });
    fc.assert(
      fc.property(orders, (order) => {
        expect(known(order)).toEqual(known(commands));
      }),
    );
  });
});

describe('the version', () => {
  it('counts the events, whatever they are', () => {
    const history = [started(6), refused(6), closed(6), tornDown(6)];
    expect(evolveAll(scopeFacts, scopeFacts.initial, history)).toMatchObject({ version: 4 });
  });

  it('counts an answer that no start precedes', () =>
    expect(evolveAll(scopeFacts, scopeFacts.initial, [closed(6)])).toMatchObject({ version: 1, closing: null }));
});
