import { status } from '@grpc/grpc-js';
import type { ExplainReachabilityRequest } from '@privatelink/proto/broker/v1/broker_service';
import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clients, type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import {
  activeService,
  CONSUMER,
  changesNothing,
  newId,
  OTHER_ZONE,
  PROVIDER,
  refusalOf,
  ZONE,
} from './support/given.ts';

/** Everything that stands in the way is said at once, to each side what it may know. */

const STRANGER = '3000000000000003';

let stage: ConsumerStage;
let consumer: Clients;
let provider: Clients;
let operator: Clients;
let viewer: Clients;
let stranger: Clients;
let billing: Clients;
beforeAll(async () => {
  stage = await consumerStage();
  consumer = await stage.services.clientsOf(CONSUMER, 'consumer');
  provider = await stage.services.clientsOf(PROVIDER, 'provider');
  operator = await stage.services.clientsOf('', 'operator');
  viewer = await stage.services.clientsOf('', 'viewer');
  billing = await stage.services.clientsOf('', 'billing');
  stranger = await stage.services.clientsOf(STRANGER, 'consumer', 'provider');
});
afterAll(() => stage?.close());

const NOTHING = {
  ...{ endpointId: '', service: '', accountId: '', zoneIds: [] },
  ...{ endpointType: EndpointType.UNSPECIFIED, addressType: AddressType.UNSPECIFIED },
};
const ask = ({ broker }: Clients, said: Partial<ExplainReachabilityRequest>) =>
  broker.explainReachability({ ...NOTHING, ...said }, {});
const explain = async (client: Clients, said: Partial<ExplainReachabilityRequest>) => {
  const { reachable, obstacles } = await ask(client, said);
  for (const { whatToDo, subject } of obstacles) expect([whatToDo, subject]).not.toContain('');
  const reasons = obstacles.map(({ reason, zoneId }) =>
    [reason.replace('OBSTACLE_REASON_', ''), ...(zoneId ? [zoneId] : [])].join(' '),
  );
  return { reachable, reasons };
};
const reached = { reachable: true, reasons: [] };
const blocked = (...reasons: string[]) => ({ reachable: false, reasons });

/** Nobody but its owner is on its whitelist, each request is asked about. */
const closedService = async (): Promise<string> => {
  const serviceId = await activeService(stage.services, false);
  const everybody = { requestId: newId('r'), serviceId, accountId: '*', reconcile: 'RECONCILE_KEEP' as const };
  await provider.provider.removeServiceUser(everybody, {});
  return serviceId;
};
const overdue = (value: string) => {
  const $case = /^\d{16}$/.test(value) ? 'accountId' : 'resourceId';
  const scope = { scope: { $case, value } } as const;
  return billing.broker.reportPaymentOverdue(
    { requestId: newId('r'), source: 'billing', scope, sequence: 1n, message: 'invoice 7' },
    {},
  );
};
const admitted = async (service: string, accountId: string, zoneIds: string[], endpointType: EndpointType) => {
  const kind = { endpointType, addressType: AddressType.IPV4 };
  const asked = { service, accountId, zoneIds, ...kind, endpointId: newId('ep') };
  return stage.services.clients.provider.admitEndpoint(asked, {});
};

describe('between an account and a service', () => {
  it('there is nothing where it may connect at once; nothing is written to find out', async () => {
    const { serviceId: service, services } = stage;
    for (const store of [services.provider.store, services.broker.store, services.consumer.store]) {
      expect(await changesNothing(store, () => explain(consumer, { service }))).toEqual(reached);
    }
    const found = await explain(consumer, { service: `com.privatelink.cn-hangzhou.${service}`, zoneIds: [ZONE] });
    expect(found).toEqual(reached);
  });

  it('everything is listed, and what is not to be known is not', async () => {
    const service = await closedService();
    const asked = { service, zoneIds: [ZONE, OTHER_ZONE, 'moon-1'], endpointType: EndpointType.REVERSE };
    const all = [
      ...['NOT_WHITELISTED', 'ENDPOINT_TYPE_MISMATCH', `ZONE_NOT_OFFERED ${OTHER_ZONE}`, 'ZONE_NOT_OFFERED moon-1'],
      'AWAITING_ACCEPTANCE',
    ];
    for (const client of [provider, operator, viewer]) {
      expect(await explain(client, { ...asked, accountId: STRANGER })).toEqual(blocked(...all));
    }
    const { obstacles } = await ask(operator, { ...asked, accountId: STRANGER });
    expect(obstacles).toMatchObject([
      { subject: STRANGER },
      { subject: service, facts: { required: 'INTERFACE', given: 'REVERSE' } },
      { offeredZoneIds: [ZONE] },
      { offeredZoneIds: [ZONE] },
      { subject: service },
    ]);
    expect(await explain(provider, asked)).toEqual(blocked(...all.slice(1)));
    const both = { service, addressType: AddressType.DUAL_STACK };
    expect(await explain(provider, both)).toEqual(blocked('DUAL_STACK_UNAVAILABLE', 'AWAITING_ACCEPTANCE'));
  });

  it('a service that one may not see is as one that there is not', async () => {
    const closed = await closedService();
    for (const [client, accountId] of [
      [stranger, ''],
      [stranger, PROVIDER],
      [consumer, PROVIDER],
      [consumer, CONSUMER],
    ] as const) {
      const absent = newId('epsrv');
      const [hidden, none] = [
        await ask(client, { service: closed, accountId }),
        await ask(client, { service: absent, accountId }),
      ];
      expect(hidden).toMatchObject({ reachable: false, obstacles: [{ reason: 'OBSTACLE_REASON_SERVICE_NOT_FOUND' }] });
      expect(JSON.stringify(hidden).replaceAll(closed, '')).toBe(JSON.stringify(none).replaceAll(absent, ''));
    }
    for (const service of ['x', 'com.privatelink', newId('epsrv')]) {
      expect(await explain(operator, { service, accountId: CONSUMER })).toEqual(blocked('SERVICE_NOT_FOUND'));
      expect(await explain(provider, { service })).toEqual(blocked('SERVICE_NOT_FOUND'));
    }
    // Another account's standing with a service is the owner's to know.
    expect(await explain(consumer, { service: stage.serviceId, accountId: STRANGER })).toEqual(
      blocked('SERVICE_NOT_FOUND'),
    );
  });

  it('a service is known to who has an endpoint on it, also when it is no longer whitelisted', async () => {
    const service = await activeService(stage.services);
    await admitted(service, CONSUMER, [ZONE], EndpointType.INTERFACE);
    const everybody = {
      requestId: newId('r'),
      serviceId: service,
      accountId: '*',
      reconcile: 'RECONCILE_KEEP' as const,
    };
    await provider.provider.removeServiceUser(everybody, {});
    expect(await explain(consumer, { service })).toEqual(blocked('NOT_WHITELISTED'));
    expect(await explain(stranger, { service })).toEqual(blocked('SERVICE_NOT_FOUND'));
  });

  it('are its quota for the account, its lock, its deletion', async () => {
    const service = await activeService(stage.services);
    const terms = { requestId: newId('r'), serviceId: service, accountId: CONSUMER, maxConnections: 0 };
    await provider.provider.addServiceUser({ ...terms, approvalTtl: undefined }, {});
    const { obstacles } = await ask(consumer, { service });
    expect(obstacles).toMatchObject([
      { reason: 'OBSTACLE_REASON_MAX_CONNECTIONS_REACHED', facts: { limit: '0', current: '0' } },
    ]);
    expect(await explain(stranger, { service })).toEqual(reached);

    await operator.provider.lockEndpointService({ requestId: newId('r'), serviceId: service, message: 'fraud' }, {});
    const [locked] = (await ask(stranger, { service })).obstacles;
    expect(locked).toMatchObject({ reason: 'OBSTACLE_REASON_SERVICE_SECURITY_LOCK', message: '' });
    expect(locked?.since).toBeDefined();
    expect((await ask(provider, { service })).obstacles).toMatchObject([{ message: 'fraud' }]);

    const gone = { requestId: newId('r'), serviceId: service, force: true };
    await provider.provider.deleteEndpointService(gone, {});
    const { reasons } = await explain(consumer, { service });
    // The broker tears down when it is told to; until then it is there and DELETING.
    expect(['SERVICE_NOT_ACTIVE', 'SERVICE_NOT_FOUND']).toContain(reasons[0]);
  });

  it('are bills, of whoever pays: nobody else is told of the account’s', async () => {
    const service = await activeService(stage.services);
    await overdue(service);
    expect(await explain(consumer, { service })).toEqual(blocked('SERVICE_PAYMENT_OVERDUE'));
    const { obstacles } = await ask(consumer, { service });
    expect(obstacles).toMatchObject([{ subject: service, message: '' }]);

    const paidByEndpoints = await activeService(stage.services, true, Payer.ENDPOINT);
    await overdue(CONSUMER);
    const said = { service: paidByEndpoints, accountId: CONSUMER };
    for (const client of [consumer, operator]) {
      expect(await explain(client, said)).toEqual(blocked('ENDPOINT_PAYMENT_OVERDUE'));
    }
    expect(await explain(provider, said)).toEqual(reached);
  });

  it('say nothing exactly when an endpoint is admitted', async () => {
    const { INTERFACE, REVERSE } = EndpointType;
    const [open, closed] = [await activeService(stage.services), await closedService()];
    const locked = await activeService(stage.services);
    await operator.provider.lockEndpointService({ requestId: newId('r'), serviceId: locked, message: '' }, {});
    for (const service of [open, closed, locked, newId('epsrv')]) {
      for (const accountId of [PROVIDER, CONSUMER]) {
        for (const zoneIds of [[ZONE], [OTHER_ZONE]]) {
          for (const endpointType of [INTERFACE, REVERSE]) {
            const { reasons } = await explain(operator, { service, accountId, zoneIds, endpointType });
            const standing = reasons.filter((reason) => reason !== 'AWAITING_ACCEPTANCE');
            const refusal = await admitted(service, accountId, zoneIds, endpointType).catch(() => 'refused');
            expect(standing.length > 0, `${service} ${standing}`).toBe(refusal === 'refused');
          }
        }
      }
    }
  });
});

describe('between an endpoint and its service', () => {
  it('is what it waits for, until it is connected; then nothing', async () => {
    const { endpoint } = await stage.consumer.createEndpoint(stage.creation(), {});
    const endpointId = endpoint?.endpointId ?? '';
    expect(await explain(consumer, { endpointId })).toEqual(blocked('ENDPOINT_NOT_ACTIVE', 'CONNECTION_NOT_REQUESTED'));
    expect(await refusalOf(ask(provider, { endpointId }))).toMatchObject({ code: status.NOT_FOUND });
    await stage.settle(endpointId);
    const waiting = blocked('CONNECTION_IN_TRANSITION', `NO_AVAILABLE_RESOURCE ${ZONE}`, 'NAMES_MISSING');
    for (const client of [consumer, provider, operator, viewer]) {
      expect(await explain(client, { endpointId })).toEqual(waiting);
    }
    await stage.connect(endpointId);
    for (const client of [consumer, provider, operator]) expect(await explain(client, { endpointId })).toEqual(reached);
  });

  it('is each hold, with since when, and its message for those who may read it', async () => {
    const endpointId = await stage.activeEndpoint();
    await stage.connect(endpointId);
    const hold = (message: string) => ({ requestId: newId('r'), connectionId: endpointId, message });
    await consumer.broker.pauseConnection(hold('until monday'), {});
    await provider.broker.pauseConnection(hold('maintenance'), {});
    await provider.broker.rejectConnection(hold('too many'), {});
    await overdue(endpointId);
    await stage.connect(endpointId);
    const reasons = ['ENDPOINT_PAYMENT_OVERDUE', 'PAUSED_BY_CONSUMER', 'PAUSED_BY_PROVIDER', 'REJECTED'];
    for (const client of [consumer, provider, operator]) {
      expect(await explain(client, { endpointId })).toEqual(blocked(...reasons));
    }
    const messages = async (client: Clients) => (await ask(client, { endpointId })).obstacles.map((one) => one.message);
    expect(await messages(operator)).toEqual(['invoice 7', 'until monday', 'maintenance', 'too many']);
    expect(await messages(consumer)).toEqual(['invoice 7', 'until monday', 'maintenance', 'too many']);
    expect(await messages(provider)).toEqual(['', '', 'maintenance', 'too many']);
    for (const { since } of (await ask(provider, { endpointId })).obstacles) expect(since).toBeDefined();
  });

  it('is in one zone only where that was switched off', async () => {
    const zones = [stage.vswitchId, stage.otherVSwitchId].map((vswitchId) => ({
      ...{ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' },
    }));
    const endpointId = await stage.activeEndpoint({ zones });
    await stage.connect(endpointId);
    const off = { requestId: newId('r'), connectionId: endpointId, zoneId: ZONE };
    await provider.broker.disableZoneConnection(off, {});
    await stage.connect(endpointId);
    expect(await explain(consumer, { endpointId })).toEqual({ reachable: true, reasons: [`ZONE_DISABLED ${ZONE}`] });
  });

  it('is nobody else’s to know, and of one that is gone there is nothing to say', async () => {
    const endpointId = await stage.activeEndpoint();
    await stage.connect(endpointId);
    const [foreign, absent] = [
      await refusalOf(ask(stranger, { endpointId })),
      await refusalOf(ask(stranger, { endpointId: newId('ep') })),
    ];
    expect(foreign).toMatchObject({ code: status.NOT_FOUND, reason: 'CONNECTION_NOT_FOUND', message: absent.message });
    await stage.consumer.deleteEndpoint({ ...stage.naming(endpointId), force: false }, {});
    await stage.settle(endpointId);
    expect(await explain(consumer, { endpointId })).toEqual(blocked('ENDPOINT_NOT_ACTIVE', 'CONNECTION_IN_TRANSITION'));
    await stage.connect(endpointId);
    await stage.settle(endpointId);
    expect(await refusalOf(ask(consumer, { endpointId }))).toMatchObject({ reason: 'CONNECTION_NOT_FOUND' });
  });
});
