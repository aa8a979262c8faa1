import type { MethodDefinition } from '@grpc/grpc-js';
import { BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceService } from '@privatelink/proto/consumer/v1/consumer_service';
import { DnsServiceService } from '@privatelink/proto/dns/v1/dns_service';
import { EventsServiceService } from '@privatelink/proto/events/v1/events_service';
import { OperationsServiceService } from '@privatelink/proto/operations/v1/operations_service';
import { ProviderServiceService } from '@privatelink/proto/provider/v1/provider_service';

export type ServiceName = 'provider' | 'consumer' | 'broker' | 'dns';

/** One RPC of the contract, with its request and response as plain objects. */
export type Rpc = Readonly<{
  service: ServiceName;
  name: string;
  /** `provider.getEndpointService` */
  title: string;
  definition: MethodDefinition<object, object>;
  /** The fields of its request, in the names of the generated code. */
  fields: readonly string[];
}>;

/** What each service serves; events and operations are served by every one, and here one's stand for all. */
const definitions = [
  ['provider', 'provider', ProviderServiceService],
  ['consumer', 'consumer', ConsumerServiceService],
  ['broker', 'broker', BrokerServiceService],
  ['dns', 'dns', DnsServiceService],
  ['events', 'broker', EventsServiceService],
  ['operations', 'provider', OperationsServiceService],
] as const;

/** Every RPC of the four services, from the generated code: a new one is here at once. */
export const rpcs: readonly Rpc[] = definitions.flatMap(([api, service, methods]) =>
  Object.entries(methods as unknown as Record<string, MethodDefinition<object, object>>).map(([name, definition]) => ({
    service,
    name,
    title: `${api}.${name}`,
    definition,
    fields: Object.keys(definition.requestDeserialize(Buffer.alloc(0))),
  })),
);

export const rpcOf = (title: string): Rpc => {
  const found = rpcs.find((rpc) => rpc.title === title);
  if (!found) throw new Error(`there is no RPC ${title}`);
  return found;
};

/** The message with nothing said but this. */
export const requestOf = (rpc: Rpc, said: object): object => ({
  ...rpc.definition.requestDeserialize(Buffer.alloc(0)),
  ...said,
});
