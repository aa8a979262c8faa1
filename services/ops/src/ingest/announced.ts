import type { JsonObject } from '@bufbuild/protobuf';
import { Connection } from '@privatelink/proto/broker/v1/connection';
import { Endpoint } from '@privatelink/proto/consumer/v1/endpoint';
import type { Fact } from '@privatelink/proto/events/v1/fact';
import { EndpointService } from '@privatelink/proto/provider/v1/endpoint_service';
import { instantOf } from '@privatelink/shared/grpc/timestamp';
import { InvalidMessage } from '@privatelink/shared/nats/consumer';
import { readFact } from '@privatelink/shared/nats/fact-announcements';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';
import { jsonOf } from './protobuf-json.ts';

/** How far a source has announced, and what it says of a resource, if it is about one. */
export type Announced = Readonly<{ position: bigint; told: Told | null }>;

export type Told = Readonly<{
  fact: Fact;
  /** ISO 8601. */
  recordedAt: string;
  /** The account that the actor acted for; empty for services and operators. */
  actorAccountId: string;
  about: About;
}>;

export type About = Readonly<{
  type: 'endpoint_service' | 'endpoint' | 'connection' | 'gateway_endpoint' | 'endpoint_names' | 'payments';
  id: string;
  serviceId: string;
  /** Whose resource it is: they alone are told of it. */
  accountIds: readonly string[];
  /** Of what is listed, as lists show it. */
  state: JsonObject | null;
}>;

/** @throws InvalidMessage for what is no fact */
export const readAnnounced = ({ subject, headers, body }: IncomingMessage): Announced => {
  if (subject.endsWith('.heartbeat')) return { position: BigInt(headers['source-position'] ?? 0), told: null };
  const fact = readFact(subject, body);
  const recordedAt = headers['recorded-at'] || (fact.recordTime && instantOf(fact.recordTime));
  if (!fact.resource || !recordedAt) throw new InvalidMessage(`${subject} carries no resource`);
  const actorAccountId = headers['account-id'] ?? '';
  return { position: fact.position, told: { fact, recordedAt, actorAccountId, about: aboutOf(fact.resource) } };
};

const aboutOf = (resource: NonNullable<Fact['resource']>): About => {
  const nothing = { serviceId: '', accountIds: [], state: null };
  switch (resource.$case) {
    case 'endpointService': {
      const { serviceId, accountId } = resource.value;
      const state = jsonOf('privatelink.provider.v1.EndpointService', EndpointService.encode(resource.value).finish());
      return { type: 'endpoint_service', id: serviceId, serviceId, accountIds: [accountId], state };
    }
    case 'endpoint': {
      const { endpointId, serviceId, accountId } = resource.value;
      return {
        ...{ type: 'endpoint', id: endpointId, serviceId, accountIds: [accountId] },
        state: jsonOf('privatelink.consumer.v1.Endpoint', Endpoint.encode(resource.value).finish()),
      };
    }
    case 'connection': {
      const { connectionId, serviceId, endpointAccountId, serviceAccountId } = resource.value;
      const accountIds = [...new Set([endpointAccountId, serviceAccountId])];
      const state = jsonOf('privatelink.broker.v1.Connection', Connection.encode(resource.value).finish());
      return { type: 'connection', id: connectionId, serviceId, accountIds, state };
    }
    case 'gatewayEndpoint': {
      const { gatewayEndpointId, accountId } = resource.value;
      return { ...nothing, type: 'gateway_endpoint', id: gatewayEndpointId, accountIds: [accountId] };
    }
    case 'endpointNames':
      return { ...nothing, type: 'endpoint_names', id: resource.value.endpointId };
    case 'payments': {
      const { scope } = resource.value;
      return { ...nothing, type: 'payments', id: scope, accountIds: /^\d{16}$/.test(scope) ? [scope] : [] };
    }
  }
};
