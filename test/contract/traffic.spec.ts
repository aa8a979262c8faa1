import { status } from '@grpc/grpc-js';
import type { ReportTrafficRequest } from '@privatelink/proto/broker/v1/broker_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokerPort } from '../../services/consumer/src/dispatch/broker.ts';
import { calling, changesNothing, refusalOf, someEndpoint } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services?.close());

let made = 0;

/** A connection in a zone of its own, of which a meter may be reported. */
const open = async (endpointType: 'INTERFACE' | 'REVERSE' = 'INTERFACE') => {
  const [zone] = someEndpoint().zones;
  if (!zone) throw new Error('the sample has no zone');
  const zoneId = `zone-${++made}`;
  const { admission } = someEndpoint();
  const resources = admission.resources.slice(0, 1).map((resource) => ({ ...resource, zoneId }));
  const endpoint = someEndpoint({ endpointType, zones: [{ ...zone, zoneId }], admission: { ...admission, resources } });
  await brokerPort(services.clients.broker).requestConnection(endpoint, calling());
  const { endpointId: connectionId } = endpoint;
  const counted = {
    connectionId,
    run: 'a',
    receivedBytes: 10n,
    sentBytes: 200n,
    flows: 3n,
    openFlows: 2n,
    failedFlows: 1n,
  };
  const report = (change: Partial<ReportTrafficRequest> = {}) =>
    services.clients.broker.reportTraffic(
      { ...{ zoneId, meterId: 'meter', after: 0n, runs: ['a'], readings: [counted] }, ...change },
      {},
    );
  const { endpointAccountId, serviceAccountId } = (await services.broker.connections.fold(connectionId)).state;
  const seenBy = async (role: 'provider' | 'consumer') => {
    const account = role === 'provider' ? serviceAccountId : endpointAccountId;
    const { broker } = await services.clientsOf(account, role);
    return broker.getConnectionTraffic({ connectionId }, {});
  };
  return { connectionId, zoneId, report, seenBy, counted };
};

describe('what has gone through a connection', () => {
  it('is told to both sides alike, and is no event', async () => {
    const { zoneId, report, seenBy } = await open();
    expect(await changesNothing(services.broker.store, () => report())).toEqual({ number: 1n });
    const counters = { bytesToService: 10n, bytesToEndpoint: 200n, flows: 3n, openFlows: 2n, failedFlows: 1n };
    const seen = await seenBy('consumer');
    expect(seen).toMatchObject({ total: counters, zones: [{ zoneId, counters }] });
    expect(await seenBy('provider')).toEqual(seen);
  });

  it('goes the other way through a reverse endpoint', async () => {
    const { report, seenBy } = await open('REVERSE');
    await report();
    expect(await seenBy('consumer')).toMatchObject({ total: { bytesToService: 200n, bytesToEndpoint: 10n } });
  });

  it('is not said to be nothing where nobody counts', async () => {
    const { zoneId, report, seenBy } = await open();
    const nobody = { total: undefined, zones: [{ zoneId, counters: undefined, reportTime: undefined }] };
    expect(await seenBy('consumer')).toMatchObject(nobody);
    await report({ readings: [] });
    expect(await seenBy('consumer')).toMatchObject({ total: { flows: 0n }, zones: [{ counters: { flows: 0n } }] });
  });

  it('is of all zones together, also of one that it has left, and as much as a number can say', async () => {
    const { zoneId, report, seenBy, counted } = await open();
    const most = 2n ** 64n - 1n;
    await report({ readings: [{ ...counted, receivedBytes: most }] });
    await report({ zoneId: 'a-former-zone' });
    const { total, zones } = await seenBy('provider');
    expect(zones.map((zone) => [zone.zoneId, zone.counters?.bytesToService])).toEqual([
      ['a-former-zone', 10n],
      [zoneId, most],
    ]);
    expect(total).toMatchObject({ bytesToService: most, bytesToEndpoint: 400n });
  });

  it('is taken in its turn alone: who is not in turn is told which report was the last', async () => {
    const { report, seenBy } = await open();
    await report();
    const seen = await seenBy('consumer');
    for (const after of [0n, 2n])
      expect(await refusalOf(report({ after }))).toMatchObject({
        ...{ code: status.ABORTED, reason: 'REPORT_OUT_OF_TURN', facts: { number: '1' } },
      });
    expect(await seenBy('consumer')).toEqual(seen);
  });
});
