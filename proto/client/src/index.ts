import { type ChannelCredentials, credentials as grpcCredentials } from '@grpc/grpc-js';
import * as broker from '../../gen/privatelink/broker/v1/broker_service.ts';
import type { Connection } from '../../gen/privatelink/broker/v1/connection.ts';
import * as consumer from '../../gen/privatelink/consumer/v1/consumer_service.ts';
import * as dns from '../../gen/privatelink/dns/v1/dns_service.ts';
import * as events from '../../gen/privatelink/events/v1/events_service.ts';
import * as operations from '../../gen/privatelink/operations/v1/operations_service.ts';
import * as provider from '../../gen/privatelink/provider/v1/provider_service.ts';
import { changingFile } from './changing-file.ts';
import { type FollowedEvent, type FollowOptions, followEvents } from './follow-events.ts';
import { openService, type Service } from './service.ts';
import { type ConnectionStatusName, type WaitOptions, waitFor } from './wait-for.ts';

// The enums that most requests and answers have; everything else of the contract is in `proto/*` of the package.
export { ConnectionStatus, HoldReason } from '../../gen/privatelink/broker/v1/connection.ts';
export { AddressType, EndpointType, Payer } from '../../gen/privatelink/common/v1/common.ts';
export { ResourceType } from '../../gen/privatelink/provider/v1/endpoint_service.ts';
export type { FollowedEvent, FollowOptions } from './follow-events.ts';
export { type FieldViolation, RemoteError } from './remote-error.ts';
export type { CallOptions, Service } from './service.ts';
export { type ConnectionStatusName, NotReached, type WaitOptions } from './wait-for.ts';

export type ServiceName = 'provider' | 'consumer' | 'broker' | 'dns';

export type ConnectOptions = Readonly<{
  /** host:port of each service; several as IP addresses, which take turns. */
  addresses: Readonly<Record<ServiceName, string | readonly string[]>>;
  /** The token, asked for at each call; or the file that holds it, which may be replaced at any time. */
  token: (() => string | Promise<string>) | Readonly<{ file: string }>;
  /** Of a call that says nothing else; 10 s when absent. Streams have no limit. */
  timeoutMs?: number;
  /** Without TLS when absent. */
  credentials?: ChannelCredentials;
}>;

/** What every service serves beside its own. */
type Common = events.EventsServiceService & operations.OperationsServiceService;

export type PrivateLink = Readonly<{
  provider: Service<provider.ProviderServiceService & Common>;
  consumer: Service<consumer.ConsumerServiceService & Common>;
  broker: Service<broker.BrokerServiceService & Common>;
  dns: Service<dns.DnsServiceService & Common>;
  /** {@link waitFor} */
  waitFor: (connectionId: string, status: ConnectionStatusName, options?: WaitOptions) => Promise<Connection>;
  /** {@link followEvents} */
  events: (service: ServiceName, options?: FollowOptions) => AsyncGenerator<FollowedEvent, void>;
  close: () => void;
}>;

/**
 * Clients of all services, for one account. Calls have deadlines and are tried again where nobody answered; a mutation
 * without a request id is given one. Lists show what was written before through the same client to the same service,
 * by writes that did not overlap.
 *
 * @throws TypeError when several addresses of a service are not all IP addresses of one family
 */
export const connect = ({
  addresses,
  token,
  timeoutMs = 10_000,
  credentials = grpcCredentials.createInsecure(),
}: ConnectOptions): PrivateLink => {
  const currentToken = typeof token === 'function' ? token : changingFile(token.file, (text) => text.trim());
  const common = [
    { definition: events.EventsServiceService, file: events.protoMetadata },
    { definition: operations.OperationsServiceService, file: operations.protoMetadata },
  ];
  const open = <Own extends object>(name: ServiceName, definition: Own, file: events.ProtoMetadata) =>
    openService<Own & Common>([{ definition, file }, ...common], {
      ...{ addresses: [addresses[name]].flat(), token: currentToken, timeoutMs, credentials },
    });
  const opened = {
    provider: open('provider', provider.ProviderServiceService, provider.protoMetadata),
    consumer: open('consumer', consumer.ConsumerServiceService, consumer.protoMetadata),
    broker: open('broker', broker.BrokerServiceService, broker.protoMetadata),
    dns: open('dns', dns.DnsServiceService, dns.protoMetadata),
  };
  return {
    provider: opened.provider.calls,
    consumer: opened.consumer.calls,
    broker: opened.broker.calls,
    dns: opened.dns.calls,
    waitFor: (connectionId, status, options) => waitFor(opened.broker.calls, connectionId, status, options),
    events: (service, options) => followEvents(opened[service].calls, options),
    close: () => {
      for (const { close } of Object.values(opened)) close();
    },
  };
};
