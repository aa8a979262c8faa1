import {
  BrokerServiceClient,
  WatchConnectionsRequest,
  WatchConnectionsResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from './client.ts';
import { createIssuer, type Issuer, startBroker } from './test-support.ts';
import { serverStream } from './unary.ts';

describe('a stream of answers', () => {
  let issuer: Issuer;
  let token: string;
  beforeAll(async () => {
    issuer = await createIssuer();
    token = await issuer.token(['provider']);
  });
  afterAll(() => issuer.remove());

  it('writes a stream no faster than it is read', async () => {
    let produced = 0;
    const server = await startBroker(issuer, {
      watchConnections: serverStream(async function* (_: WatchConnectionsRequest) {
        const connection = { connectionId: 'x'.repeat(60_000) };
        for (; produced < 1_000; produced++) yield WatchConnectionsResponse.fromPartial({ connection });
      }),
    });
    const broker = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => token });
    let read = 0;
    let producedAtFirst = 0;
    for await (const _ of broker.watchConnections(WatchConnectionsRequest.create(), {})) {
      if (++read === 1) {
        // Nobody reads meanwhile; the producer stands still once the buffers are full.
        await settled(() => produced);
        producedAtFirst = produced;
      }
    }
    expect(producedAtFirst).toBeLessThan(500);
    expect(read).toBe(1_000);
    broker.close();
    await server.stop(1_000);
  });

  it('tells the handler of a stream when its reader leaves', async () => {
    const left = Promise.withResolvers<void>();
    const server = await startBroker(issuer, {
      watchConnections: serverStream(async function* (_: WatchConnectionsRequest, rpc) {
        rpc.signal.addEventListener('abort', () => left.resolve());
        yield WatchConnectionsResponse.create();
        await left.promise;
      }),
    });
    const broker = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => token });
    for await (const _ of broker.watchConnections(WatchConnectionsRequest.create(), {})) break;
    await left.promise;
    const ending = new AbortController();
    const stream = broker.watchConnections(WatchConnectionsRequest.create(), { signal: ending.signal });
    let count = 0;
    for await (const _ of stream) {
      count++;
      ending.abort();
    }
    expect(count).toBe(1);
    broker.close();
    await server.stop(1_000);
  });
});

/** Resolves when a value has stood still over many turns of the event loop. */
const settled = async (value: () => number): Promise<void> => {
  let last = value();
  for (let still = 0; still < 200; still++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (value() !== last) still = 0;
    last = value();
  }
};
