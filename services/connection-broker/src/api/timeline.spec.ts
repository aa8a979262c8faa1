import type { Recorded } from '@privatelink/shared/eventing/message';
import { expect, it } from 'vitest';
import type { ConnectionEvent } from '../connection/connection.ts';
import { toTimelineEvent } from './timeline.ts';

const sides = {
  serviceAccountId: '1000000000000001',
  endpointAccountId: '2000000000000002',
  endpointType: 'INTERFACE',
} as const;
const at = '2026-01-02T03:04:05.678Z';

const recorded = (
  event: ConnectionEvent,
  actor: string,
  accountId = '',
  requestId = '',
): Recorded<ConnectionEvent> => ({
  ...event,
  meta: {
    id: 'id',
    stream: 'connection-ep-1',
    revision: 3n,
    position: 9n,
    recordedAt: '2026-01-02T03:04:05.000Z',
    metadata: { actor, accountId, requestId },
  },
});

const rejected = recorded(
  { type: 'ConnectionRejected', data: { actor: 'user:paula', message: 'not now', at, move: null } },
  'user:paula',
  sides.serviceAccountId,
);
const deletion = recorded(
  {
    type: 'DeletionStarted',
    data: {
      actor: 'user:carl',
      at,
      move: { from: 'CONNECTED', to: 'DELETING', because: 'endpointDeleted', holds: [], generation: 2 },
    },
  },
  'user:carl',
);

it('tells when, by the time that the fact itself keeps', () => {
  const { recordTime } = toTimelineEvent(rejected, 'provider', sides);
  expect(recordTime).toEqual({ seconds: BigInt(Date.parse(at)) / 1000n, nanos: 678_000_000 });
});

it('names people to their own side, and to the other one only the side', () => {
  expect(toTimelineEvent(rejected, 'provider', sides).actor).toBe('user:paula');
  expect(toTimelineEvent(rejected, 'consumer', sides).actor).toBe('provider');
  expect(toTimelineEvent(rejected, 'everything', sides).actor).toBe('user:paula');
});

it('knows what the consumer service reports for what its owner did', () => {
  expect(toTimelineEvent(deletion, 'consumer', sides).actor).toBe('user:carl');
  expect(toTimelineEvent(deletion, 'provider', sides).actor).toBe('consumer');
});

it('knows a change of names for the consumer’s, and the change that it starts by who told of it', () => {
  const carl = 'user:carl';
  for (const event of [
    { type: 'CustomDomainsChanged', data: { customDomains: [], at } },
    { type: 'ZoneAffinityChanged', data: { zoneAffinity: true, at } },
  ] as const) {
    expect(toTimelineEvent(recorded(event, carl), 'consumer', sides).actor).toBe(carl);
    expect(toTimelineEvent(recorded(event, carl), 'provider', sides).actor).toBe('consumer');
  }
  const move = { from: 'CONNECTED', to: 'CHANGING', because: 'changed', holds: [], generation: 2 } as const;
  const started = { type: 'ChangeStarted', data: { at, move } } as const;
  const told = recorded(started, carl, '', 'service:consumer/privatelink.broker.v1.BrokerService/UpdateConnection/r');
  expect(toTimelineEvent(told, 'consumer', sides).actor).toBe(carl);
  expect(toTimelineEvent(told, 'provider', sides).actor).toBe('consumer');
  const theirs = recorded(started, 'user:paula', sides.serviceAccountId, `${sides.serviceAccountId}/any/r`);
  expect(toTimelineEvent(theirs, 'consumer', sides).actor).toBe('provider');
  expect(toTimelineEvent(recorded(started, 'user:olga', '', 'user:olga/any/r'), 'consumer', sides).actor).toBe(
    'operator',
  );
});

it('knows an automatic acceptance for the broker’s, though it comes with the consumer’s request', () => {
  const accepted = (actor: string) =>
    ({
      type: 'ConnectionAccepted',
      data: { automatic: true, actor, message: '', expiresAt: '', at, move: null },
    }) as const;
  const automatic = recorded(accepted('service:broker'), 'user:carl');
  for (const view of ['consumer', 'provider', 'everything'] as const)
    expect(toTimelineEvent(automatic, view, sides).actor).toBe('service:broker');
  const later = recorded(accepted('user:paula'), 'user:paula', sides.serviceAccountId);
  expect(toTimelineEvent(later, 'consumer', sides).actor).toBe('provider');
});

it('leaves out what is not for the other side, and says the move', () => {
  const event = toTimelineEvent(deletion, 'provider', sides);
  expect(event.details).toEqual({});
  expect(event.transition).toEqual({ from: 'CONNECTED', to: 'DELETING', because: 'endpointDeleted' });
  expect(toTimelineEvent(rejected, 'consumer', sides).details).toEqual({ message: 'not now' });
  const ingress = [{ allowed: true, fromPort: 0, toPort: 65_535, sourceCidr: '10.0.0.0/8' }];
  const letIn = recorded({ type: 'IngressChanged', data: { ingress, at } }, 'user:carl', '', 'service:consumer/any/r');
  const detailsTo = (view: 'provider' | 'consumer') => toTimelineEvent(letIn, view, sides).details;
  expect([detailsTo('provider'), detailsTo('consumer')]).toEqual([{}, { ingress }]);
});
