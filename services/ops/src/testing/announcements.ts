import { Connection, ConnectionStatus, HoldReason, ZoneStatus } from '@privatelink/proto/broker/v1/connection';
import { BusinessStatus, EndpointType } from '@privatelink/proto/common/v1/common';
import { Endpoint, EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import { Fact } from '@privatelink/proto/events/v1/fact';
import { EndpointService, EndpointServiceStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';

/** What services would announce, for tests. */

export const provider = '1000000000000001';
export const consumer = '2000000000000002';
export const stranger = '3000000000000003';

let position = 0n;

type Said = Readonly<{
  stream: string;
  revision: bigint;
  type: string;
  resource: NonNullable<Fact['resource']>;
  move?: Readonly<{ from: string; to: string; because: string }>;
  actor?: string;
  actorAccountId?: string;
  at?: string;
}>;

const announcement = ({ stream, revision, type, resource, move, ...said }: Said): IncomingMessage => {
  const at = said.at ?? new Date().toISOString();
  const fact = Fact.fromPartial({
    ...{ eventId: `${stream}@${revision}`, type, sourceStream: stream, sourceRevision: revision, position: ++position },
    ...{ recordTime: timestamp(at), correlationId: 'correlation-1', actor: said.actor ?? 'user:paula', resource },
    transition: move,
  });
  const headers = { 'recorded-at': at, 'account-id': said.actorAccountId ?? provider };
  return { subject: `evt.spec.v1.x.y.${provider}`, headers, body: Fact.encode(fact).finish(), deliveryCount: 1 };
};

const connectionOf = (id: string, status: ConnectionStatus, change: Partial<Connection> = {}): Connection =>
  Connection.fromPartial({
    ...{ connectionId: id, serviceId: 'epsrv-1', serviceName: 'com.privatelink.cn-hangzhou.epsrv-1' },
    ...{ endpointAccountId: consumer, serviceAccountId: provider, vpcId: 'vpc-1', status },
    endpointType: EndpointType.INTERFACE,
    holds: [
      {
        ...{ reason: HoldReason.ENDPOINT_PAYMENT_OVERDUE, source: 'erp-secret', placedBy: 'user:bill' },
        message: 'invoice 7',
      },
    ],
    zones: [{ zoneId: 'cn-hangzhou-h', eniId: 'eni-1', status: ZoneStatus.MIGRATING, resourceId: 'nlb-secret' }],
    createTime: timestamp('2026-01-02T03:04:05.000Z'),
    statusTime: timestamp(new Date().toISOString()),
    ...change,
  });

/** A fact of a connection that has moved. */
export const connectionMoved = (
  id: string,
  revision: bigint,
  [from, to]: readonly [string, Exclude<keyof typeof ConnectionStatus, 'UNRECOGNIZED'> | 'GONE'],
  change: Partial<Connection> & Partial<Pick<Said, 'at' | 'type'>> = {},
): IncomingMessage => {
  const { at, type = 'ConnectionMoved', ...fields } = change;
  const status = to === 'GONE' ? ConnectionStatus.DELETING : ConnectionStatus[to];
  return announcement({
    ...{ stream: `connection-${id}`, revision, type, move: { from, to, because: 'so it was' } },
    resource: { $case: 'connection', value: connectionOf(id, status, fields) },
    ...(at !== undefined && { at }),
  });
};

export const endpointMade = (id: string, revision = 0n, change: Partial<Endpoint> = {}): IncomingMessage =>
  announcement({
    ...{ stream: `endpoint-${id}`, revision, type: 'EndpointActivated', actorAccountId: consumer },
    move: { from: 'CREATING', to: 'ACTIVE', because: 'its interfaces exist' },
    resource: {
      $case: 'endpoint',
      value: Endpoint.fromPartial({
        ...{ endpointId: id, accountId: consumer, serviceId: 'epsrv-1', vpcId: 'vpc-1' },
        ...{ status: EndpointStatus.ACTIVE, endpointType: EndpointType.INTERFACE },
        createTime: timestamp('2026-01-02T03:04:05.000Z'),
        updateTime: timestamp('2026-01-02T03:04:05.000Z'),
        ...change,
      }),
    },
  });

export const serviceMade = (id: string, accountId = provider, revision = 0n): IncomingMessage =>
  announcement({
    ...{ stream: `endpointService-${id}`, revision, type: 'EndpointServiceActivated', actorAccountId: accountId },
    move: { from: 'CREATING', to: 'ACTIVE', because: 'its name is claimed' },
    resource: {
      $case: 'endpointService',
      value: EndpointService.fromPartial({
        ...{ serviceId: id, serviceName: `com.privatelink.cn-hangzhou.${id}`, accountId },
        ...{ status: EndpointServiceStatus.ACTIVE, serviceType: EndpointType.INTERFACE, zoneIds: ['cn-hangzhou-h'] },
        businessStatus: BusinessStatus.NORMAL,
        createTime: timestamp('2026-01-02T03:04:05.000Z'),
        updateTime: timestamp('2026-01-02T03:04:05.000Z'),
      }),
    },
  });
