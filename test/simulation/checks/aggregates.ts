import { absent, advance, type Folded } from '@privatelink/shared/app/fold';
import type { Codec } from '@privatelink/shared/eventing/codec';
import { categoryOfStream, type Decider, idOfStream } from '@privatelink/shared/eventing/decider';
import type { AnyCommand, AnyEvent, StoredEvent } from '@privatelink/shared/eventing/message';
import { allocationCodec } from '../../../services/connection-broker/src/allocation/allocation.codec.ts';
import { allocation } from '../../../services/connection-broker/src/allocation/allocation.ts';
import { connectionCodec } from '../../../services/connection-broker/src/connection/connection.codec.ts';
import { connection } from '../../../services/connection-broker/src/connection/connection.decide.ts';
import { fanOutCodec } from '../../../services/connection-broker/src/fan-out/fan-out.codec.ts';
import { fanOut } from '../../../services/connection-broker/src/fan-out/fan-out.ts';
import { scopeFactsCodec } from '../../../services/connection-broker/src/scope-facts/scope-facts.codec.ts';
import { scopeFacts } from '../../../services/connection-broker/src/scope-facts/scope-facts.ts';
import { endpointCodec } from '../../../services/consumer/src/endpoint/endpoint.codec.ts';
import { endpoint } from '../../../services/consumer/src/endpoint/endpoint.decide.ts';
import { gatewayEndpointCodec } from '../../../services/consumer/src/gateway-endpoint/gateway-endpoint.codec.ts';
import { gatewayEndpoint } from '../../../services/consumer/src/gateway-endpoint/gateway-endpoint.ts';
import { vpcCodec } from '../../../services/consumer/src/vpc/vpc.codec.ts';
import { vpc } from '../../../services/consumer/src/vpc/vpc.decide.ts';
import { nameSetCodec } from '../../../services/dns/src/name-set/name-set.codec.ts';
import { nameSet } from '../../../services/dns/src/name-set/name-set.ts';
import { accountServicesCodec } from '../../../services/provider/src/account-services/account-services.codec.ts';
import { accountServices } from '../../../services/provider/src/account-services/account-services.ts';
import { endpointServiceCodec } from '../../../services/provider/src/endpoint-service/endpoint-service.codec.ts';
import { endpointService } from '../../../services/provider/src/endpoint-service/endpoint-service.decide.ts';
import { serviceAdmissionsCodec } from '../../../services/provider/src/service-admissions/service-admissions.codec.ts';
import { serviceAdmissions } from '../../../services/provider/src/service-admissions/service-admissions.ts';

const rulesOf = <C extends AnyCommand, E extends AnyEvent, S>(decider: Decider<C, E, S>, codec: Codec<E>) => ({
  category: decider.category,
  /** Aggregates by id, as their streams say. */
  fold: (history: readonly StoredEvent[]): ReadonlyMap<string, Folded<S>> => {
    const folded = new Map<string, Folded<S>>();
    for (const event of history) {
      if (categoryOfStream(event.stream) !== decider.category) continue;
      const id = idOfStream(event.stream);
      const rules = { decider, codec } as unknown as Parameters<typeof advance<E, S>>[0];
      folded.set(id, advance(rules, folded.get(id) ?? absent(decider.initial), event));
    }
    return folded;
  },
});

const aggregates = {
  allocation: rulesOf(allocation, allocationCodec),
  connection: rulesOf(connection, connectionCodec),
  fanOut: rulesOf(fanOut, fanOutCodec),
  facts: rulesOf(scopeFacts, scopeFactsCodec),
  endpoint: rulesOf(endpoint, endpointCodec),
  gatewayEndpoint: rulesOf(gatewayEndpoint, gatewayEndpointCodec),
  vpc: rulesOf(vpc, vpcCodec),
  nameSet: rulesOf(nameSet, nameSetCodec),
  endpointService: rulesOf(endpointService, endpointServiceCodec),
  accountServices: rulesOf(accountServices, accountServicesCodec),
  serviceAdmissions: rulesOf(serviceAdmissions, serviceAdmissionsCodec),
};

type Aggregates = typeof aggregates;

/** All that is recorded in the end. */
export type Ending = { readonly [K in keyof Aggregates]: ReturnType<Aggregates[K]['fold']> };

export const endingOf = (history: readonly StoredEvent[]): Ending =>
  Object.fromEntries(Object.entries(aggregates).map(([name, { fold }]) => [name, fold(history)])) as Ending;
