import { once } from 'node:events';
import { Client, credentials, status } from '@grpc/grpc-js';
import {
  BrokerServiceClient,
  type GetConnectionRequest,
  WatchConnectionsRequest,
  WatchConnectionsResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from './client.ts';
import type { RpcContext } from './context.ts';
import { createIssuer, failed, type Issuer, startBroker } from './test-support.ts';
import { serverStream, unary } from './unary.ts';

describe('a server that stops', () => {
  let issuer: Issuer;
  let token: string;
  beforeAll(async () => {
    issuer = await createIssuer();
    token = await issuer.token(['provider']);
  });
  afterAll(() => issuer.remove());

  const health = (port: number) => {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const { Check, Watch } = healthService;
    if (!Check || !Watch) throw new Error('no health');
    return {
      check: () => {
        const answer = Promise.withResolvers<string>();
        client.makeUnaryRequest(
          Check.path,
          Check.requestSerialize,
          Check.responseDeserialize,
          { service: 'privatelink.broker.v1.BrokerService' },
          (error, reply) => answer.resolve(error ? `${error.code}` : (reply as { status: string }).status),
        );
        return answer.promise;
      },
      watch: () =>
        client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, { service: '' }),
      close: () => client.close(),
    };
  };

  it('tells so by health, ends streams, lets running calls end and takes no new ones', async () => {
    const release = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const server = await startBroker(issuer, {
      getConnection: unary(async (_: GetConnectionRequest) => {
        entered.resolve();
        await release.promise;
        return { connection: undefined, revision: 3n };
      }),
      watchConnections: serverStream(async function* (_: WatchConnectionsRequest, rpc) {
        yield WatchConnectionsResponse.fromPartial({ synced: true });
        await once(rpc.signal, 'abort');
      }),
    });
    const broker = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => token });
    const probe = health(server.port);
    expect(await probe.check()).toBe('SERVING');
    const watched: unknown[] = [];
    const watch = probe.watch().on('data', ({ status: serving }) => watched.push(serving));
    const watchEnded = new Promise<number>((resolve) =>
      watch.on('error', ({ code }: { code: number }) => resolve(code)),
    );
    await expect.poll(() => watched).toEqual(['SERVING']);
    const stream = broker.watchConnections(WatchConnectionsRequest.create(), {})[Symbol.asyncIterator]();
    expect((await stream.next()).value).toMatchObject({ synced: true });
    const running = broker.getConnection({ connectionId: 'ep-1' }, {});
    await entered.promise;

    const stopped = server.stop(5_000);
    await expect(stream.next()).rejects.toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect(await watchEnded).toBe(status.UNAVAILABLE);
    expect(watched).toEqual(['SERVING', 'NOT_SERVING']);
    release.resolve();
    expect(await running).toMatchObject({ revision: 3n });
    await stopped;
    expect((await failed(broker.getConnection({ connectionId: '' }, {}))).code).toBe(status.UNAVAILABLE);
    broker.close();
    probe.close();
  });

  it('cuts off what does not end in time', async () => {
    const entered = Promise.withResolvers<RpcContext>();
    const server = await startBroker(issuer, {
      getConnection: unary((_: GetConnectionRequest, rpc) => {
        entered.resolve(rpc);
        return new Promise<never>(() => undefined);
      }),
    });
    const broker = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => token });
    const running = failed(broker.getConnection({ connectionId: 'ep-1' }, {}));
    const rpc = await entered.promise;
    await server.stop(50);
    expect([status.UNAVAILABLE, status.CANCELLED]).toContain((await running).code);
    expect(rpc.signal.aborted).toBe(true);
    broker.close();
  });

  it('can say that it does not serve without stopping', async () => {
    const server = await startBroker(issuer, {});
    const probe = health(server.port);
    server.setServing(false);
    expect(await probe.check()).toBe('NOT_SERVING');
    server.setServing(true);
    expect(await probe.check()).toBe('SERVING');
    probe.close();
    await server.stop(1_000);
  });
});
