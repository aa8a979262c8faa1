import { status } from '@grpc/grpc-js';
import { BusinessStatus, Payer } from '@privatelink/proto/common/v1/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointsOf } from '../../services/provider/src/service-admissions/service-admissions.ts';
import { announcements } from './support/announced.ts';
import { type Clients, type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { activeService, CONSUMER, changesNothing, newId, PROVIDER, refusalOf } from './support/given.ts';

let stage: ConsumerStage;
let operator: Clients['consumer'];
let colleague: Clients['consumer'];
let platform: Clients['consumer'];
beforeAll(async () => {
  stage = await consumerStage();
  ({ consumer: operator } = await stage.services.clientsOf('', 'operator'));
  ({ consumer: colleague } = await stage.services.clientsAs('colleague', CONSUMER, 'consumer'));
  ({ consumer: platform } = await stage.services.clientsOf(PROVIDER, 'provider'));
});
afterAll(() => stage?.close());

const nothing = { description: undefined, tags: undefined, protected: undefined };
const POLICY = { Version: '1', Statement: [{ Effect: 'Allow', Action: 'oss:Get*', Resource: '*' }] };
const allow = JSON.stringify(POLICY);

describe('an endpoint', () => {
  it('is created with tags, protection and a policy, and shows them', async () => {
    const tags = [
      { key: 'team', value: 'payments' },
      { key: 'env', value: '' },
    ];
    const endpointId = await stage.activeEndpoint({ tags, protected: true, policy: allow });
    expect(await stage.get(endpointId)).toMatchObject({
      ...{ protected: true, tags: tags.toReversed(), businessStatus: BusinessStatus.NORMAL, securityLock: undefined },
      policy: '{"Statement":[{"Action":"oss:Get*","Effect":"Allow","Resource":"*"}],"Version":"1"}',
    });
  });

  it('is updated one thing at a time; the same again changes nothing', async () => {
    const { consumer, naming, get } = stage;
    const endpointId = await stage.activeEndpoint({ description: 'old', tags: [{ key: 'a', value: '' }] });
    const { endpoint } = await consumer.updateEndpoint({ ...naming(endpointId), ...nothing, description: 'new' }, {});
    expect(endpoint).toMatchObject({ description: 'new', status: 'ENDPOINT_STATUS_ACTIVE' });
    await consumer.updateEndpoint({ ...naming(endpointId), ...nothing, tags: { tags: [] } }, {});
    const shown = { description: 'new', tags: [], protected: false };
    expect(await get(endpointId)).toMatchObject(shown);
    const same = { ...naming(endpointId), ...shown, tags: { tags: [] } };
    await changesNothing(stage.services.consumer.store, () => consumer.updateEndpoint(same, {}));
  });

  it('that is protected is its creator’s alone', async () => {
    const { consumer, naming, services } = stage;
    const endpointId = await stage.activeEndpoint({ protected: true });
    const refusal = { code: status.FAILED_PRECONDITION, reason: 'ENDPOINT_PROTECTED' };
    const open = () => ({ ...naming(endpointId), ...nothing, protected: false });
    for (const call of [
      () => colleague.updateEndpoint(open(), {}),
      () => colleague.deleteEndpoint({ ...naming(endpointId), force: false }, {}),
      () => colleague.addEndpointZone({ ...naming(endpointId), zone: zoneIn(stage.otherVSwitchId) }, {}),
    ]) {
      expect(await changesNothing(services.consumer.store, () => refusalOf(call()))).toMatchObject(refusal);
    }
    await consumer.updateEndpoint(open(), {});
    expect((await colleague.deleteEndpoint({ ...naming(endpointId), force: false }, {})).endpoint?.status).toBe(
      'ENDPOINT_STATUS_DELETING',
    );
  });

  it('is refused another payer than the expected one; nothing is left of it', async () => {
    const { consumer, creation, services, serviceId } = stage;
    const admitted = async () => endpointsOf((await services.provider.admissions.fold(serviceId)).state, '*');
    const before = await admitted();
    const call = () => consumer.createEndpoint(creation({ expectedPayer: Payer.ENDPOINT }), {});
    const refusal = await changesNothing(services.consumer.store, () => refusalOf(call()));
    const facts = { payer: 'ENDPOINT_SERVICE', expected: 'ENDPOINT', field: 'expected_payer' };
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'PAYER_MISMATCH', facts });
    expect(await admitted()).toEqual(before);
    const { endpoint } = await consumer.createEndpoint(creation({ expectedPayer: Payer.ENDPOINT_SERVICE }), {});
    expect(endpoint?.status).toBe('ENDPOINT_STATUS_CREATING');
  });

  it('that is a next hop has one zone and no policy', async () => {
    const { consumer, creation, vswitchId, otherVSwitchId, services } = stage;
    const endpointType = 'ENDPOINT_TYPE_GATEWAY_LOAD_BALANCER' as const;
    const nextHop = { endpointType, securityGroupIds: [] };
    const two = creation({ ...nextHop, zones: [vswitchId, otherVSwitchId].map(zoneIn) });
    const refused = (request: typeof two) =>
      changesNothing(services.provider.store, () => refusalOf(consumer.createEndpoint(request, {})));
    expect(await refused(two)).toMatchObject({ reason: 'ZONE_COUNT', facts: { required: '1', given: '2' } });
    const withPolicy = creation({ ...nextHop, policy: allow });
    const facts = { required: 'INTERFACE', given: 'GATEWAY_LOAD_BALANCER', field: 'policy' };
    expect(await refused(withPolicy)).toMatchObject({ reason: 'ENDPOINT_TYPE_MISMATCH', facts });
  });
});

const zoneIn = (vswitchId: string) => ({ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' });

describe('the number of connections that an account may have without being asked about', () => {
  it('that is lowered below what there is takes none away, and lets the next one wait', async () => {
    const { services, provider, connect } = stage;
    const service = await activeService(services);
    const allow = (maxConnections: number) => {
      const terms = { accountId: CONSUMER, autoAccept: true, maxConnections, approvalTtl: undefined };
      return provider.addServiceUser({ requestId: newId('r'), serviceId: service, ...terms }, {});
    };
    const connection = async (endpointId: string) => {
      await connect(endpointId);
      const { state } = await services.broker.connections.fold(endpointId);
      return [state.status, state.decision];
    };
    await allow(2);
    const there = [await stage.activeEndpoint({ service }), await stage.activeEndpoint({ service })];
    for (const endpointId of there) expect(await connection(endpointId)).toEqual(['CONNECTED', 'ACCEPTED']);
    await allow(1);
    await services.provider.lifecycle.settle(service);
    const next = await stage.activeEndpoint({ service });
    expect(await connection(next)).toEqual(['DISCONNECTED', 'AWAITING']);
    for (const endpointId of there) expect(await connection(endpointId)).toEqual(['CONNECTED', 'ACCEPTED']);
  });
});

describe('a lock', () => {
  it('is told to the broker, holds the connection, shows, and leaves only the deletion', async () => {
    const { consumer, naming, settle, get, services } = stage;
    const endpointId = await stage.activeEndpoint();
    const { endpoint } = await operator.lockEndpoint({ ...naming(endpointId), message: 'abuse' }, {});
    const shown = { businessStatus: BusinessStatus.SECURITY_LOCKED, securityLock: { message: 'abuse' } };
    expect(endpoint).toMatchObject(shown);
    await settle(endpointId);
    expect(await get(endpointId)).toMatchObject({
      ...{ ...shown, status: 'ENDPOINT_STATUS_ACTIVE' },
      holds: [{ reason: 'HOLD_REASON_ENDPOINT_SECURITY_LOCK', message: 'abuse' }],
    });
    await changesNothing(services.broker.store, () => settle(endpointId));

    const update = { ...naming(endpointId), ...nothing, description: 'x' };
    const facts = { endpoint_id: endpointId, message: 'abuse' };
    expect(await refusalOf(consumer.updateEndpoint(update, {}))).toMatchObject({ reason: 'ENDPOINT_LOCKED', facts });

    await operator.unlockEndpoint(naming(endpointId), {});
    await settle(endpointId);
    expect(await get(endpointId)).toMatchObject({ holds: [], businessStatus: BusinessStatus.NORMAL });
    await operator.lockEndpoint({ ...naming(endpointId), message: '' }, {});
    const deleted = await consumer.deleteEndpoint({ ...naming(endpointId), force: false }, {});
    expect(deleted.endpoint?.status).toBe('ENDPOINT_STATUS_DELETING');
  });

  it('of a payment shows where no operator’s does', async () => {
    const { services, get } = stage;
    const endpointId = await stage.activeEndpoint();
    const { broker } = await services.clientsOf('', 'billing');
    const scope = { scope: { $case: 'resourceId', value: endpointId } } as const;
    await broker.reportPaymentOverdue(
      { requestId: newId('r'), source: 'billing', scope, sequence: 1n, message: '' },
      {},
    );
    await stage.connect(endpointId);
    const { connection } = announcements(services);
    await connection(endpointId);
    const financial = { businessStatus: BusinessStatus.FINANCIAL_LOCKED, source: `billing:${endpointId}` };
    expect(await get(endpointId)).toMatchObject({ businessStatus: financial.businessStatus, locks: [financial] });
    await changesNothing(services.consumer.store, () => connection(endpointId));
    const update = { ...stage.naming(endpointId), ...nothing, description: 'x' };
    expect(await refusalOf(stage.consumer.updateEndpoint(update, {}))).toMatchObject({ reason: 'ENDPOINT_LOCKED' });
    await operator.lockEndpoint({ ...stage.naming(endpointId), message: '' }, {});
    const security = { businessStatus: BusinessStatus.SECURITY_LOCKED };
    expect(await get(endpointId)).toMatchObject({ ...security, locks: [security, financial] });
    await operator.unlockEndpoint(stage.naming(endpointId), {});
    const settled = { requestId: newId('r'), source: 'billing', scope, sequence: 2n, message: '' };
    await broker.reportPaymentSettled(settled, {});
    await stage.connect(endpointId);
    await connection(endpointId);
    expect(await get(endpointId)).toMatchObject({ businessStatus: BusinessStatus.NORMAL, locks: [] });
  });
});

describe('a policy', () => {
  const evaluate = async (client: Clients['consumer'], endpointId: string, action: string) =>
    client.evaluatePolicy({ endpointId, action, resource: 'x', principal: '', context: {} }, {});

  it('is set, is no change when it is the same, and is reset', async () => {
    const { consumer, naming, settle, get, services } = stage;
    const endpointId = await stage.activeEndpoint();
    const { endpoint } = await consumer.setEndpointPolicy({ ...naming(endpointId), policy: allow }, {});
    expect(endpoint).toMatchObject({ status: 'ENDPOINT_STATUS_CHANGING' });
    await settle(endpointId);
    expect(await get(endpointId)).toMatchObject({ status: 'ENDPOINT_STATUS_ACTIVE', policy: endpoint?.policy });
    const spaced = JSON.stringify({ Statement: POLICY.Statement, Version: '1' }, null, 3);
    const again = { ...naming(endpointId), policy: spaced };
    await changesNothing(services.consumer.store, () => consumer.setEndpointPolicy(again, {}));
    await consumer.setEndpointPolicy({ ...naming(endpointId), policy: '' }, {});
    expect(await get(endpointId)).toMatchObject({ policy: '' });
  });

  it('is asked by both sides: allowed, denied by nobody’s word, denied', async () => {
    const endpointId = await stage.activeEndpoint();
    for (const client of [stage.consumer, platform, operator]) {
      expect(await evaluate(client, endpointId, 'oss:PutObject')).toEqual({
        ...{ decision: 'POLICY_DECISION_ALLOWED', statement: undefined },
      });
    }
    const deny = { Effect: 'Deny', Action: 'oss:GetSecret', Resource: '*' };
    const policy = JSON.stringify({ ...POLICY, Statement: [...POLICY.Statement, deny] });
    await stage.consumer.setEndpointPolicy({ ...stage.naming(endpointId), policy }, {});
    expect(await evaluate(platform, endpointId, 'oss:GetObject')).toEqual({
      ...{ decision: 'POLICY_DECISION_ALLOWED', statement: 0 },
    });
    expect(await evaluate(platform, endpointId, 'oss:PutObject')).toEqual({
      ...{ decision: 'POLICY_DECISION_DENIED_BY_DEFAULT', statement: undefined },
    });
    expect(await evaluate(platform, endpointId, 'oss:GetSecret')).toEqual({
      ...{ decision: 'POLICY_DECISION_EXPLICITLY_DENIED', statement: 1 },
    });
    const { consumer: stranger } = await stage.services.clientsOf('3000000000000003', 'consumer', 'provider');
    expect(await refusalOf(evaluate(stranger, endpointId, 'oss:GetObject'))).toMatchObject({
      reason: 'ENDPOINT_NOT_FOUND',
    });
  });

  it('that is none is refused with the path of each fault', async () => {
    const { consumer, naming, services } = stage;
    const endpointId = await stage.activeEndpoint();
    const policy = JSON.stringify({ Version: '1', Statement: [{ Effect: 'allow', Action: '*', Resource: '' }] });
    const fields = ['policy.Statement[0].Effect', 'policy.Statement[0].Resource'];
    for (const call of [
      () => consumer.setEndpointPolicy({ ...naming(endpointId), policy }, {}),
      () => consumer.createEndpoint(stage.creation({ policy }), {}),
    ]) {
      const refusal = await changesNothing(services.consumer.store, () => refusalOf(call()));
      expect(refusal.code).toBe(status.INVALID_ARGUMENT);
      expect(refusal.violations.map(({ field }) => field)).toEqual(fields);
    }
  });
});

describe('asking whether it was created', () => {
  it('is answered by no once it is gone, so that no slot stays', async () => {
    const { consumer, naming, settle, services } = stage;
    const endpointId = await stage.activeEndpoint();
    const ask = () => services.clients.consumer.settleEndpointCreation({ endpointId }, {});
    expect(await ask()).toEqual({ created: true });
    await consumer.deleteEndpoint({ ...naming(endpointId), force: false }, {});
    expect(await ask()).toEqual({ created: true });
    await settle(endpointId);
    await stage.connect(endpointId);
    expect(await ask()).toEqual({ created: false });
  });
});
