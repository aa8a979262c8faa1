import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, it } from 'vitest';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';

const { givenAll, given } = deciderSpec(connection, the.at);
const { move, placed, lifted } = the;
const OVERDUE = 'ENDPOINT_PAYMENT_OVERDUE';

describe('the deletion of the service', () => {
  it.each([
    ['CONNECTING', the.connecting, 2, []],
    ['CONNECTED', the.connected, 2, []],
    ['DISCONNECTING', the.disconnecting, 3, [OVERDUE]],
    ['DISCONNECTED', the.disconnected, 3, [OVERDUE]],
  ] as const)('is observed when %s, whatever else is told', (from, history, generation, holds) =>
    givenAll(history)
      .when(the.apply(lifted(7), the.serviceDeleted, placed(8)))
      .thenEvents({
        type: 'ServiceDeletionObserved',
        data: {
          revision: 9,
          actor: 'user:paula',
          at: the.at,
          move: move(from, 'serviceDeleted', 'SERVICE_DELETED', generation, ...holds),
        },
      }),
  );

  it.each([
    ['absent', []],
    ['of a deleted service', the.ofDeletedService],
    ['being deleted', the.deleting],
    ['gone', the.gone],
  ])('and every other fact are absorbed by a connection that is %s', (_what, history) =>
    givenAll(history)
      .when(the.apply(the.serviceDeleted, placed(8), the.waitingAccepted(8)))
      .thenNothing(),
  );
});

describe('the deletion of the endpoint', () => {
  it.each([
    ['CONNECTING', the.connecting, 2, []],
    ['CONNECTED', the.connected, 2, []],
    ['DISCONNECTING', the.disconnecting, 3, [OVERDUE]],
    ['DISCONNECTED', the.disconnected, 3, [OVERDUE]],
    ['SERVICE_DELETED', the.ofDeletedService, 3, []],
  ] as const)('starts the teardown when %s', (from, history, generation, holds) =>
    givenAll(history)
      .when(the.remove)
      .thenEvents({
        type: 'DeletionStarted',
        data: {
          actor: 'user:carl',
          at: the.at,
          move: move(from, 'endpointDeleted', 'DELETING', generation, ...holds),
        },
      }),
  );

  it('before the request ends the connection that never was', () =>
    given()
      .when(the.remove)
      .thenEvents({
        type: 'ConnectionDeleted',
        data: { endpointId: 'ep-1', serviceId: '', at: the.at, move: move(null, 'endpointDeleted', 'GONE', 0) },
      }));

  it('again changes nothing', () => {
    givenAll(the.deleting).when(the.remove).thenNothing();
    givenAll(the.gone).when(the.remove).thenNothing();
  });
});
