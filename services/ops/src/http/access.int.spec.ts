import type { Role } from '@privatelink/shared/grpc/access';
import { generateSigningKeys, issueToken } from '@privatelink/shared/grpc/issue-token';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionMoved, consumer, endpointMade, provider, serviceMade, stranger } from '../testing/announcements.ts';
import { ask, pathOf, type Route, readRoutes, refusalIn, send } from '../testing/routes.ts';
import { openStage, type Stage } from '../testing/stage.ts';

/** Who may ask what: every route of the served document has a row, and a route without one fails. */

type Who = 'operator' | 'viewer' | 'provider' | 'consumer' | 'billing' | 'service';
const callers: Readonly<Record<Who, readonly [readonly Role[], string]>> = {
  operator: [['operator'], ''],
  viewer: [['viewer'], ''],
  provider: [['provider'], provider],
  consumer: [['consumer'], consumer],
  billing: [['billing'], ''],
  // Agents of zones are services, too.
  service: [['service'], ''],
};

const all = (status: number): Readonly<Record<Who, number>> => ({
  ...{ operator: status, viewer: status, provider: status },
  ...{ consumer: status, billing: status, service: status },
});
const allButBilling = { ...all(200), billing: 403 };
/** Who sees everything: no account does. */
const onlyAll = { ...all(403), operator: 200, viewer: 200 };
/** As the service that is asked says: nobody is there. */
const relayed = all(503);

const rows: Readonly<Record<string, Readonly<Record<Who, number>>>> = {
  'get /api/session': all(200),
  'post /api/session': all(200),
  'delete /api/session': all(204),
  'get /api/overview': allButBilling,
  'get /api/status-changes': allButBilling,
  'get /api/data-plane': onlyAll,
  'get /api/dns-queries': onlyAll,
  'get /api/topology': allButBilling,
  'get /api/connections': allButBilling,
  'get /api/connections/export': allButBilling,
  'get /api/connections/count': allButBilling,
  'get /api/endpoints': { ...allButBilling, provider: 403 },
  'get /api/endpoints/export': { ...allButBilling, provider: 403 },
  'get /api/endpoints/count': { ...allButBilling, provider: 403 },
  'get /api/endpoint-services': { ...allButBilling, consumer: 403 },
  'get /api/endpoint-services/export': { ...allButBilling, consumer: 403 },
  'get /api/endpoint-services/count': { ...allButBilling, consumer: 403 },
  'get /api/visible-services': relayed,
  'get /api/facts': allButBilling,
  'get /api/live': allButBilling,
  'post /api/rpc/{service}/{rpc}': relayed,
};

let stage: Stage;
let routes: readonly Route[];
beforeAll(async () => {
  stage = await openStage();
  routes = await readRoutes(stage);
  await stage.tell('provider', serviceMade('epsrv-1'), serviceMade('epsrv-2', stranger));
  await stage.tell('consumer', endpointMade('ep-00'));
  await stage.tell('broker', connectionMoved('ep-00', 0n, ['', 'DISCONNECTED']));
});
afterAll(() => stage?.close());

it('every route has a row', () => {
  expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(rows).sort());
});

describe('a token', () => {
  it.each(Object.keys(callers) as Who[])('of the role %s opens what is for it', async (who) => {
    const token = await stage.token(...callers[who]);
    const answered: Record<string, number> = {};
    for (const route of routes) {
      answered[route.name] = (await ask(stage, route, pathOf(route), { authorization: `Bearer ${token}` })).status;
    }
    expect(answered).toEqual(Object.fromEntries(routes.map(({ name }) => [name, rows[name]?.[who]])));
  });

  it('that proves nothing opens nothing, and nothing else of the request is looked at', async () => {
    const { privateKey } = await generateSigningKeys();
    const mallory = { subject: 'mallory', accountId: provider, roles: ['operator', 'service'] as const };
    const unsigned = [
      { alg: 'none', typ: 'JWT' },
      { sub: 'mallory', roles: ['operator'], exp: 2 ** 40 },
    ]
      .map((part) => `${Buffer.from(JSON.stringify(part)).toString('base64url')}.`)
      .join('');
    const proofs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      none: {},
      garbage: { authorization: 'Bearer garbage' },
      'of another scheme': { authorization: 'Basic cm9vdDpyb290' },
      'of another issuer': { authorization: `Bearer ${await issueToken(privateKey, mallory, { ttlSeconds: 600 })}` },
      expired: { authorization: `Bearer ${await stage.token(['operator'], '', { ttlSeconds: -1 })}` },
      'in a cookie': { cookie: 'privatelink_session=garbage', origin: stage.origin() },
      'in an address': {},
      'signed by nobody': { authorization: `Bearer ${unsigned}` },
    };
    const query: Readonly<Record<string, string>> = { 'in an address': `?token=${await stage.token(['operator'])}` };
    for (const [proof, headers] of Object.entries(proofs)) {
      for (const route of routes) {
        // Neither a parameter that there is not nor a body that is none comes before who asks.
        const path = `${pathOf(route)}${query[proof] ?? '?colour=red'}`;
        const answer = await send(stage, { method: route.method, path, headers, body: '{' });
        const { code, reason } = refusalIn(answer);
        expect([proof, route.name, answer.status, code, reason]).toEqual([
          ...[proof, route.name, 401, 'UNAUTHENTICATED', 'UNAUTHENTICATED'],
        ]);
      }
    }
  });
});

describe('a stranger', () => {
  const theirs = ['ep-00', 'epsrv-1', 'vpc-1', provider, consumer, 'com.privatelink.cn-hangzhou.epsrv-1'];
  const secrets = new RegExp([...theirs, 'erp-secret', 'nlb-secret', 'invoice 7'].join('|'));
  const absent = ['ep-99', 'epsrv-9', 'vpc-9', '9'.repeat(16), '8'.repeat(16), 'com.privatelink.cn-hangzhou.epsrv-9'];
  const filters = ['filter', 'q', 'about', 'type', 'orderBy', 'before', 'after', 'pageToken'];

  it('is told of others what is told of nobody, whatever parameter names them', async () => {
    const token = await stage.token(['provider', 'consumer'], stranger);
    const headers = { authorization: `Bearer ${token}` };
    const tell = async (route: Route, name: string, value: string) => {
      const said = name === 'filter' ? `service_id = "${value}" OR vpc_id = "${value}"` : value;
      const { status, text } = await ask(
        stage,
        route,
        `${pathOf(route)}?${new URLSearchParams({ [name]: said })}`,
        headers,
      );
      return { status, text: text.replaceAll(value, '<id>') };
    };
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      expect((await ask(stage, route, pathOf(route), headers)).text).not.toMatch(secrets);
      for (const { name } of route.parameters.filter((parameter) => filters.includes(parameter.name))) {
        for (const [index, id] of theirs.entries()) {
          const real = await tell(route, name, id);
          expect(real, `${route.name} ${name}`).toEqual(await tell(route, name, absent[index] ?? ''));
          expect(real.text).not.toMatch(secrets);
        }
      }
    }
  });
});
