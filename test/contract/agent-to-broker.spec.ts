import { status } from '@grpc/grpc-js';
import {
  ForwardingState,
  type ReportForwardingRequest,
  type WatchZoneResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokerPort } from '../../services/consumer/src/dispatch/broker.ts';
import type { Endpoint } from '../../services/consumer/src/endpoint/endpoint.ts';
import { calling, changesNothing, refusalOf, someEndpoint } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services?.close());

/** What an agent is told, taken one by one; its turn ends with `stop`. */
const watch = (zoneId: string, agent: string) => {
  const ended = new AbortController();
  const stream = services.clients.broker.watchZone({ zoneId, agent }, { signal: ended.signal });
  const iterator = stream[Symbol.asyncIterator]();
  const next = async (): Promise<WatchZoneResponse> => {
    const { value, done } = await iterator.next();
    if (done) throw new Error('the stream has ended');
    return value;
  };
  const until = async (wanted: (told: WatchZoneResponse) => boolean): Promise<WatchZoneResponse> => {
    for (;;) {
      const told = await next();
      if (wanted(told)) return told;
    }
  };
  const of =
    ({ endpointId }: Endpoint) =>
    async () => {
      const { told } = await until(
        (one) => one.told?.$case === 'forwarding' && one.told.value.connectionId === endpointId,
      );
      if (told?.$case !== 'forwarding') throw new Error('not a forwarding');
      return told.value;
    };
  const synced = () => until(({ told }) => told?.$case === 'synced');
  return { of, synced, until, stop: () => ended.abort() };
};

/** An endpoint in a zone of its own, so that no other test is seen, and its connection. */
const connecting = async () => {
  const [zone] = someEndpoint().zones;
  if (!zone) throw new Error('the sample has no zone');
  const zoneId = `zone-${Math.random().toString(36).slice(2, 10)}`;
  const { admission } = someEndpoint();
  const resources = admission.resources.slice(0, 1).map((resource) => ({ ...resource, zoneId }));
  const endpoint = someEndpoint({ zones: [{ ...zone, zoneId }], admission: { ...admission, resources } });
  await brokerPort(services.clients.broker).requestConnection(endpoint, calling());
  return { endpoint, zoneId, resource: resources[0] };
};

const report = (endpoint: Endpoint, change: Partial<ReportForwardingRequest> = {}): ReportForwardingRequest => ({
  ...{ connectionId: endpoint.endpointId, zoneId: endpoint.zones[0]?.zoneId ?? '', generation: 1n },
  ...{ state: ForwardingState.READY, forwarder: 'haproxy/loopback' },
  ...{ listeners: [{ port: 443, address: '127.64.0.9:443' }], ...change },
});

const give = (endpoint: Endpoint, data: object) =>
  services.broker.connections.execute(
    endpoint.endpointId,
    {
      type: 'ReportProgress',
      data: {
        ...{ generation: 1, assigned: [], zones: [], names: null, healthRevision: 0, namesGraceOver: false },
        ...{ factsSeen: null, ...data },
      },
    },
    {
      actor: 'service:broker',
      accountId: '',
      requestId: '',
      fingerprint: '',
      correlationId: '',
      causationId: '',
      deadline: Number.MAX_SAFE_INTEGER,
    },
  );

describe('the agent of a zone', () => {
  it('is told everything there is, then each change of it, and nothing of other zones', async () => {
    const { endpoint, zoneId, resource } = await connecting();
    const agent = watch(zoneId, 'agent-1');
    await agent.synced();
    const told = agent.of(endpoint);
    const [zone] = endpoint.zones;
    const { endpoint: other } = await connecting();
    await give(endpoint, { assigned: [{ zoneId, resource, placement: 1 }] });
    await give(other, { assigned: [] });
    const ready = await agent.until(({ told: one }) => one?.$case === 'forwarding' && one.value.resource !== undefined);
    expect(ready.told).toMatchObject({
      value: {
        ...{ connectionId: endpoint.endpointId, generation: 1n, state: ForwardingState.READY, vpcId: endpoint.vpcId },
        ...{ eniId: zone?.eniId, ipv4Address: zone?.ipv4, confirmed: false, listeners: [] },
        resource: { resourceId: resource?.resourceId, targets: resource?.targets, proxyProtocol: false },
      },
    });
    await services.clients.broker.reportForwarding(report(endpoint), {});
    expect(await told()).toMatchObject({ confirmed: true, listeners: [{ port: 443, address: '127.64.0.9:443' }] });
    await brokerPort(services.clients.broker).deleteConnection(endpoint.endpointId, calling());
    expect(await told()).toMatchObject({ generation: 2n, state: ForwardingState.READY, confirmed: false });
    await give(endpoint, { generation: 2, names: 'REMOVED' });
    expect(await told()).toMatchObject({ generation: 2n, state: ForwardingState.CLOSED, confirmed: false });
    await services.clients.broker.reportForwarding(
      report(endpoint, { generation: 2n, state: ForwardingState.CLOSED, listeners: [] }),
      {},
    );
    expect(await told()).toMatchObject({ state: ForwardingState.REMOVED });
    agent.stop();
  });

  it('is one: the other hears nothing until the first has gone', async () => {
    const { zoneId } = await connecting();
    const first = watch(zoneId, 'agent-1');
    await first.synced();
    const second = watch(zoneId, 'agent-2');
    const heard = second.synced().then(() => 'second');
    const { endpoint } = await connecting();
    expect(await Promise.race([heard, give(endpoint, {}).then(() => 'nobody')])).toBe('nobody');
    first.stop();
    expect(await heard).toBe('second');
    second.stop();
  });
});

describe('the health of a zone', () => {
  const open = async () => {
    const { endpoint, zoneId, resource } = await connecting();
    await give(endpoint, { assigned: [{ zoneId, resource, placement: 1 }] });
    await services.clients.broker.reportForwarding(report(endpoint), {});
    const say = (healthy: boolean, of = zoneId) =>
      services.clients.broker.reportZoneHealth({ connectionId: endpoint.endpointId, zoneId: of, healthy }, {});
    const seenBy = async (api: Pick<typeof services.clients, 'broker'>) => {
      const { connection } = await api.broker.getConnection({ connectionId: endpoint.endpointId }, {});
      return [connection?.degraded, connection?.zones.map(({ healthy }) => healthy), connection?.status];
    };
    return { endpoint, zoneId, say, seenBy };
  };

  it('is told back to the agent, and both sides see it, without a change of status', async () => {
    const { endpoint, zoneId, say, seenBy } = await open();
    const agent = watch(zoneId, 'agent-1');
    const hears = (healthy: boolean) =>
      agent.until(({ told }) => told?.$case === 'forwarding' && told.value.confirmed && told.value.healthy === healthy);
    await hears(true);
    await say(false);
    expect((await hears(false)).told).toMatchObject({ value: { connectionId: endpoint.endpointId, generation: 1n } });
    const { endpointAccountId, serviceAccountId } = (await services.broker.connections.fold(endpoint.endpointId)).state;
    const consumer = await services.clientsOf(endpointAccountId, 'consumer');
    const provider = await services.clientsOf(serviceAccountId, 'provider');
    for (const side of [consumer, provider])
      expect(await seenBy(side)).toEqual([true, [false], 'CONNECTION_STATUS_CONNECTING']);
    await say(true);
    expect(await seenBy(consumer)).toEqual([false, [true], 'CONNECTION_STATUS_CONNECTING']);
    agent.stop();
  });

  it('is said with whether the bandwidth limit is kept, of which both sides are told, and the agent too', async () => {
    const { endpoint, zoneId } = await open();
    const { endpointId: connectionId } = endpoint;
    const agent = watch(zoneId, 'agent-1');
    const hears = (kept: boolean) =>
      agent.until(({ told }) => told?.$case === 'forwarding' && told.value.bandwidthKept === kept);
    await hears(true);
    const health = { connectionId, zoneId, healthy: true };
    await services.clients.broker.reportZoneHealth({ ...health, bandwidthKept: false }, {});
    await hears(false);
    const { connection } = await services.clients.broker.getConnection({ connectionId }, {});
    expect(connection).toMatchObject({ degraded: false, zones: [{ bandwidthKept: false, healthy: true }] });
    // An agent that does not speak of it changes nothing.
    await changesNothing(services.broker.store, () => services.clients.broker.reportZoneHealth(health, {}));
    agent.stop();
  });

  it('said again, of another zone, or of another connection changes nothing', async () => {
    const { say } = await open();
    await say(false);
    const nobody = { connectionId: `ep-${'0'.repeat(20)}`, zoneId: 'elsewhere', healthy: false };
    for (const again of [
      () => say(false),
      () => say(false, 'elsewhere'),
      () => services.clients.broker.reportZoneHealth(nobody, {}),
    ])
      await changesNothing(services.broker.store, again);
  });

  it('that is of nothing is refused with its fields', async () => {
    const wrong = { connectionId: 'x', zoneId: '', healthy: false };
    const refusal = await refusalOf(services.clients.broker.reportZoneHealth(wrong, {}));
    expect(refusal.code).toBe(status.INVALID_ARGUMENT);
    expect(refusal.violations.map(({ field }) => field).sort()).toEqual(['connection_id', 'zone_id']);
  });
});

describe('a report', () => {
  it('of another generation, another zone or another connection changes nothing', async () => {
    const { endpoint } = await connecting();
    const { broker } = services.clients;
    for (const change of [
      { generation: 7n },
      { zoneId: 'elsewhere' },
      { state: ForwardingState.CLOSED },
      { connectionId: `ep-${'0'.repeat(20)}` },
    ]) {
      await changesNothing(services.broker.store, () => broker.reportForwarding(report(endpoint, change), {}));
    }
  });

  it('never establishes: what is known of the service and who pays must be looked at first', async () => {
    const { endpoint } = await connecting();
    await give(endpoint, { names: 'PUBLISHED' });
    await services.clients.broker.reportForwarding(report(endpoint), {});
    expect((await services.broker.connections.fold(endpoint.endpointId)).state).toMatchObject({
      status: 'CONNECTING',
      zones: { [endpoint.zones[0]?.zoneId ?? '']: { forwarder: 'haproxy/loopback' } },
    });
  });

  it('that is none is refused with its fields', async () => {
    const { endpoint } = await connecting();
    const wrong = {
      ...{ connectionId: 'x', zoneId: '', state: ForwardingState.REMOVED, forwarder: 'a\0b' },
      listeners: [{ port: 0, address: 'x'.repeat(65) }],
    };
    const refusal = await refusalOf(services.clients.broker.reportForwarding(report(endpoint, wrong), {}));
    expect(refusal.code).toBe(status.INVALID_ARGUMENT);
    expect(refusal.violations.map(({ field }) => field).sort()).toEqual([
      ...['connection_id', 'forwarder', 'listeners[0].address', 'listeners[0].port', 'state', 'zone_id'],
    ]);
  });
});
