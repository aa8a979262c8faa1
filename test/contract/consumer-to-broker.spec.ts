import { status } from '@grpc/grpc-js';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrokerPort, brokerPort } from '../../services/consumer/src/dispatch/broker.ts';
import { calling, changesNothing, lastEvent, newId, OTHER_ZONE, refusalOf, someEndpoint } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
let port: BrokerPort;
beforeAll(async () => {
  services = await startServices();
  port = brokerPort(services.clients.broker);
});
afterAll(() => services?.close());

const stateOf = async (endpointId: string) => (await services.broker.connections.fold(endpointId)).state;

describe('a request for a connection', () => {
  it('brings all that the broker needs of endpoint and service', async () => {
    const endpoint = someEndpoint();
    const context = calling();
    await port.requestConnection(endpoint, context);
    const { endpointId, admission } = endpoint;
    expect(await stateOf(endpointId)).toMatchObject({
      ...{ endpointId, endpointAccountId: endpoint.accountId, vpcId: endpoint.vpcId, endpointType: 'INTERFACE' },
      ...{ serviceId: admission.serviceId, serviceName: admission.serviceName, payer: admission.payer },
      ...{ serviceAccountId: admission.serviceAccountId, serviceVersion: admission.serviceVersion },
      ...{ status: 'CONNECTING', decision: 'ACCEPTED', resources: admission.resources },
      zones: Object.fromEntries(
        endpoint.zones.map(({ zoneId, eniId, ipv4, ipv6 }) => [zoneId, { zoneId, eniId, ipv4, ipv6 }]),
      ),
    });
    const { actor, correlationId } = context;
    const recorded = { type: 'ConnectionAccepted.v1', actor, correlationId };
    expect(await lastEvent(services.broker.store, `connection-${endpointId}`)).toEqual(recorded);
  });

  it('says how long an automatic acceptance lasts', async () => {
    const { admission, ...rest } = someEndpoint();
    await port.requestConnection({ ...rest, admission: { ...admission, approvalTtlMs: 90_000 } }, calling());
    const { createdAt, expiresAt } = await stateOf(rest.endpointId);
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(90_000);
    const other = { ...rest, endpointId: newId('ep'), admission: { ...admission, approvalTtlMs: null } };
    await port.requestConnection(other, calling());
    expect(await stateOf(other.endpointId)).toMatchObject({ decision: 'ACCEPTED', expiresAt: '' });
  });

  it('waits where the service accepts by hand', async () => {
    const { admission, ...rest } = someEndpoint();
    await port.requestConnection({ ...rest, admission: { ...admission, autoAccept: false } }, calling());
    expect(await stateOf(rest.endpointId)).toMatchObject({ status: 'DISCONNECTED', decision: 'AWAITING' });
  });

  it('that comes again changes nothing, also when it says something else', async () => {
    const endpoint = someEndpoint();
    await port.requestConnection(endpoint, calling());
    const again = { ...endpoint, admission: { ...endpoint.admission, serviceVersion: 99, autoAccept: false } };
    for (const asked of [endpoint, again]) {
      await changesNothing(services.broker.store, () => port.requestConnection(asked, calling()));
    }
  });

  it('that comes after the end is absorbed', async () => {
    const endpoint = someEndpoint();
    expect(await port.deleteConnection(endpoint.endpointId, calling())).toBe(true);
    await changesNothing(services.broker.store, () => port.requestConnection(endpoint, calling()));
    expect(await stateOf(endpoint.endpointId)).toMatchObject({ status: 'GONE' });
  });
});

describe('an update of a connection', () => {
  const other = { zoneId: OTHER_ZONE, vswitchId: 'vsw-1', eniId: newId('eni'), ipv4: '10.0.9.4', ipv6: '' };
  const resource = {
    ...{ resourceId: 'nlb-9', zoneId: OTHER_ZONE, targets: [{ ip: '10.0.9.9', port: 443 }], vpcId: newId('vpc') },
    proxyProtocol: true,
  };
  const told = (version: number, resources = [resource]) => ({ version, actor: 'user:olga', resources });

  it('brings the zones that there are by now, with the resources of those added', async () => {
    const endpoint = someEndpoint();
    await port.requestConnection(endpoint, calling());
    const changed = { ...endpoint, zones: [...endpoint.zones, other] };
    const elsewhere = { ...resource, zoneId: 'cn-hangzhou-z' };
    // It is not connected yet: there is nothing that a change would wait for.
    expect(await port.updateConnection(changed, told(3, [resource, elsewhere]), calling())).toBe(true);
    const { zones, resources, endpointRevision } = await stateOf(endpoint.endpointId);
    const { vswitchId: _inner, ...added } = other;
    expect(zones[OTHER_ZONE]).toMatchObject(added);
    expect(endpointRevision).toBe(3);
    expect(resources).toEqual([...endpoint.admission.resources, resource]);
  });

  it('takes away what is not said any more, and an older one changes nothing', async () => {
    const endpoint = someEndpoint();
    await port.requestConnection({ ...endpoint, zones: [...endpoint.zones, other] }, calling());
    // Forwarding may be in place there: the zone goes when that is closed, and its address is kept so long.
    expect(await port.updateConnection(endpoint, told(5), calling())).toBe(false);
    const { zones } = await stateOf(endpoint.endpointId);
    expect(zones[OTHER_ZONE]).toMatchObject({ removing: true });
    for (const { zoneId } of endpoint.zones) expect(zones[zoneId]).toMatchObject({ removing: false });
    for (const version of [5, 4]) {
      const late = () => port.updateConnection({ ...endpoint, zones: [other] }, told(version), calling());
      await changesNothing(services.broker.store, late);
    }
  });

  it('places and lifts an operator’s lock, in whose name it is recorded', async () => {
    const endpoint = someEndpoint();
    await port.requestConnection(endpoint, calling());
    const context = calling();
    await port.updateConnection({ ...endpoint, lock: { message: 'abuse', at: '' } }, told(3, []), context);
    const { holds } = (await port.getConnection(endpoint.endpointId, calling())) ?? { holds: [] };
    expect(holds).toMatchObject([{ reason: 'HOLD_REASON_ENDPOINT_SECURITY_LOCK', message: 'abuse' }]);
    expect(await lastEvent(services.broker.store, `connection-${endpoint.endpointId}`)).toMatchObject({
      ...{ actor: 'user:olga', correlationId: context.correlationId },
    });
    await port.updateConnection(endpoint, told(4, []), calling());
    expect(await stateOf(endpoint.endpointId)).toMatchObject({ holds: {} });
  });
});

describe('the end of a connection', () => {
  it('is under way until names and forwarding are gone; asked for again it changes nothing', async () => {
    const endpoint = someEndpoint();
    await port.requestConnection(endpoint, calling());
    expect(await port.deleteConnection(endpoint.endpointId, calling())).toBe(false);
    expect(await stateOf(endpoint.endpointId)).toMatchObject({ status: 'DELETING' });
    const again = () => port.deleteConnection(endpoint.endpointId, calling());
    expect(await changesNothing(services.broker.store, again)).toBe(false);
  });

  it('of one that never was is there at once', async () => {
    const endpointId = newId('ep');
    expect(await port.deleteConnection(endpointId, calling())).toBe(true);
    const again = () => port.deleteConnection(endpointId, calling());
    expect(await changesNothing(services.broker.store, again)).toBe(true);
  });
});

describe('reading a connection', () => {
  it('shows it to the consumer service with everything', async () => {
    const endpoint = someEndpoint();
    await port.requestConnection(endpoint, calling());
    expect(await port.getConnection(endpoint.endpointId, calling())).toMatchObject({
      ...{ connectionId: endpoint.endpointId, status: ConnectionStatus.CONNECTING, holds: [] },
      zones: endpoint.zones.map(({ zoneId, ipv4 }) => ({ zoneId, ipv4Address: ipv4 })),
    });
  });

  it('that is not there says so with a reason', async () => {
    const connectionId = newId('ep');
    const refusal = await refusalOf(port.getConnection(connectionId, calling()));
    const facts = { connection_id: connectionId };
    expect(refusal).toMatchObject({ code: status.NOT_FOUND, reason: 'CONNECTION_NOT_FOUND', facts });
  });
});
