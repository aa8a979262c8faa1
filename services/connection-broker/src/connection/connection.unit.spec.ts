import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, it } from 'vitest';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';

const { givenAll, given } = deciderSpec(connection, the.at);
const { move, placed, lifted } = the;
const OVERDUE = 'ENDPOINT_PAYMENT_OVERDUE';

describe('a request', () => {
  it('waits for acceptance', () =>
    given().when(the.request(false)).thenEvents(the.requestedAs('DISCONNECTED', 'AWAITING_ACCEPTANCE')));

  it('connects at once when it is accepted automatically, in the same append', () =>
    given()
      .when(the.request(true))
      .thenEvents(the.requestedAs('CONNECTING'), the.acceptedAs(null, '', true)));

  it.each([
    ['repeated', the.awaiting],
    ['repeated when connected', the.connected],
    ['late, after the end', the.gone],
  ])('changes nothing when %s', (_when, history) => givenAll(history).when(the.request(true)).thenNothing());

  it('that comes after its endpoint was deleted is absorbed', () =>
    given({
      type: 'ConnectionDeleted',
      data: { endpointId: 'ep-1', serviceId: '', at: the.at, move: move(null, 'endpointDeleted', 'GONE', 0) },
    })
      .when(the.request(true))
      .thenNothing());
});

describe('accept', () => {
  it('connects what waited', () =>
    givenAll(the.awaiting)
      .when(the.accept())
      .thenEvents(
        the.acceptedAs(null),
        the.movedAs('ConnectingStarted', move('DISCONNECTED', 'lastHoldLifted', 'CONNECTING', 2)),
      ));

  it('pays no bill: the other hold keeps it disconnected', () =>
    givenAll([...the.awaiting, the.holdAs(placed(1), move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 1))])
      .when(the.accept())
      .thenEvents(the.acceptedAs(move('DISCONNECTED', 'holdLifted', 'DISCONNECTED', 1, OVERDUE))));

  it('again with the same terms changes nothing', () =>
    givenAll([...the.awaiting, the.acceptedAs(null)])
      .when(the.accept())
      .thenNothing());

  it('again with other terms replaces them and leaves the status', () =>
    givenAll(the.connected).when(the.accept('until june')).thenEvents(the.acceptedAs(null, 'until june')));

  it('after a reject connects again', () =>
    givenAll([...the.awaiting, the.rejectedAs(move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 1, 'REJECTED'))])
      .when(the.accept())
      .thenTypes('ConnectionAccepted', 'ConnectingStarted'));

  it('is recorded while disconnecting', () =>
    givenAll([
      ...the.connected,
      the.rejectedAs(null),
      the.movedAs('DisconnectingStarted', move('CONNECTED', 'firstHoldPlaced', 'DISCONNECTING', 2, 'REJECTED')),
    ])
      .when(the.accept())
      .thenEvents(the.acceptedAs(move('DISCONNECTING', 'holdLifted', 'DISCONNECTING', 2))));
});

describe('reject', () => {
  it('disconnects at once', () =>
    givenAll(the.connected)
      .when(the.reject())
      .thenEvents(
        the.rejectedAs(null),
        the.movedAs('DisconnectingStarted', move('CONNECTED', 'firstHoldPlaced', 'DISCONNECTING', 2, 'REJECTED')),
      ));

  it('stops what is being connected', () =>
    givenAll(the.connecting).when(the.reject()).thenTypes('ConnectionRejected', 'DisconnectingStarted'));

  it('takes the place of waiting for acceptance', () =>
    givenAll(the.awaiting)
      .when(the.reject())
      .thenEvents(the.rejectedAs(move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 1, 'REJECTED'))));

  it('is recorded beside other holds while disconnecting', () =>
    givenAll(the.disconnecting)
      .when(the.reject())
      .thenEvents(the.rejectedAs(move('DISCONNECTING', 'holdPlaced', 'DISCONNECTING', 2, OVERDUE, 'REJECTED'))));

  it('again with the same message changes nothing, with another replaces it', () => {
    const rejected = [...the.awaiting, the.rejectedAs(move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 1))];
    givenAll(rejected).when(the.reject()).thenNothing();
    givenAll(rejected)
      .when(the.reject('never'))
      .thenEvents(the.rejectedAs(move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 1, 'REJECTED'), 'never'));
  });
});

describe.each([
  ['accept', the.accept()],
  ['reject', the.reject()],
] as const)('%s is refused', (verb, command) => {
  it.each([
    ['SERVICE_DELETED', the.ofDeletedService, 'delete the endpoint'],
    ['DELETING', the.deleting, 'none'],
  ] as const)('while %s, saying what would be legal', (status, history, legal) =>
    givenAll(history)
      .when(command)
      .thenRejected('CONNECTION_STATUS_CONFLICT', { connection_id: 'ep-1', command: verb, status, holds: '', legal }),
  );

  it('where there is no connection, not yet or not any more', () => {
    given().when(command).thenRejected('CONNECTION_NOT_FOUND');
    givenAll(the.gone).when(command).thenRejected('CONNECTION_NOT_FOUND', { connection_id: 'ep-1' });
  });

  it('naming the holds', () =>
    givenAll([...the.awaiting, ...the.deleting.slice(-1)])
      .when(command)
      .thenRejected('CONNECTION_STATUS_CONFLICT', { holds: 'AWAITING_ACCEPTANCE' }));
});

describe('a hold', () => {
  it.each([
    ['CONNECTING', the.connecting],
    ['CONNECTED', the.connected],
  ] as const)('disconnects at once from %s', (from, history) =>
    givenAll(history)
      .when(the.apply(placed(1)))
      .thenEvents(
        the.holdAs(placed(1), null),
        the.movedAs('DisconnectingStarted', move(from, 'firstHoldPlaced', 'DISCONNECTING', 2, OVERDUE)),
      ),
  );

  it('joins the others', () =>
    givenAll(the.awaiting)
      .when(the.apply(placed(1)))
      .thenEvents(
        the.holdAs(placed(1), move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 1, 'AWAITING_ACCEPTANCE', OVERDUE)),
      ));

  it('lifted last connects again, with a new generation', () =>
    givenAll(the.disconnected)
      .when(the.apply(lifted(2)))
      .thenEvents(
        the.holdAs(lifted(2), null),
        the.movedAs('ConnectingStarted', move('DISCONNECTED', 'lastHoldLifted', 'CONNECTING', 3)),
      ));

  it('lifted with others left stays', () => {
    const account = placed(1, 'billing:account');
    givenAll([...the.disconnected, the.holdAs(account, move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 2))])
      .when(the.apply(lifted(2)))
      .thenEvents(the.holdAs(lifted(2), move('DISCONNECTED', 'holdLifted', 'DISCONNECTED', 2, OVERDUE)));
  });

  it('placed or lifted while disconnecting is recorded, with one move for both', () => {
    const listing = placed(5, 'epsrv-1', 'NOT_WHITELISTED');
    givenAll(the.disconnecting)
      .when(the.apply(listing, lifted(2)))
      .thenEvents(
        the.holdAs(listing, null),
        the.holdAs(lifted(2), move('DISCONNECTING', 'holdLifted', 'DISCONNECTING', 2, 'NOT_WHITELISTED')),
      );
  });

  it.each([
    ['the same fact', placed(1)],
    ['an older fact', placed(0)],
    ['an older lift', lifted(1)],
  ])('is not changed by %s', (_what, fact) => givenAll(the.disconnected).when(the.apply(fact)).thenNothing());

  it('that was lifted before it was placed stays lifted', () =>
    givenAll([...the.connected, the.holdAs(lifted(2), null)])
      .when(the.apply(placed(1)))
      .thenNothing());

  it('placed and lifted in one reading leaves what is connected', () =>
    givenAll(the.connected)
      .when(the.apply(placed(1), lifted(2)))
      .thenEvents(the.holdAs(placed(1), null), the.holdAs(lifted(2), null)));
});

describe('accepting all that wait', () => {
  it('accepts one that waits', () =>
    givenAll(the.awaiting)
      .when(the.apply(the.waitingAccepted(5)))
      .thenTypes('ConnectionAccepted', 'ConnectingStarted'));

  it.each([
    ['accepted', the.connected],
    ['rejected', [...the.awaiting, the.rejectedAs(move('DISCONNECTED', 'holdPlaced', 'DISCONNECTED', 1))]],
  ])('does nothing to one that is %s', (_what, history) =>
    givenAll(history)
      .when(the.apply(the.waitingAccepted(5)))
      .thenNothing(),
  );
});
