import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';
import { missing } from './connection.progress.ts';
import type { ConnectionEvent } from './connection.ts';
import { zoneStatus } from './zone-status.ts';

const { givenAll, given } = deciderSpec(connection, the.at);
const { move, report, zones } = the;

const after = (history: readonly ConnectionEvent[]) => evolveAll(connection, connection.initial, history);
const statuses = (history: readonly ConnectionEvent[]) => {
  const state = after(history);
  return Object.values(state.zones).map((zone) => zoneStatus(state, zone));
};

/** The lift of the hold that `disconnecting` has. */
const liftedMeanwhile = the.holdAs(the.lifted(2), move('DISCONNECTING', 'holdLifted', 'DISCONNECTING', 2));

describe('connecting', () => {
  it('is established by all zones and the names of this generation', () =>
    givenAll(the.connecting)
      .when(report(1, { zones: zones('READY'), names: 'PUBLISHED', factsSeen: { 'epsrv-1': 3 } }))
      .thenEvents(...the.zonesAs('ZoneConnected', 1), the.namesAs('NamesPublished', 1), {
        type: 'ConnectionEstablished',
        data: { factsSeen: { 'epsrv-1': 3 }, at: the.at, move: move('CONNECTING', 'confirmed', 'CONNECTED', 1) },
      }));

  it('waits for the names', () =>
    givenAll(the.connecting)
      .when(report(1, { zones: zones('READY') }))
      .thenEvents(...the.zonesAs('ZoneConnected', 1)));

  it('waits for the facts to be looked at', () =>
    givenAll([...the.connecting, the.namesAs('NamesPublished', 1)])
      .when(report(1, { zones: zones('READY'), factsSeen: null }))
      .thenEvents(...the.zonesAs('ZoneConnected', 1)));

  it('waits for every zone', () =>
    givenAll(the.connecting)
      .when(report(1, { zones: zones('READY').slice(0, 1), names: 'PUBLISHED' }))
      .thenTypes('ZoneConnected', 'NamesPublished'));

  it('is established without names where the type has none', () => {
    const [requested, accepted] = the.connecting;
    if (requested?.type !== 'ConnectionRequested' || !accepted) throw new Error('the fixture has changed');
    const data = { ...requested.data, endpointType: 'GATEWAY_LOAD_BALANCER' } as const;
    given({ ...requested, data }, accepted)
      .when(report(1, { zones: zones('READY') }))
      .thenTypes('ZoneConnected', 'ZoneConnected', 'ConnectionEstablished');
  });

  it('keeps the resource that was chosen first', () => {
    const assigned = [{ zoneId: 'h', resource: the.resource('h'), placement: 1 }];
    const event: ConnectionEvent = {
      type: 'ZoneResourceAssigned',
      data: { zoneId: 'h', resource: the.resource('h'), placement: 1, at: the.at },
    };
    givenAll(the.connecting).when(report(0, { assigned })).thenEvents(event);
    givenAll([...the.connecting, event])
      .when(report(1, { assigned: [{ zoneId: 'h', resource: the.resource('h', 'nlb-9'), placement: 2 }] }))
      .thenNothing();
  });
});

describe('a report changes nothing', () => {
  it.each([
    ['of an older generation', the.disconnecting, report(1, { zones: zones('CLOSED'), names: 'WITHDRAWN' })],
    ['of a newer generation', the.connecting, report(2, { zones: zones('READY'), names: 'PUBLISHED' })],
    ['repeated', the.connected, report(1, { zones: zones('READY'), names: 'PUBLISHED' })],
    ['of what is not wanted', the.connected, report(1, { zones: zones('CLOSED'), names: 'WITHDRAWN' })],
    ['of closed zones while connecting', the.connecting, report(1, { zones: zones('CLOSED') })],
    ['of names while disconnecting', the.disconnecting, report(2, { names: 'PUBLISHED' })],
    ['of an unknown zone', the.connecting, report(1, { zones: [the.zone('z', 'READY')] })],
    [
      'of a resource in an unknown zone',
      the.connecting,
      report(1, { assigned: [{ zoneId: 'z', resource: the.resource('z'), placement: 1 }] }),
    ],
    ['before the request', [], report(0, { zones: zones('READY'), names: 'PUBLISHED' })],
    ['after the end', the.gone, report(2, { zones: zones('CLOSED'), names: 'REMOVED' })],
  ])('%s', (_which, history, command) => givenAll(history).when(command).thenNothing());
});

describe('disconnecting', () => {
  const done = report(2, { zones: zones('CLOSED'), names: 'WITHDRAWN' });
  const confirmed = [...the.zonesAs('ZoneDisconnected', 2), the.namesAs('NamesWithdrawn', 2)];

  it('ends disconnected while something holds it', () =>
    givenAll(the.disconnecting)
      .when(done)
      .thenEvents(
        ...confirmed,
        the.movedAs(
          'ConnectionDisconnected',
          move('DISCONNECTING', 'tornDown', 'DISCONNECTED', 2, 'ENDPOINT_PAYMENT_OVERDUE'),
        ),
      ));

  it('connects anew when nothing holds it any more', () =>
    givenAll([...the.disconnecting, liftedMeanwhile])
      .when(done)
      .thenEvents(...confirmed, the.movedAs('ConnectingStarted', move('DISCONNECTING', 'tornDown', 'CONNECTING', 3))));

  it('waits for forwarding and for names', () => {
    givenAll(the.disconnecting)
      .when(report(2, { names: 'WITHDRAWN' }))
      .thenTypes('NamesWithdrawn');
    givenAll(the.disconnecting)
      .when(report(2, { zones: zones('CLOSED') }))
      .thenTypes('ZoneDisconnected', 'ZoneDisconnected');
  });
});

describe('the names of what was never connected', () => {
  it('are reserved: confirmed withdrawn, with no move', () =>
    givenAll(the.awaiting)
      .when(report(1, { names: 'WITHDRAWN' }))
      .thenEvents(the.namesAs('NamesWithdrawn', 1)));
});

describe('a deleted service', () => {
  const done = report(2, { zones: zones('CLOSED'), names: 'WITHDRAWN' });

  it('has its teardown confirmed once, and the status stays', () => {
    const torn = givenAll(the.ofDeletedService)
      .when(done)
      .thenTypes('ZoneDisconnected', 'ZoneDisconnected', 'NamesWithdrawn', 'TeardownConfirmed');
    const state = after([...the.ofDeletedService, ...torn]);
    expect(state).toMatchObject({ status: 'SERVICE_DELETED', teardown: 'DONE' });
    expect(after(the.ofDeletedService).teardown).toBe('PENDING');
  });
});

describe('deleting', () => {
  it('ends when names are removed and forwarding is closed', () =>
    givenAll(the.deleting)
      .when(report(2, { zones: zones('CLOSED'), names: 'REMOVED' }))
      .thenEvents(...the.gone.slice(the.deleting.length)));

  it('takes names in steps that do not go back', () => {
    const withdrawn = the.namesAs('NamesWithdrawn', 2);
    const removed = the.namesAs('NamesRemoved', 2);
    givenAll(the.deleting)
      .when(report(2, { names: 'WITHDRAWN' }))
      .thenEvents(withdrawn);
    givenAll([...the.deleting, withdrawn])
      .when(report(2, { names: 'REMOVED' }))
      .thenEvents(removed);
    givenAll([...the.deleting, removed])
      .when(report(2, { names: 'WITHDRAWN' }))
      .thenNothing();
    givenAll([...the.deleting, removed])
      .when(report(2, { names: 'PUBLISHED' }))
      .thenNothing();
  });
});

describe('what is missing', () => {
  it.each([
    ['connecting', the.connecting, ['resource READY in h', 'resource READY in i', 'names PUBLISHED']],
    ['disconnecting', the.disconnecting, ['resource CLOSED in h', 'resource CLOSED in i', 'names WITHDRAWN']],
    ['deleting', the.deleting, ['resource CLOSED in h', 'resource CLOSED in i', 'names REMOVED']],
    ['connected', the.connected, []],
    ['disconnected', the.disconnected, []],
    ['waiting', the.awaiting, []],
    ['gone', the.gone, []],
    ['absent', [], []],
  ])('while %s', (_status, history, expected) => expect(missing(after(history))).toEqual(expected));

  it('names forwarding once the resource is known', () =>
    expect(
      missing(
        after([
          ...the.connecting,
          {
            type: 'ZoneResourceAssigned',
            data: { zoneId: 'h', resource: the.resource('h'), placement: 1, at: the.at },
          },
          ...the.zonesAs('ZoneConnected', 1).slice(1),
        ]),
      ),
    ).toEqual(['forwarding READY in h', 'names PUBLISHED']));
});

describe('zones', () => {
  it.each([
    ['waiting', the.awaiting, 'WAIT'],
    ['connecting', the.connecting, 'CONNECTING'],
    ['connected', the.connected, 'CONNECTED'],
    ['disconnecting', the.disconnecting, 'DISCONNECTING'],
    ['disconnected', the.disconnected, 'WAIT'],
    ['of a deleted service', the.ofDeletedService, 'DISCONNECTING'],
    ['deleting', the.deleting, 'DELETING'],
    ['gone', the.gone, 'DELETING'],
  ])('of a connection that is %s', (_status, history, expected) =>
    expect(statuses(history)).toEqual([expected, expected]),
  );
});
