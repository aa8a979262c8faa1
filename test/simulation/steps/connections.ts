import { ReplacementMode } from '@privatelink/proto/broker/v1/broker_service';
import { AddressType, EndpointType, TrafficControlMode } from '@privatelink/proto/common/v1/common';
import { OTHER_REGION, ZONES } from '../world/programs.ts';
import type { Random } from '../world/random.ts';
import {
  billing,
  consumer,
  type KnownEndpoint,
  onSome,
  provider,
  type Step,
  type StepContext,
  someZone,
} from './step.ts';

/** As many as services are given. */
const anyResource = (random: Random): string => `nlb-${1 + random.int(3)}`;

const message = ({ random }: StepContext): string => random.pick(['', 'so be it']);

/** The owner of the endpoint, or of its service. */
const eitherSide = ({ account, service }: KnownEndpoint, { random }: StepContext) =>
  random.chance(0.5) ? consumer(account) : provider(service.account);

export const acceptConnection = onSome('endpoints', ({ endpointId, service, network }, context) => {
  const { client, random, requestId, now } = context;
  const expiresAt = now() + random.between(1_000, 20_000);
  return client.ask(provider(service.account), 'broker', 'acceptConnection', {
    ...{ requestId: requestId(), connectionId: endpointId, message: message(context) },
    expireTime: random.chance(0.2) ? { seconds: BigInt(Math.floor(expiresAt / 1_000)), nanos: 0 } : undefined,
    zoneIds: random.chance(0.2) ? [someZone(random, network)] : [],
    zoneResources: random.chance(0.2) ? [{ zoneId: someZone(random, network), resourceId: anyResource(random) }] : [],
  });
});

export const rejectConnection = onSome('endpoints', ({ endpointId, service }, context) => {
  const request = { requestId: context.requestId(), connectionId: endpointId, message: message(context) };
  return context.client.ask(provider(service.account), 'broker', 'rejectConnection', request);
});

/** Two of the provider's people decide at the same moment. */
export const decideBoth: Step = async (context) => {
  await Promise.all([acceptConnection(context), rejectConnection(context)]);
};

export const pauseConnection = onSome('endpoints', (endpoint, context) => {
  const request = { requestId: context.requestId(), connectionId: endpoint.endpointId, message: message(context) };
  return context.client.ask(eitherSide(endpoint, context), 'broker', 'pauseConnection', request);
});

export const resumeConnection = onSome('endpoints', (endpoint, context) => {
  const request = { requestId: context.requestId(), connectionId: endpoint.endpointId };
  return context.client.ask(eitherSide(endpoint, context), 'broker', 'resumeConnection', request);
});

export const disableZone = onSome('endpoints', ({ endpointId, service, network }, { client, random, requestId }) => {
  const request = { requestId: requestId(), connectionId: endpointId, zoneId: someZone(random, network) };
  return client.ask(provider(service.account), 'broker', 'disableZoneConnection', request);
});

export const replaceZoneResource = onSome(
  'endpoints',
  ({ endpointId, service, network }, { client, random, requestId }) => {
    const automatic = random.chance(0.2);
    return client.ask(provider(service.account), 'broker', 'replaceZoneResource', {
      ...{ requestId: requestId(), connectionId: endpointId, zoneId: someZone(random, network), automatic },
      resourceId: automatic ? '' : anyResource(random),
      mode: random.pick([ReplacementMode.GRACEFUL, ReplacementMode.FORCE]),
    });
  },
);

/** Within what an NLB takes, or not. */
export const setBandwidth = onSome('endpoints', ({ endpointId, service }, { client, random, requestId }) => {
  const limitMbps = random.pick([0, 50, 100, 3_072]);
  const trafficControlMode = limitMbps === 0 ? TrafficControlMode.SCALABILITY : TrafficControlMode.BANDWIDTH_LIMIT;
  const request = { requestId: requestId(), connectionId: endpointId, bandwidth: { trafficControlMode, limitMbps } };
  return client.ask(provider(service.account), 'broker', 'setConnectionBandwidth', request);
});

export const enableZone = onSome('endpoints', ({ endpointId, service, network }, { client, random, requestId }) => {
  const request = { requestId: requestId(), connectionId: endpointId, zoneId: someZone(random, network) };
  return client.ask(provider(service.account), 'broker', 'enableZoneConnection', request);
});

type Report = 'reportPaymentOverdue' | 'reportPaymentSettled';

const reportOn = async (value: string, { client, known, random, requestId }: StepContext, rpc: Report) => {
  const last = known.sequences.get(value) ?? 0;
  // Now and then billing repeats itself, or an old report comes late.
  const sequence = random.chance(0.25) && last > 0 ? 1 + random.int(last) : last + 1;
  known.sequences.set(value, Math.max(last, sequence));
  const $case = /^\d{16}$/.test(value) ? 'accountId' : 'resourceId';
  const scope = { scope: { $case, value } } as const;
  const request = { requestId: requestId(), source: 'billing', scope, sequence: BigInt(sequence), message: '' };
  await client.ask(billing, 'broker', rpc, request);
};

const report = (rpc: Report) =>
  onSome('endpoints', ({ endpointId, account, service }, context) => {
    const scopes = [endpointId, service.serviceId, account, service.account];
    return reportOn(context.random.pick(scopes), context, rpc);
  });

export const reportOverdue = report('reportPaymentOverdue');

export const reportSettled = report('reportPaymentSettled');

/** Down and up again, and once more, before anybody has come to rest. */
export const flipPayments = onSome('endpoints', async ({ endpointId }, context) => {
  for (let times = 1 + context.random.int(3); times > 0; times--) {
    await reportOn(endpointId, context, 'reportPaymentOverdue');
    await reportOn(endpointId, context, 'reportPaymentSettled');
  }
});

/** What was, to one of its sides; also of what is gone, or had not begun. */
export const readPast = onSome('endpoints', async (endpoint, context) => {
  const { client, random, now } = context;
  const { endpointId, account, service } = endpoint;
  const ms = Math.floor(now() - random.between(0, 20_000));
  const time = { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 };
  const asOf = { moment: { $case: 'time', value: time } } as const;
  const { serviceId } = service;
  await client.ask(eitherSide(endpoint, context), 'broker', 'getConnection', { connectionId: endpointId, asOf });
  await client.ask(consumer(account), 'consumer', 'getEndpoint', { endpointId, asOf });
  await client.ask(provider(service.account), 'provider', 'getEndpointService', { serviceId, asOf });
});

/** By either side of one that there is, and by a consumer who thinks of one. */
export const explain = onSome('endpoints', async (endpoint, context) => {
  const { endpointId, account, service } = endpoint;
  const types = { endpointType: EndpointType.UNSPECIFIED, addressType: AddressType.UNSPECIFIED };
  const nothing = { accountId: '', ...types, zoneIds: [] };
  const existing = { ...nothing, endpointId, service: '' };
  await context.client.ask(eitherSide(endpoint, context), 'broker', 'explainReachability', existing);
  const imagined = { ...nothing, endpointId: '', service: service.serviceName, zoneIds: [...ZONES] };
  await context.client.ask(consumer(account), 'broker', 'explainReachability', imagined);
  const elsewhere = { ...imagined, zoneIds: [], regionId: OTHER_REGION };
  await context.client.ask(consumer(account), 'broker', 'explainReachability', elsewhere);
});
