import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import {
  AcceptConnectionRequest,
  BrokerServiceClient,
  ListConnectionsRequest,
  ReportTrafficRequest,
} from '@privatelink/proto/broker/v1/broker_service';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Denied } from '../app/errors.ts';
import { type Connected, connect } from './client.ts';
import type { RpcContext } from './context.ts';
import { type GrpcServer, startGrpcServer } from './server.ts';
import { createIssuer, failed, type Issuer, recordedLog, startBroker } from './test-support.ts';
import { unary } from './unary.ts';

type Broker = Connected<typeof BrokerServiceClient.service>;

describe('a server', () => {
  let issuer: Issuer;
  let server: GrpcServer;
  let broker: Broker;
  let next: (rpc: RpcContext) => Promise<never>;
  let reached = 0;
  const { log, lines } = recordedLog();

  beforeAll(async () => {
    issuer = await createIssuer();
    const fail = unary(async (_: object, rpc: RpcContext) => {
      reached++;
      return next(rpc);
    });
    const reportTraffic = unary(async ({ after }: ReportTrafficRequest) => {
      if (after > 0n) throw new Denied('no');
      return { number: 1n };
    });
    server = await startBroker(issuer, { getConnection: fail, acceptConnection: fail, reportTraffic }, { log });
    const token = await issuer.token(['provider', 'consumer']);
    broker = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => token });
  });
  afterAll(async () => {
    broker.close();
    await server.stop(1_000);
    await issuer.remove();
  });

  it('refuses a request beyond 1 MiB by name, and one far beyond at all', async () => {
    const before = reached;
    const answer = (size: number) =>
      failed(broker.acceptConnection(AcceptConnectionRequest.fromPartial({ message: 'x'.repeat(size) }), {}));
    expect(await answer(1024 * 1024)).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'MESSAGE_TOO_LARGE',
      facts: { limit_in_bytes: '1048576' },
    });
    expect(await answer(5 * 1024 * 1024)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(reached).toBe(before);
  });

  it('refuses bytes that are no such message', async () => {
    const raw = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${await issuer.token(['provider'])}`);
    const answer = Promise.withResolvers<string>();
    raw.makeUnaryRequest(
      '/privatelink.broker.v1.BrokerService/GetConnection',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      Buffer.from([0x0a, 0xff]),
      metadata,
      (error) => answer.resolve(`${error?.code} ${error?.details}`),
    );
    expect(await answer.promise).toBe(`${status.INVALID_ARGUMENT} : the request is not a message of the expected type`);
    raw.close();
  });

  it('gives up on a handler at the deadline, and tells it', async () => {
    const told = Promise.withResolvers<string>();
    next = (rpc) => {
      rpc.signal.addEventListener('abort', () => told.resolve((rpc.signal.reason as Error).name));
      return new Promise(() => undefined);
    };
    const error = await failed(broker.getConnection({ connectionId: '' }, { deadline: Date.now() + 1_500 }));
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    // Whichever comes first: our own clock or the caller's hanging up.
    expect(['DeadlineExceeded', 'Cancelled']).toContain(await told.promise);
  });

  it('gives a unary call without a deadline half a minute, and a stream none', async () => {
    const seen = Promise.withResolvers<number>();
    next = (rpc) => {
      seen.resolve(rpc.deadline - Date.now());
      return Promise.reject(new Denied('enough'));
    };
    const trailers = await rawCall(server.port, await issuer.token(['provider']), {});
    expect(trailers['grpc-status']).toBe(String(status.PERMISSION_DENIED));
    expect(await seen.promise).toBeGreaterThan(29_000);
    expect(await seen.promise).toBeLessThanOrEqual(30_000);
  });

  it('does no work for a call whose time is up', async () => {
    const before = reached;
    const trailers = await rawCall(server.port, await issuer.token(['provider']), { 'grpc-timeout': '0m' });
    expect(trailers['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
    expect(reached).toBe(before);
  });

  it.each([
    ['no token', {}],
    ['a list of tokens', { authorization: 'Bearer a, Bearer b' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
  ])('knows nobody with %s', async (_, headers) => {
    const before = reached;
    const trailers = await rawCall(server.port, undefined, headers);
    expect(trailers['grpc-status']).toBe(String(status.UNAUTHENTICATED));
    expect(reached).toBe(before);
  });

  it('leaves what agents say every other second to metrics, until it fails', async () => {
    const token = await issuer.token(['service'], '', 'service:data-plane');
    const agent = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => token });
    const before = lines.length;
    const report = (after: bigint) => agent.reportTraffic(ReportTrafficRequest.fromPartial({ after }), {});
    await report(0n);
    await failed(report(1n));
    agent.close();
    const told = lines.slice(before).filter(({ level }) => level === 'info');
    expect(told).toMatchObject([{ method: expect.stringContaining('/ReportTraffic'), code: 'PERMISSION_DENIED' }]);
  });

  it('logs one line for each call', async () => {
    const before = lines.length;
    next = () => Promise.reject(new Denied('no'));
    await failed(broker.getConnection({ connectionId: 'ep-1' }, { correlationId: 'c-1' }));
    expect(lines.slice(before)).toMatchObject([
      {
        level: 'info',
        msg: 'rpc',
        method: 'privatelink.broker.v1.BrokerService/GetConnection',
        code: 'PERMISSION_DENIED',
        reason: 'PERMISSION_DENIED',
        correlationId: 'c-1',
        accountId: '1000000000000001',
        actor: 'user:alice',
        durationMs: expect.any(Number),
      },
    ]);
    await broker.listConnections(ListConnectionsRequest.create(), {});
    expect(lines.at(-1)).toMatchObject({ code: 'OK', method: 'privatelink.broker.v1.BrokerService/ListConnections' });
    expect(JSON.stringify(lines)).not.toContain('eyJ');
  });

  it('refuses a port that is taken in one line', async () => {
    const taken = startBroker(issuer, {}, { listen: { host: '127.0.0.1', port: server.port } });
    await expect(taken).rejects.toMatchObject({
      name: 'StartupError',
      exitCode: 1,
      message: `cannot listen on 127.0.0.1:${server.port}: the port is in use by another process`,
    });
  });

  it('serves nothing that has no row in the access table', async () => {
    const definition = { check: { ...healthService['Check'], path: '/other.v1.Service/Do' } } as never;
    const options = {
      service: 'x',
      listen: { host: '127.0.0.1', port: 0 },
      catalogue: {},
      verifier: issuer.verifier,
      log,
    };
    await expect(startGrpcServer({ ...options, services: [{ definition, implementation: {} }] })).rejects.toThrow(
      '/other.v1.Service/Do has no row',
    );
  });
});

type Headers = Readonly<Record<string, string | string[]>>;

/** A call by bare HTTP/2, for what no gRPC client would send. */
const rawCall = async (port: number, token: string | undefined, headers: Headers): Promise<Headers> => {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/privatelink.broker.v1.BrokerService/GetConnection',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...headers,
  });
  stream.end(Buffer.alloc(5));
  const [answer] = await once(stream, 'response');
  stream.resume();
  await once(stream, 'close');
  session.close();
  return answer as Headers;
};
