import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionMoved } from '../testing/announcements.ts';
import { pathOf, type Route, readRoutes, refusalIn, send } from '../testing/routes.ts';
import { readEvents } from '../testing/sse.ts';
import { openStage, type Stage } from '../testing/stage.ts';

/** What a browser carries, and who may make it do so. */

let stage: Stage;
let routes: readonly Route[];
let operator: string;
beforeAll(async () => {
  stage = await openStage();
  routes = await readRoutes(stage);
  operator = await stage.token(['operator']);
});
afterAll(() => stage?.close());

const get = (path: string, headers = {}, method = 'GET') => send(stage, { method, path, headers });
const cookieOf = (token: string) => ({ cookie: `privatelink_session=${token}` });

describe('a login link', () => {
  const follow = (code: string) => get(`/login?code=${code}`);
  const setCookie = (headers: Readonly<{ 'set-cookie'?: string[] | undefined }>) => headers['set-cookie']?.[0] ?? '';

  it('begins a session once, also when it is followed twice at the same time', async () => {
    const code = stage.loginCode(operator);
    const replies = await Promise.all(Array.from({ length: 8 }, () => follow(code)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 303, 303, 303, 303, 303, 303, 303]);
    const begun = replies.filter(({ headers }) => setCookie(headers) !== '');
    expect(begun).toMatchObject([{ status: 200, headers: { 'cache-control': 'no-store' } }]);
    const cookie = setCookie(begun[0]?.headers ?? {});
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(part);
    const session = await get('/api/session', { cookie: cookie.split(';')[0] });
    expect(JSON.parse(session.text)).toMatchObject({ subject: 'spec', roles: ['operator'] });
    expect((await follow(code)).status).toBe(303);
  });

  it('is not used up by who only looks where it leads', async () => {
    const code = stage.loginCode(operator);
    for (const method of ['HEAD', 'OPTIONS', 'POST']) {
      expect((await get(`/login?code=${code}`, {}, method)).status).toBe(404);
    }
    expect((await follow(code)).status).toBe(200);
  });

  it('of nobody leads to the page that says so', async () => {
    for (const code of ['x'.repeat(40), '..%2F..%2Fjwks', '']) {
      const { status, headers } = await follow(code);
      expect([status, headers.location, setCookie(headers)]).toEqual([303, '/sign-in?used', '']);
    }
  });

  it('with a token that is none, or none any more, begins nothing', async () => {
    for (const token of ['forged', await stage.token(['operator'], '', { ttlSeconds: -1 })]) {
      const { status, headers } = await follow(stage.loginCode(token));
      expect([status, setCookie(headers)]).toEqual([401, '']);
    }
  });
});

describe('another site', () => {
  const evil = () => [
    ...['https://evil.example', 'null', '', `${stage.origin()}.evil.example`, 'http://127.0.0.1:1'],
    ...[stage.origin().replace('http:', 'https:'), `${stage.origin()}/`, stage.origin().toUpperCase()],
  ];

  it('makes a browser change nothing, whatever it asks for', async () => {
    for (const route of routes.filter(({ method }) => method !== 'GET')) {
      const ask = (headers: object, type = 'application/json') =>
        send(stage, {
          ...{ method: route.method, path: pathOf(route), body: route.method === 'POST' ? '{}' : undefined },
          headers: { ...cookieOf(operator), ...headers, ...(route.method === 'POST' && { 'content-type': type }) },
        });
      for (const origin of evil()) {
        // The types that a form may have, for which no browser asks beforehand.
        for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
          expect([route.name, origin, (await ask({ origin }, type)).status]).toEqual([route.name, origin, 403]);
        }
      }
      expect((await ask({})).status).toBe(403);
      expect((await ask({ referer: stage.origin() })).status).toBe(403);
      // From our own pages: a session begins with a token alone, and there is no service to relay to.
      const own: Readonly<Record<string, number>> = { 'post /api/session': 401, 'delete /api/session': 204 };
      expect((await ask({ origin: stage.origin() })).status).toBe(own[route.name] ?? 503);
    }
  });

  it('does not reach it by a name of its own', async () => {
    for (const host of ['rebound.example', `${new URL(stage.origin()).host}.evil.example`, 'localhost:1']) {
      const answer = await get('/api/connections', { host, authorization: `Bearer ${operator}` });
      expect([host, answer.status, refusalIn(answer).code]).toEqual([host, 403, 'PERMISSION_DENIED']);
    }
  });

  it('shows nothing of it within itself, and is told nothing', async () => {
    for (const path of ['/api/session', '/login?code=x', '/nothing', '/api/openapi.json', '/api/%ED%A0%80']) {
      const { headers } = await get(path, { authorization: `Bearer ${operator}` });
      const policy = headers['content-security-policy'] ?? '';
      for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
        expect(policy, path).toContain(part);
      }
      expect(policy).not.toContain('unsafe');
      expect(headers).toMatchObject({
        ...{ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' },
        ...{ 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin' },
      });
    }
  });
});

describe('a session', () => {
  it('is as good as its token, also of a stream that was open before', async () => {
    const short = await stage.token(['operator'], '', { ttlSeconds: 2 });
    const sent: string[] = [];
    const stream = readEvents(`${stage.origin()}/api/live`, cookieOf(short), (events) => {
      sent.splice(0, sent.length, ...events.map(({ event }) => event));
      return false;
    });
    await expect.poll(async () => (await get('/api/session', cookieOf(short))).status, { timeout: 10_000 }).toBe(401);
    await stage.tell('broker', connectionMoved('ep-late', 0n, ['', 'CONNECTING']));
    await stream;
    expect(sent[0]).toBe('ready');
    expect(sent).not.toContain('fact');
    expect((await get('/api/live', cookieOf(short))).status).toBe(401);
  });

  it('is of the header where there is one, and never of both', async () => {
    const authorization = 'Bearer garbage';
    expect((await get('/api/session', { ...cookieOf(operator), authorization })).status).toBe(401);
    const begin = { method: 'POST', path: '/api/session', headers: { ...cookieOf(operator), authorization } };
    expect((await send(stage, begin)).status).toBe(401);
  });
});
