import { request } from 'node:http';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import { registry } from '@privatelink/shared/telemetry/metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionMoved, consumer, endpointMade, provider, serviceMade, stranger } from '../testing/announcements.ts';
import { openStage, type Stage } from '../testing/stage.ts';

let stage: Stage;
let tokens: Readonly<Record<'operator' | 'viewer' | 'provider' | 'consumer' | 'stranger' | 'billing', string>>;

beforeAll(async () => {
  stage = await openStage();
  tokens = {
    operator: await stage.token(['operator']),
    viewer: await stage.token(['viewer']),
    provider: await stage.token(['provider'], provider),
    consumer: await stage.token(['consumer'], consumer),
    stranger: await stage.token(['provider', 'consumer'], stranger),
    billing: await stage.token(['billing']),
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

describe('the topology', () => {
  type Topology = Readonly<{ detail: string; nodes: { id: string }[]; edges: unknown[]; omitted: number }>;
  const topology = async (token: string, about = ''): Promise<Topology> =>
    (await (await stage.get(`/api/topology?about=${about}`, token)).json()) as Topology;

  it('is of all that the caller sees, or of what is about something', async () => {
    const all = await topology(tokens.operator);
    expect(all).toMatchObject({ detail: 'endpoints', omitted: 0 });
    expect(all.nodes).toHaveLength(13 + 4);
    expect(all.nodes).toContainEqual({
      ...{ id: 'service:epsrv-1', kind: 'service', resourceId: 'epsrv-1', status: 'ACTIVE' },
      businessStatus: 'NORMAL',
      name: 'com.privatelink.cn-hangzhou.epsrv-1',
      connections: expect.arrayContaining([{ name: 'CONNECTED', count: 8 }]),
    });
    expect((await topology(tokens.consumer)).nodes).toHaveLength(13 + 4);
    const one = await topology(tokens.operator, 'ep-01');
    expect(one.edges).toHaveLength(4);
    expect(await topology(tokens.stranger)).toMatchObject({ nodes: [], edges: [], omitted: 0 });
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
  });

  it('roles that may not list are refused, and so is nobody', async () => {
    expect((await stage.get('/api/connections', tokens.billing)).status).toBe(403);
    expect((await stage.get('/api/endpoint-services', tokens.consumer)).status).toBe(403);
    const paths = ['connections', 'endpoints', 'endpoint-services', 'overview', 'facts', 'live', 'session'];
    for (const path of paths) expect((await stage.get(`/api/${path}`, 'nonsense')).status).toBe(401);
    for (const path of paths) expect((await fetch(`${stage.origin()}/api/${path}`)).status).toBe(401);
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

  it('get no more than a page, and bad input is told what is wrong with it', async () => {
    expect((await stage.get('/api/connections?pageSize=1000000', tokens.operator)).status).toBe(200);
    const bad = [
      ['/api/connections?pageSize=-1', 'page_size'],
      ['/api/connections?pageSize=x', 'pageSize'],
      ['/api/connections?filter=gone%20%3D%20true', 'filter'],
      ['/api/connections?orderBy=account_ids', 'order_by'],
      [`/api/connections?q=${'x'.repeat(257)}`, 'q'],
      ['/api/connections?q=%00', 'q'],
      ['/api/topology?about=%00', 'about'],
      ['/api/facts?about=%00', 'about'],
      ['/api/facts?type=%00', 'type'],
      ['/api/facts?type=a&type=%00', 'type.1'],
      ['/api/live?about=%00', 'about'],
      ['/api/facts?before=nonsense', 'before'],
      ['/api/facts?pageSize=501', 'pageSize'],
      ['/api/live?after=1%20or%201%3D1', 'after'],
      ['/api/status-changes?minutes=1441', 'minutes'],
    ] as const;
    for (const [path, field] of bad) {
      const reply = await stage.get(path, tokens.operator);
      const { error } = (await reply.json()) as { error: { violations: { field: string }[] } };
      expect([path, reply.status, error.violations.map((violation) => violation.field)]).toEqual([path, 400, [field]]);
    }
    const huge = { method: 'POST', body: JSON.stringify({ x: 'x'.repeat(100_000) }) };
    const headers = { authorization: `Bearer ${tokens.operator}`, 'content-type': 'application/json' };
    const url = `${stage.origin()}/api/rpc/broker/privatelink.broker.v1.BrokerService.GetConnection`;
    expect((await fetch(url, { ...huge, headers })).status).toBe(413);
  });

  it('make a browser change nothing from another site', async () => {
    const cookie = `privatelink_session=${tokens.operator}`;
    const url = `${stage.origin()}/api/rpc/broker/privatelink.broker.v1.BrokerService.ListConnections`;
    const post = (headers: Record<string, string>) =>
      fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...headers } });
    for (const origin of ['https://evil.example', 'null', `${stage.origin()}.evil.example`]) {
      expect((await post({ cookie, origin })).status).toBe(403);
    }
    expect((await post({ cookie })).status).toBe(403);
    // From our own pages it reaches the service, which is not there.
    expect((await post({ cookie, origin: stage.origin() })).status).toBe(503);
    const end = (origin: string) =>
      fetch(`${stage.origin()}/api/session`, { method: 'DELETE', headers: { cookie, origin } });
    expect((await end('https://evil.example')).status).toBe(403);
    expect((await end(stage.origin())).status).toBe(204);
  });

  it('do not reach it by a name of theirs', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'rebound.example', authorization: `Bearer ${tokens.operator}` };
      request(`${stage.origin()}/api/connections`, { headers }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
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

  it('find headers that keep a page to itself', async () => {
    const { headers } = await stage.get('/api/session', tokens.operator);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('a login link', () => {
  const follow = (code: string) => fetch(`${stage.origin()}/login?code=${code}`, { redirect: 'manual' });

  it('begins a session once', async () => {
    const code = stage.loginCode(tokens.operator);
    const [one, other] = await Promise.all([follow(code), follow(code)]);
    const statuses = [one.status, other.status].sort();
    expect(statuses).toEqual([200, 303]);
    const cookie = (one.status === 200 ? one : other).headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^privatelink_session=/);
    expect(one.headers.get('cache-control')).toBe('no-store');
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(part);
    const [pair = ''] = cookie.split(';');
    const session = await fetch(`${stage.origin()}/api/session`, { headers: { cookie: pair } });
    expect(await session.json()).toMatchObject({ subject: 'spec', roles: ['operator'] });
    expect((await follow(code)).status).toBe(303);
  });

  it('of nobody leads to the page that says so', async () => {
    for (const code of ['x'.repeat(40), '..%2F..%2Fjwks', '']) {
      const reply = await follow(code);
      expect([reply.status, reply.headers.get('location')]).toEqual([303, '/sign-in?used']);
      expect(reply.headers.get('set-cookie')).toBeNull();
    }
  });

  it('with a token that is none begins nothing', async () => {
    expect((await follow(stage.loginCode('forged'))).status).toBe(401);
  });
});
