import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, pathOf, type Route, readRoutes, refusalIn, send } from '../testing/routes.ts';
import { openStage, type Stage } from '../testing/stage.ts';

/** Wrong requests: each is refused with what is wrong, and nothing of how it is made comes with it. */

let stage: Stage;
let routes: readonly Route[];
let authorization: string;
beforeAll(async () => {
  stage = await openStage({ requestTimeoutMs: 500 });
  routes = await readRoutes(stage);
  authorization = `Bearer ${await stage.token(['operator'])}`;
});
afterAll(() => stage?.close());

const ours = (headers: object = {}) => ({ authorization, ...headers });

const expectTyped = (answer: Answered, about: string): void => {
  expect(answer.status, about).toBeGreaterThanOrEqual(400);
  // Nobody is behind it here, who would answer what is relayed to him.
  if (answer.status !== 503) expect(answer.status, `${about} ${answer.text}`).toBeLessThan(500);
  const { code, reason, message } = refusalIn(answer);
  expect([typeof code, typeof message, reason === ''], about).toEqual(['string', 'string', false]);
  expect(answer.text).not.toMatch(/node_modules|\.ts\b|\bat \S+ \(|select |syntax error|stack|ZodError|FST_/i);
  expect(answer.headers['x-content-type-options'], `${about} ${answer.status} ${answer.text}`).toBe('nosniff');
  expect(answer.headers['cache-control'], about).toBe('no-store');
};

const expectField = (answer: Answered, field: string, about: string): void => {
  expectTyped(answer, about);
  const fields = refusalIn(answer).violations.map((violation) => violation.field.replace(/\.\d+$/, ''));
  expect([about, answer.status, [...new Set(fields)]]).toEqual([about, 400, [field]]);
};

/** As they stand in an address. */
const GARBAGE = [
  ...['%00', 'a%00b', '%ED%A0%80', '%', '%zz', '%252e%252e', '%F0%9F%99%82', '%EF%BF%BF', '%0d%0aset-cookie:x'],
  ...['-1', 'NaN', '1e309', '-Infinity', '99999999999999999999', '4294967296', '0x10', '1.5', 'null', 'true%20'],
  ...['[]', '[object%20Object]', '%7B%22$gt%22:%22%22%7D', '__proto__', 'constructor', 'toString'],
  ...['%27%20or%201=1%20--', '%22;drop%20table%20foreign_fact;', '=cmd%7C%27/C%20calc%27!A0', '<script>', '$%7B7*7%7D'],
  ...['../../../etc/passwd', '..%2f..%2fetc%2fpasswd', '..%5c..%5c', 'file:///etc/passwd', 'x'.repeat(10_000)],
];

/** What a text may be without being wrong: it is the name of nothing. */
const isText = (value: string): boolean => !value.includes('%00') && value.length <= 64;
const FREE = ['about', 'type', 'actor', 'q'];
/** Numbers, however they are written. */
const RIGHT: Readonly<Record<string, readonly string[]>> = { pageSize: ['0x10'], minutes: ['0x10'] };

describe('a parameter', () => {
  const inQuery = () =>
    routes.flatMap((route) =>
      route.parameters.filter(({ in: where }) => where === 'query').map((parameter) => ({ route, parameter })),
    );

  it('that is wrong is named', async () => {
    for (const { route, parameter } of inQuery()) {
      const { name } = parameter;
      for (const value of GARBAGE) {
        const about = `${route.name} ${name}=${value.slice(0, 40)}`;
        const answer = await send(stage, {
          ...{ method: route.method, path: `${pathOf(route)}?${name}=${value}`, headers: ours() },
        });
        const isRight = (FREE.includes(name) && isText(value)) || RIGHT[name]?.includes(value);
        // The service behind it says what it thinks of a filter.
        if (isRight || answer.status === 503) expect([200, 503], about).toContain(answer.status);
        else expectField(answer, name, about);
      }
    }
  });

  it('is given once, but for lists', async () => {
    for (const { route, parameter } of inQuery()) {
      const { name, schema } = parameter;
      const path = `${pathOf(route)}?${name}=1&${name}=2`;
      const answer = await send(stage, { method: route.method, path, headers: ours() });
      if (schema.anyOf) expect(answer.status).toBe(200);
      else expectField(answer, name, `${route.name} ${name}`);
    }
  });

  it('that there is not is named, so that nobody believes that it was heeded', async () => {
    for (const route of routes) {
      for (const name of ['fliter', 'filter[]', '__proto__', 'constructor']) {
        const path = `${pathOf(route)}?${name}=x`;
        const answer = await send(stage, {
          method: route.method,
          path,
          headers: ours(),
          body: route.method === 'POST' ? '{}' : undefined,
        });
        expectField(answer, name, `${route.name} ${name}`);
      }
    }
  });
});

describe('a path', () => {
  const rpc = 'privatelink.broker.v1.BrokerService.ListConnections';

  it('that is none, or leads nowhere, is refused', async () => {
    const paths = [
      ...[
        '/%',
        '/%zz',
        '/api/%ED%A0%80',
        '/api/..%2f..%2fetc%2fpasswd',
        '/api/../../etc/passwd',
        '//evil.example/api/session',
      ],
      ...['/api/session/', '/api/session%00', '/api//session', '/API/session', '/api/session;x=1', '/api/__proto__'],
      ...[
        `/api/rpc/__proto__/${rpc}`,
        `/api/rpc/broker/${'x'.repeat(200)}`,
        '/api/rpc/broker/%2e%2e',
        '/api/connections/ep-00',
      ],
      ...['/login', '/login?code=', `/login?code=${'x'.repeat(200)}`, '/login?code=a&code=b'],
    ];
    for (const path of paths) {
      for (const method of ['GET', 'POST']) {
        const answer = await send(stage, { method, path, headers: ours(), body: '{}' });
        if (path === '/login?code=' && method === 'GET') expect(answer.status).toBe(303);
        else expectTyped(answer, `${method} ${path}`);
      }
    }
  });

  it('is the same however it is written, and so is what is kept of it', async () => {
    const answer = await send(stage, { method: 'GET', path: '/%61pi/sessio%6e', headers: ours() });
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await send(stage, { method: 'GET', path: '/%61pi/session' })).status).toBe(401);
  });
});

describe('a method', () => {
  it('that a route does not have finds nothing, and allows no other site anything', async () => {
    const have = new Set(routes.map(({ method, path }) => `${method} ${path}`));
    for (const route of routes) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
        if (have.has(`${method} ${route.path}`)) continue;
        const headers = ours({ origin: 'https://evil.example', 'access-control-request-method': 'POST' });
        const answer = await send(stage, { method, path: pathOf(route), headers });
        expect([method, route.path, answer.status]).toEqual([method, route.path, 404]);
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
        // It would say who asked.
        expect(answer.text).not.toContain('Bearer');
      }
    }
  });
});

describe('a body', () => {
  const rpc = '/api/rpc/provider/privatelink.provider.v1.ProviderService.UpdateEndpointService';
  const post = (body: string, headers: object = {}, path = rpc) =>
    send(stage, { method: 'POST', path, headers: ours(headers), body });
  const nested = (open: string, close: string) => `${open.repeat(10_000)}${close.repeat(10_000)}`;

  it.each([
    ...['', '{', 'null', '[]', '"x"', '1', '[{}]', '{"a":1,}', '{"a":NaN}', '\u0000', '\ufeff[]', '{"__proto__":{}}'],
    ...[
      '{"constructor":{"prototype":{}}}',
      '{"serviceId":{"__proto__":{"x":1}}}',
      nested('[', ']'),
      nested('{"a":', '}'),
    ],
    ...[`{"a":${nested('[', ']')}}`, `{"tags":${nested('{"tags":', '}')}}`, '{"colour":"red"}', '{"serviceId":1}'],
    ...['{"serviceId":["x"]}', '{"serviceId":{"$ne":""}}', '{"expectedRevision":-1}', '{"expectedRevision":1e309}'],
    ...['{"expectedRevision":"NaN"}', '{"expectedRevision":"99999999999999999999"}', '{"addressType":"NOTHING"}'],
    ...['{"serviceId":"a","service_id":"b"}', '{"requestId":"\\ud800"}', `{"requestId":"${'x'.repeat(70_000)}"}`],
  ])('that is wrong is named: %#', async (body) => {
    const answer = await post(body);
    expectTyped(answer, body.slice(0, 60));
    expect([400, 413], `${answer.text}`).toContain(answer.status);
    expect(refusalIn(answer).violations.map(({ field }) => field)).toEqual(['body']);
    expect(answer.text.length).toBeLessThan(2_000);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'x',
  ])('is JSON, and not %s', async (type) => {
    const answer = await post('{}', { 'content-type': type });
    expectTyped(answer, type);
    expect([400, 415]).toContain(answer.status);
  });

  it('that is not what it says it is, or larger than any may be, is refused', async () => {
    expectTyped(await post('{}', { 'content-encoding': 'gzip', 'content-type': 'application/json' }), 'gzip');
    const large = JSON.stringify({ x: 'x'.repeat(1_000_000) });
    for (const path of [rpc, '/api/session', '/api/nothing']) {
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        const answer = await post(large, headers, path).catch((error: NodeJS.ErrnoException) => error.code ?? '');
        // Refused while it is sent, it may not be read to its end.
        if (typeof answer === 'string') expect(['EPIPE', 'ECONNRESET']).toContain(answer);
        else expectTyped(answer, path);
      }
    }
  });
});

describe('a request', () => {
  /** All that comes back for bytes that are sent as they are. */
  const exchange = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(stage.origin()).port), '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
      socket.write(bytes);
    });
  const post = (headers: string) =>
    `POST /api/session HTTP/1.1\r\nhost: ${new URL(stage.origin()).host}\r\nauthorization: ${authorization}\r\n${headers}\r\n\r\n`;

  it.each([
    ['is no HTTP', () => 'EHLO example\r\n\r\n', 400],
    ['has two lengths', () => post('content-length: 2\r\ntransfer-encoding: chunked'), 400],
    ['has a header of more bytes than are read', () => `GET /?${'x'.repeat(1_000_000)} HTTP/1.1\r\n\r\n`, 431],
    ['never says its headers', () => 'GET /api/session HTTP/1.1\r\nhost: x', 408],
    ['never sends its body', () => post('content-type: application/json\r\ncontent-length: 10'), 408],
  ])('that %s is refused, and its connection ends', async (_what, bytes, status) => {
    const text = await exchange(bytes());
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const [, body = ''] = text.split('\r\n\r\n');
    expect(refusalIn({ text: body })).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
  });
});
