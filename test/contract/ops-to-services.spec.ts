import { Client, credentials } from '@grpc/grpc-js';
import type { Role } from '@privatelink/shared/grpc/access';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openStage, type Stage } from '../../services/ops/src/testing/stage.ts';
import { activeService, CONSUMER, newId, PROVIDER } from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
let ops: Stage;
let serviceId = '';
const clients: Client[] = [];

beforeAll(async () => {
  services = await startServices();
  const clientOf = ([address = '127.0.0.1:1']: readonly string[]): Client => {
    const client = new Client(address, credentials.createInsecure());
    clients.push(client);
    return client;
  };
  const { provider, consumer, broker, dns } = services.addresses;
  ops = await openStage({
    verifier: services.issuer.verifier,
    clients: {
      ...{ provider: clientOf(provider), consumer: clientOf(consumer) },
      ...{ broker: clientOf(broker), dns: clientOf(dns), ops: clientOf([]) },
    },
  });
  serviceId = await activeService(services);
});
afterAll(async () => {
  for (const client of clients) client.close();
  await ops?.close();
  await services?.close();
});

const STRANGER = '3000000000000003';
const provider = 'privatelink.provider.v1.ProviderService';

const call = async (service: string, rpc: string, body: object, roles: readonly Role[], accountId = '') => {
  const token = await services.issuer.token(roles, accountId, 'olga');
  const reply = await fetch(`${ops.origin()}/api/rpc/${service}/${rpc}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, Record<string, unknown>> };
};

describe('an RPC that is called over HTTP', () => {
  it('is answered in protobuf’s JSON, to whom the service itself would answer', async () => {
    const get = `${provider}.GetEndpointService`;
    const own = await call('provider', get, { serviceId }, ['provider'], PROVIDER);
    expect(own.status).toBe(200);
    expect(own.body['endpointService']).toMatchObject({ serviceId, accountId: PROVIDER });
    const foreign = await call('provider', get, { serviceId: newId('epsrv') }, ['consumer'], CONSUMER);
    expect(foreign.status).toBe(404);
    expect(foreign.body['error']).toMatchObject({ code: 'NOT_FOUND' });
    const viewer = await call('provider', `${provider}.SetAutoAccept`, { serviceId }, ['viewer']);
    expect(viewer.status).toBe(403);
  });

  it('is rehearsed first, and then done by whoever asks', async () => {
    const lock = { requestId: newId('r'), serviceId, message: 'abuse' };
    const lockService = `${provider}.LockEndpointService`;
    const before = await services.provider.store.tail();
    const rehearsed = await call('provider', lockService, { ...lock, dryRun: true }, ['operator']);
    expect(rehearsed.status).toBe(200);
    expect(rehearsed.body['preview']?.['events']).toMatchObject([
      { type: 'SecurityLockPlaced', resourceId: serviceId },
    ]);
    expect(await services.provider.store.tail()).toBe(before);
    expect((await call('provider', lockService, lock, ['operator'])).status).toBe(200);
    const events = [];
    const all = { from: 'end', direction: 'backwards', maxCount: 1 } as const;
    for await (const event of services.provider.store.read(`endpointService-${serviceId}`, all)) events.push(event);
    expect(events).toMatchObject([{ metadata: { actor: 'user:olga' } }]);
  });

  it('is refused with the reason, and the field where there is one', async () => {
    const unknown = await call('provider', `${provider}.GetEndpointService`, { colour: 'red' }, ['operator']);
    expect(unknown.status).toBe(400);
    expect(unknown.body['error']).toMatchObject({ code: 'INVALID_ARGUMENT', violations: [{ field: 'body' }] });
    const wordy = { serviceId, message: 'x'.repeat(257) };
    const bad = await call('provider', `${provider}.LockEndpointService`, wordy, ['operator']);
    expect(bad.status).toBe(400);
    expect(bad.body['error']).toMatchObject({ violations: [{ field: 'message' }] });
  });
});

describe('services that an account may connect to', () => {
  const visible = async (accountId: string, query = '') => {
    const token = await services.issuer.token(['consumer'], accountId, 'olga');
    const reply = await ops.get(`/api/visible-services?${query}`, token);
    return (await reply.json()) as { items: Record<string, unknown>[]; nextPageToken: string };
  };

  it('are listed to it, without what is their owner’s alone, and to nobody else', async () => {
    const listed = await activeService(services);
    const { provider: owner } = await services.clientsOf(PROVIDER, 'provider');
    const user = { serviceId: listed, approvalTtl: undefined };
    await owner.addServiceUser({ ...user, requestId: newId('r'), accountId: CONSUMER }, {});
    await owner.removeServiceUser(
      { requestId: newId('r'), serviceId: listed, accountId: '*', reconcile: 'RECONCILE_KEEP' },
      {},
    );
    const isShownTo = async (accountId: string) =>
      (await visible(accountId)).items.some((item) => item['serviceId'] === listed);
    await vi.waitFor(async () => {
      expect(await isShownTo(CONSUMER)).toBe(true);
      expect(await isShownTo(STRANGER)).toBe(false);
    }, 10_000);
    const { items } = await visible(CONSUMER);
    const hidden = { description: '', resources: [], tags: [], locks: [] };
    for (const item of items) expect(item).toMatchObject(hidden);
    const first = await visible(CONSUMER, 'pageSize=1');
    expect(first.items).toHaveLength(1);
    expect(await visible(CONSUMER, 'filter=service_id%20%3D%20none')).toMatchObject({ items: [], nextPageToken: '' });
  });

  it('cannot be asked for by whoever has no account, or wrongly', async () => {
    const token = await services.issuer.token(['operator'], '', 'olga');
    expect((await ops.get('/api/visible-services', token)).status).toBe(403);
    const consumer = await services.issuer.token(['consumer'], CONSUMER, 'olga');
    expect((await ops.get('/api/visible-services?filter=description%20%3D%20x', consumer)).status).toBe(400);
    expect((await ops.get('/api/visible-services?pageToken=made-up', consumer)).status).toBe(400);
  });
});
