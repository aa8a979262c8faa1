import { ConnectionZone, Decision, Hold, HoldReason, ZoneStatus } from '@privatelink/proto/broker/v1/connection';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';
import type { Producer } from '@privatelink/shared/nats/subjects';
import { connectionMoved, endpointMade, serviceMade } from './announcements.ts';

/** What a system of this size would announce, for tests and benchmarks: the same each time. */

const SERVICES = 200;
const PROVIDERS = 40;
const CONSUMERS = 400;
const ZONES = ['cn-hangzhou-g', 'cn-hangzhou-h', 'cn-hangzhou-i'];
const BEGAN = Date.parse('2026-01-02T03:04:05.000Z');
const MINUTE_MS = 60_000;

type Announced = Readonly<{ source: Producer; message: IncomingMessage }>;

/** Of a hundred connections, so many end in each status. */
const SHARES = [
  ['CONNECTED', 80],
  ['DISCONNECTED', 10],
  ['CONNECTING', 2],
  ['CHANGING', 2],
  ['DISCONNECTING', 1],
  ['SERVICE_DELETED', 2],
  ['GONE', 3],
] as const;
const STATUSES = SHARES.flatMap(([status, share]) => Array.from({ length: share }, () => status));

const HOLDS = [
  HoldReason.AWAITING_ACCEPTANCE,
  HoldReason.ENDPOINT_PAYMENT_OVERDUE,
  HoldReason.PAUSED_BY_CONSUMER,
  HoldReason.SERVICE_SECURITY_LOCK,
];

const accountOf = (kind: number, index: number): string => `${kind}${String(index).padStart(15, '0')}`;
export const providerAt = (index: number): string => accountOf(1, index % PROVIDERS);
export const consumerAt = (index: number): string => accountOf(2, index % CONSUMERS);

const idOf = (prefix: string, index: number): string => `${prefix}-${index.toString(36).padStart(20, '0')}`;
export const serviceAt = (index: number): string => idOf('epsrv', index % SERVICES);
export const endpointAt = (index: number): string => idOf('ep', index);

/** Spreads neighbours, so that what is equal in one column is not in another. */
const scatter = (index: number, salt: number): number => Math.imul(index + salt, 2_654_435_761) >>> 8;

/** A few services have most of the connections. */
const serviceIndex = (index: number): number => Math.floor(SERVICES * ((scatter(index, 1) % 1_000) / 1_000) ** 3);

/** Services first, then of each connection its endpoint, its request and where it is now. */
export function* manyConnections(count: number): Generator<Announced> {
  for (let index = 0; index < SERVICES; index++) {
    yield { source: 'provider', message: serviceMade(serviceAt(index), providerAt(index)) };
  }
  for (let index = 0; index < count; index++) yield* connectionAt(index);
}

function* connectionAt(index: number): Generator<Announced> {
  const id = endpointAt(index);
  const status = STATUSES[scatter(index, 2) % STATUSES.length] ?? 'CONNECTED';
  const service = serviceIndex(index);
  const consumer = scatter(index, 3) % CONSUMERS;
  const zones = ZONES.filter((_, zone) => (scatter(index, 4) >> zone) % 2 === 0);
  const createdAt = new Date(BEGAN + index * MINUTE_MS).toISOString();
  const ofBoth = {
    ...{ serviceId: serviceAt(service), serviceName: `com.privatelink.cn-hangzhou.${serviceAt(service)}` },
    ...{ vpcId: idOf('vpc', consumer * 3 + (index % 3)), createTime: timestamp(createdAt) },
  };
  yield {
    source: 'consumer',
    message: endpointMade(id, 0n, { ...ofBoth, accountId: consumerAt(consumer) }),
  };
  const [hold = HoldReason.AWAITING_ACCEPTANCE] = HOLDS.slice(scatter(index, 5) % HOLDS.length);
  const isHeld = status === 'DISCONNECTED' || status === 'DISCONNECTING';
  const connection = {
    ...ofBoth,
    ...{ endpointAccountId: consumerAt(consumer), serviceAccountId: providerAt(service) },
    decision: isHeld && hold === HoldReason.AWAITING_ACCEPTANCE ? Decision.AWAITING : Decision.ACCEPTED,
    holds: isHeld ? [Hold.fromPartial({ reason: hold, source: 'many', placedBy: 'user:many' })] : [],
    zones: (zones.length > 0 ? zones : ZONES.slice(0, 1)).map((zoneId) =>
      ConnectionZone.fromPartial({
        ...{ zoneId, eniId: idOf('eni', index), status: ZoneStatus.CONNECTED, enabled: true },
        ...{ resourceId: `nlb-${service}-${zoneId}`, domainName: `${id}-${zoneId}.${serviceAt(service)}.example` },
      }),
    ),
    degraded: index % 500 === 0,
  };
  const requested = { ...connection, holds: [], type: 'ConnectionRequested', statusTime: timestamp(createdAt) };
  yield { source: 'broker', message: connectionMoved(id, 0n, ['', 'CONNECTING'], requested) };
  // Some a moment ago, so that of those on their way not all are stuck.
  const movedAt = index % 7 === 0 ? Date.now() : BEGAN + (scatter(index, 6) % 200_000) * MINUTE_MS;
  const moved = { ...connection, statusTime: timestamp(new Date(movedAt).toISOString()) };
  yield { source: 'broker', message: connectionMoved(id, 1n, ['CONNECTING', status], moved) };
}
