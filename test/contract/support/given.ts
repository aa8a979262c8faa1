import { readFileSync } from 'node:fs';
import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { EventStore } from '@privatelink/shared/eventing/ports';
import type { CallContext } from '@privatelink/shared/grpc/client';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { expect } from 'vitest';
import { endpointCodec } from '../../../services/consumer/src/endpoint/endpoint.codec.ts';
import { endpoint } from '../../../services/consumer/src/endpoint/endpoint.decide.ts';
import type { Endpoint } from '../../../services/consumer/src/endpoint/endpoint.ts';
import type { Services } from './services.ts';

export const PROVIDER = '1000000000000001';
export const CONSUMER = '2000000000000002';
export const ZONE = 'cn-hangzhou-h';
export const OTHER_ZONE = 'cn-hangzhou-i';

/** An id that no other test has. */
export const newId = (prefix: string): string => `${prefix}-${String(++ids).padStart(20, '0')}`;
let ids = 0;

/** For whom a service calls: the chain that its events go on with. */
export const calling = (): CallContext & { correlationId: string } => ({
  ...{ actor: 'user:carl', correlationId: `correlation-${++ids}`, causationId: `cause-${ids}` },
});

export const commanding = (): CommandContext => ({
  ...{ actor: 'user:carl', accountId: CONSUMER, requestId: `contract/${++ids}`, fingerprint: '' },
  ...{ correlationId: `correlation-${ids}`, causationId: `cause-${ids}`, deadline: Date.now() + 10_000 },
});

/** An active service with a resource in a zone, open to everybody. */
export const activeService = async (
  services: Services,
  autoAccept = true,
  payer: Payer = Payer.ENDPOINT_SERVICE,
  serviceType: 'INTERFACE' | 'GATEWAY_LOAD_BALANCER' = 'INTERFACE',
): Promise<string> => {
  const [prefix, resourceType] = serviceType === 'INTERFACE' ? ['nlb', ResourceType.NLB] : ['gwlb', ResourceType.GWLB];
  const { provider } = await services.clientsOf(PROVIDER, 'provider');
  const { endpointService } = await provider.createEndpointService(
    {
      ...{ requestId: newId('r'), serviceType: EndpointType[serviceType], description: '', autoAccept, tags: [] },
      addressType: AddressType.IPV4,
      payer,
      resources: [`${prefix}-1`, `${prefix}-2`].map((resourceId) => ({
        ...{ resourceId, resourceType, zoneId: ZONE, targets: [{ ip: '10.0.1.10', port: 443 }] },
        ...{ vpcId: '', proxyProtocol: false },
      })),
    },
    {},
  );
  const serviceId = endpointService?.serviceId ?? '';
  await services.provider.lifecycle.settle(serviceId);
  await provider.addServiceUser({ requestId: newId('r'), serviceId, accountId: '*', approvalTtl: undefined }, {});
  await services.provider.lifecycle.settle(serviceId);
  return serviceId;
};

/** An endpoint's creation, from its frozen sample, with an id of its own. */
const created = () => {
  const file = new URL('../../../services/consumer/src/endpoint/endpoint.samples.json', import.meta.url);
  const [sample] = (JSON.parse(readFileSync(file, 'utf8')) as { events: { type: string; data: object }[] }).events;
  if (!sample) throw new Error('no sample');
  const meta = { id: '', metadata: {}, stream: '', revision: 0n, position: 0n, recordedAt: '' };
  const event = endpointCodec.decode({ ...sample, ...meta });
  if (event.type !== 'EndpointCreated') throw new Error('no creation');
  return { ...event, data: { ...event.data, endpointId: newId('ep') } };
};

/** What a new endpoint is created of. */
export const someCreation = () => {
  const { at: _at, move: _move, ...data } = created().data;
  return data;
};

/** An endpoint as the consumer service has it. */
export const someEndpoint = (change: Partial<Endpoint> = {}): Endpoint => ({
  ...endpoint.evolve(endpoint.initial, created()),
  ...change,
});

/** What it does is success and records nothing. */
export const changesNothing = async <T>(store: EventStore, call: () => Promise<T>): Promise<T> => {
  const before = await store.tail();
  const result = await call();
  expect(await store.tail(), 'something was recorded').toBe(before);
  return result;
};

export const refusalOf = async (call: Promise<unknown>): Promise<RemoteError> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RemoteError)) throw new Error(`expected a RemoteError, got ${error}`);
  return error;
};

/** The last event of a stream: type, and on whose account of whose doing it stands there. */
export const lastEvent = async (store: EventStore, stream: string) => {
  for await (const { type, metadata } of store.read(stream, { from: 'end', direction: 'backwards', maxCount: 1 })) {
    return { type, actor: metadata['actor'], correlationId: metadata['$correlationId'] };
  }
  return undefined;
};
