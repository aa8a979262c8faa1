import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import { registry } from '@privatelink/shared/telemetry/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionMoved, consumer, endpointMade, provider, serviceMade, stranger } from '../testing/announcements.ts';
import { openStage, type Stage } from '../testing/stage.ts';

let stage: Stage;
let tokens: Readonly<Record<'operator' | 'viewer' | 'provider' | 'consumer' | 'stranger', string>>;

beforeAll(async () => {
  stage = await openStage();
  tokens = {
    operator: await stage.token(['operator']),
    viewer: await stage.token(['viewer']),
    provider: await stage.token(['provider'], provider),
    consumer: await stage.token(['consumer'], consumer),
    stranger: await stage.token(['provider', 'consumer'], stranger),
  };
  await stage.tell('provider', serviceMade('epsrv-1'), serviceMade('epsrv-2', stranger));
  await stage.tell('consumer', endpointMade('ep-00'), endpointMade('ep-01'));
  const moves = Array.from({ length: 12 }, (_, index) => {
    const id = `ep-${String(index).padStart(2, '0')}`;
    return connectionMoved(id, 0n, ['', index % 3 === 0 ? 'DISCONNECTED' : 'CONNECTED']);
  });
  const longAgo = { statusTime: timestamp('2026-01-02T03:04:05.000Z') };
  await stage.tell('broker', ...moves, connectionMoved('ep-stuck', 0n, ['', 'CONNECTING'], longAgo));
  await stage.tell('broker', connectionMoved('ep-gone', 0n, ['DELETING', 'GONE']));
});
afterAll(() => stage?.close());

type Items = Readonly<{ items: readonly Record<string, never>[]; nextPageToken: string }>;
const list = async (path: string, token: string): Promise<Items> => {
  const reply = await stage.get(path, token);
  expect(reply.status).toBe(200);
  return (await reply.json()) as Items;
};
const idsOf = ({ items }: Items): readonly string[] =>
  items.map((item) => item['connectionId'] ?? item['endpointId'] ?? item['serviceId'] ?? '');
const reasonOf = async (reply: Response) => ((await reply.json()) as { error: { reason: string } }).error.reason;

describe('lists', () => {
  it('are filtered, ordered, searched, and read page by page', async () => {
    const path = '/api/connections?filter=status%20%3D%20CONNECTED&orderBy=connection_id%20desc&pageSize=3';
    const ids: string[] = [];
    for (let token = '', first = true; first || token !== ''; first = false) {
      const page = await list(`${path}&pageToken=${token}`, tokens.operator);
      ids.push(...idsOf(page));
      token = page.nextPageToken;
    }
    expect(ids).toEqual(['ep-11', 'ep-10', 'ep-08', 'ep-07', 'ep-05', 'ep-04', 'ep-02', 'ep-01']);
    expect(idsOf(await list('/api/connections?q=ep-1', tokens.operator))).toEqual(['ep-10', 'ep-11']);
    expect(idsOf(await list(`/api/connections?q=${stranger}`, tokens.operator))).toEqual([]);
    expect(idsOf(await list('/api/connections?stuck=true', tokens.operator))).toEqual(['ep-stuck']);
  });

  it('show what exists', async () => {
    const ids = idsOf(await list('/api/connections?pageSize=1000', tokens.operator));
    expect(ids).toHaveLength(13);
    expect(ids).not.toContain('ep-gone');
  });

  it('show an endpoint with what the broker says of its connection', async () => {
    const { items } = await list('/api/endpoints', tokens.consumer);
    expect(items.map(({ endpointId, connectionStatus, usable }) => [endpointId, connectionStatus, usable])).toEqual([
      ['ep-00', ConnectionStatus.DISCONNECTED, false],
      ['ep-01', ConnectionStatus.CONNECTED, true],
    ]);
  });

  it('are exported whole, and a cell is no formula', async () => {
    const csv = await (
      await stage.get('/api/connections/export?format=csv&orderBy=connection_id', tokens.operator)
    ).text();
    const [head, first, ...rest] = csv.trimEnd().split('\r\n');
    expect(head).toMatch(/^connectionId,status,/);
    expect(first).toMatch(/^ep-00,CONNECTION_STATUS_DISCONNECTED,/);
    expect(rest).toHaveLength(12);
    const json = await (await stage.get('/api/endpoint-services/export?format=json', tokens.operator)).json();
    expect(json).toHaveLength(2);
    const none = await stage.get('/api/connections/export?format=json&q=nothing', tokens.operator);
    expect(await none.json()).toEqual([]);
  });
});

describe('facts', () => {
  type Facts = Readonly<{ items: { id: string; transition: object | null }[]; next: string }>;
  const facts = async (query: string): Promise<Facts> =>
    (await (await stage.get(`/api/facts?${query}`, tokens.operator)).json()) as Facts;

  it('are read page by page, the latest first, back to the first that is kept', async () => {
    const all = (await facts('pageSize=500')).items.map(({ id }) => id);
    const read: string[] = [];
    let before = '';
    do {
      const page = await facts(`pageSize=5&before=${before}`);
      read.push(...page.items.map(({ id }) => id));
      before = page.next;
    } while (before !== '');
    expect(read).toEqual(all);
    expect(all).toHaveLength(2 + 2 + 12 + 2);
  });

  it('are found by what they are about, their type, and whether they moved a status', async () => {
    expect((await facts('about=ep-stuck')).items).toMatchObject([{ resourceId: 'ep-stuck' }]);
    expect((await facts('about=epsrv-2')).items).toMatchObject([{ type: 'EndpointServiceActivated' }]);
    expect((await facts(`about=${stranger}&type=EndpointServiceActivated`)).items).toHaveLength(1);
    expect((await facts('moves=true')).items.every(({ transition }) => transition !== null)).toBe(true);
  });
});

describe('the topology', () => {
  type Topology = Readonly<{ detail: string; nodes: { id: string }[]; edges: unknown[] }>;
  const topology = async (token: string, about = ''): Promise<Topology> =>
    (await (await stage.get(`/api/topology?about=${about}`, token)).json()) as Topology;

  it('is of all that the caller sees, or of what is about something', async () => {
    const all = await topology(tokens.operator);
    expect(all).toMatchObject({ detail: 'endpoints' });
    expect(all.nodes).toHaveLength(13 + 4);
    expect(all.nodes).toContainEqual({
      ...{ id: 'service:epsrv-1', kind: 'service', resourceId: 'epsrv-1', status: 'ACTIVE', count: 1 },
      businessStatus: 'NORMAL',
      name: 'com.privatelink.cn-hangzhou.epsrv-1',
      connections: expect.arrayContaining([{ name: 'CONNECTED', count: 8 }]),
    });
    expect((await topology(tokens.consumer)).nodes).toHaveLength(13 + 4);
    const one = await topology(tokens.operator, 'ep-01');
    expect(one.edges).toHaveLength(4);
    expect(await topology(tokens.stranger)).toMatchObject({ nodes: [], edges: [] });
    expect(await topology(tokens.stranger, provider)).toMatchObject({ nodes: [] });
  });
});

describe('who sees what', () => {
  it('operators and viewers everything', async () => {
    for (const token of [tokens.operator, tokens.viewer]) {
      expect(idsOf(await list('/api/endpoint-services', token))).toEqual(['epsrv-1', 'epsrv-2']);
      const { items } = await list('/api/connections?q=ep-00', token);
      expect(items[0]).toMatchObject({ holds: [{ source: 'erp-secret', placedBy: 'user:bill' }] });
      expect(items[0]).toMatchObject({ zones: [{ resourceId: 'nlb-secret', status: 'ZONE_STATUS_MIGRATING' }] });
    }
  });

  it('an account its own, and of the other side what that lets it', async () => {
    expect(idsOf(await list('/api/endpoint-services', tokens.provider))).toEqual(['epsrv-1']);
    const ofProvider = await list('/api/connections?q=ep-00', tokens.provider);
    expect(ofProvider.items[0]).toMatchObject({ holds: [{ source: '', placedBy: '', message: '' }] });
    expect(ofProvider.items[0]).toMatchObject({ zones: [{ resourceId: 'nlb-secret' }] });
    const ofConsumer = await list('/api/connections?q=ep-00', tokens.consumer);
    expect(ofConsumer.items[0]).toMatchObject({
      holds: [{ source: 'erp-secret', placedBy: '', message: 'invoice 7' }],
    });
    expect(ofConsumer.items[0]).toMatchObject({ zones: [{ resourceId: '', status: 'ZONE_STATUS_CONNECTED' }] });
  });

  it('a stranger nothing of others, however it asks', async () => {
    for (const path of ['connections', 'endpoints']) {
      expect(idsOf(await list(`/api/${path}?pageSize=1000`, tokens.stranger))).toEqual([]);
      expect(
        idsOf(await list(`/api/${path}?q=ep-0&filter=create_time%20%3E%20%222000-01-01T00:00:00Z%22`, tokens.stranger)),
      ).toEqual([]);
      expect(await (await stage.get(`/api/${path}/export?format=json`, tokens.stranger)).json()).toEqual([]);
    }
    expect(idsOf(await list('/api/endpoint-services', tokens.stranger))).toEqual(['epsrv-2']);
    const facts = await list(`/api/facts?about=epsrv-1&pageSize=500`, tokens.stranger);
    expect(facts.items).toEqual([]);
    const overview = (await (await stage.get('/api/overview', tokens.stranger)).json()) as Record<string, unknown>;
    expect(overview).toMatchObject({ connections: [], holds: [], largestServices: [], stuck: 0, degraded: 0 });
    expect(await (await stage.get('/api/status-changes', tokens.stranger)).json()).toEqual({ items: [] });
  });

  it('and nobody the names of people in other accounts', async () => {
    const actors = async (token: string) => {
      const { items } = await list('/api/facts?about=ep-02&pageSize=500', token);
      return [...new Set(items.map(({ actor }) => actor))];
    };
    expect(await actors(tokens.operator)).toEqual(['user:paula']);
    expect(await actors(tokens.provider)).toEqual(['user:paula']);
    expect(await actors(tokens.consumer)).toEqual(['']);
    const of = async (token: string) => (await list('/api/facts?about=ep-02&actor=user:paula', token)).items.length;
    expect(await Promise.all([tokens.operator, tokens.provider, tokens.consumer].map(of))).toEqual([1, 1, 0]);
  });
});

describe('what is measured', () => {
  it('is each request by its route, and nothing of what was asked for', async () => {
    await stage.get('/api/connections?q=ep-00', tokens.operator);
    await stage.get('/api/ep-00', tokens.operator);
    const text = await registry.metrics();
    expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*route="\/api\/connections",code="200"/);
    expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*route="none",code="404"/);
    expect(text).not.toContain('ep-00');
  });
});

describe('attackers', () => {
  it('cannot make up a page token, or take one of another list or account', async () => {
    const { nextPageToken } = await list('/api/connections?pageSize=2', tokens.provider);
    expect(nextPageToken).not.toBe('');
    const forged = [
      `/api/connections?pageSize=2&pageToken=${nextPageToken.slice(0, -2)}aa`,
      `/api/connections?pageSize=2&q=ep&pageToken=${nextPageToken}`,
      `/api/connections?pageToken=${Buffer.from('["ep-00"]').toString('base64url')}`,
    ];
    for (const path of forged) {
      const reply = await stage.get(path, tokens.provider);
      expect(reply.status).toBe(400);
      expect(await reasonOf(reply)).toBe('PAGE_TOKEN_INVALID');
    }
    const foreign = await stage.get(`/api/connections?pageSize=2&pageToken=${nextPageToken}`, tokens.consumer);
    expect(await reasonOf(foreign)).toBe('PAGE_TOKEN_INVALID');
  });

  it('get no more than a page', async () => {
    expect((await stage.get('/api/connections?pageSize=1000000', tokens.operator)).status).toBe(200);
  });

  it('call no RPC that is not for them, whatever its name', async () => {
    const call = (service: string, rpc: string) =>
      fetch(`${stage.origin()}/api/rpc/${service}/${encodeURIComponent(rpc)}`, {
        method: 'POST',
        body: '{}',
        headers: { authorization: `Bearer ${tokens.operator}`, 'content-type': 'application/json' },
      });
    const absent = [
      ...['privatelink.broker.v1.BrokerService.CloseService', 'privatelink.broker.v1.BrokerService.WatchConnections'],
      ...['privatelink.provider.v1.ProviderService.GetEndpointService', 'grpc.health.v1.Health.Check'],
      ...['privatelink.broker.v1.BrokerService.constructor', '../../../x', ''],
    ];
    for (const rpc of absent) expect([rpc, (await call('broker', rpc)).status]).toEqual([rpc, 404]);
    expect((await call('elsewhere', 'privatelink.broker.v1.BrokerService.GetConnection')).status).toBe(400);
  });
});
