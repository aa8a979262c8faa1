import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Connection as ConnectionMessage } from '@privatelink/proto/broker/v1/connection';
import type { AnyEvent, StoredEvent } from '@privatelink/shared/eventing/message';
import { describe, expect, it } from 'vitest';
import { toConnection, type View, type ViewOptions } from '../../../connection-broker/src/api/connection-view.ts';
import { connectionCodec } from '../../../connection-broker/src/connection/connection.codec.ts';
import { connection as decider } from '../../../connection-broker/src/connection/connection.decide.ts';
import type { Connection } from '../../../connection-broker/src/connection/connection.ts';
import type { Hold, HoldReason } from '../../../connection-broker/src/connection/holds.ts';
import { connectionFor, sideOf } from './connection-view.ts';

const samples = new URL('../../../connection-broker/src/connection/connection.samples.json', import.meta.url);
const { events } = JSON.parse(readFileSync(samples, 'utf8')) as {
  events: readonly Pick<StoredEvent, 'type' | 'data'>[];
};

const options: ViewOptions = {
  dnsSuffix: 'privatelink.internal',
  forwarder: 'agents',
  stuckAfterMs: 60_000,
  now: () => new Date('2026-01-02T03:04:05Z'),
};

const REASONS: readonly HoldReason[] = [
  ...(['ENDPOINT_PAYMENT_OVERDUE', 'SERVICE_PAYMENT_OVERDUE', 'ENDPOINT_SECURITY_LOCK'] as const),
  ...(['SERVICE_SECURITY_LOCK', 'NOT_WHITELISTED', 'PAUSED_BY_CONSUMER', 'PAUSED_BY_PROVIDER', 'NO_ZONE'] as const),
];

const hold = (reason: HoldReason): Hold => ({
  ...{ reason, source: `source of ${reason}`, actor: 'user:olga', message: `about ${reason}` },
  at: '2026-01-02T03:04:05Z',
});

/** Every state of the broker's frozen history. */
const history: Connection[] = [];
for (const { type, data } of events) {
  const meta = { id: '', metadata: {}, stream: 'connection-1', revision: 0n, position: 0n, recordedAt: '' };
  const event = connectionCodec.decode({ ...meta, type, data }) as AnyEvent as never;
  history.push(decider.evolve(history.at(-1) ?? decider.initial, event));
}

/** Each also with every hold and with targets, of either direction. */
const states: readonly Connection[] = history.flatMap((state) => {
  const held = Object.fromEntries(REASONS.map((reason) => [`${reason}|x`, hold(reason)]));
  const targets = [
    { ip: '10.0.0.1', port: 80, allowed: true },
    { ip: '10.0.0.2', port: 80, allowed: false },
  ];
  return [state, { ...state, holds: held }, { ...state, holds: held, targets, endpointType: 'REVERSE' as const }];
});

/** As it comes over the wire. */
const announced = (state: Connection, view: View): ConnectionMessage =>
  ConnectionMessage.fromJSON(ConnectionMessage.toJSON(toConnection(state, 7n, view, options)));

describe('what a side sees of a connection', () => {
  it.each(['provider', 'consumer', 'everything'] as const)('is what the broker shows a %s', (view) => {
    const differing = states.filter(
      (state) => !isDeepStrictEqual(announced(state, view), announced(state, 'everything')),
    );
    if (view !== 'everything') expect(differing.length).toBeGreaterThan(states.length / 2);
    for (const state of states) {
      expect(connectionFor(announced(state, 'everything'), view)).toEqual(announced(state, view));
    }
  });

  it('is told by its account', () => {
    const sides = { endpointAccountId: '2', serviceAccountId: '1' };
    expect(sideOf(sides, { accountId: '1' })).toBe('provider');
    expect(sideOf(sides, { accountId: '2' })).toBe('consumer');
    expect(sideOf(sides, { accountId: null })).toBe('everything');
    expect(sideOf({ endpointAccountId: '1', serviceAccountId: '1' }, { accountId: '1' })).toBe('everything');
  });
});
