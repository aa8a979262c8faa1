import { connect } from '@privatelink/client';
import {
  type AcceptConnectionRequest as Accept,
  AcceptConnectionResponse,
  type ListConnectionsRequest as List,
  ListConnectionsResponse,
  type WatchConnectionsRequest as Watch,
  WatchConnectionsResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { Unavailable } from '@privatelink/shared/app/errors';
import { createIssuer, type Issuer, startBroker } from '@privatelink/shared/grpc/test-support';
import { serverStream, unary } from '@privatelink/shared/grpc/unary';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

let issuer: Issuer;
let undo: (() => unknown)[] = [];
beforeAll(async () => {
  issuer = await createIssuer();
});
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});
afterAll(() => issuer.remove());

const given = async (handlers: Parameters<typeof startBroker>[1]) => {
  const server = await startBroker(issuer, handlers);
  undo.push(() => server.stop(0));
  const address = `127.0.0.1:${server.port}`;
  const roles = ['provider', 'consumer'] as const;
  const client = connect({
    addresses: { provider: address, consumer: address, broker: address, dns: address },
    token: () => issuer.token(roles),
  });
  undo.push(client.close);
  return client;
};

describe('@privatelink/client', () => {
  it('tries a mutation again as the same request, and makes an id for it only if it has none', async () => {
    const asked: Accept[] = [];
    const { broker } = await given({
      acceptConnection: unary(async (request: Accept) => {
        if (asked.push(request) === 1) throw new Unavailable('BEHIND', 'behind');
        return AcceptConnectionResponse.fromPartial({});
      }),
    });
    await broker.acceptConnection({ connectionId: 'ep-1' });
    await broker.acceptConnection({ connectionId: 'ep-1', requestId: 'mine' });
    const [first, again, second] = asked.map(({ requestId }) => requestId);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(again).toBe(first);
    expect(second).toBe('mine');
  });

  it('gives its lists the token of its last write, unless they have one', async () => {
    const listed: string[] = [];
    let writes = 0;
    const { broker } = await given({
      acceptConnection: unary(async (_: Accept) =>
        AcceptConnectionResponse.fromPartial({ consistencyToken: `write ${++writes}` }),
      ),
      listConnections: unary(async ({ consistencyToken }: List) => {
        listed.push(consistencyToken);
        return ListConnectionsResponse.fromPartial({ consistencyToken: 'of a list' });
      }),
    });
    await broker.listConnections();
    await broker.acceptConnection();
    await broker.acceptConnection();
    await broker.listConnections();
    await broker.listConnections({ consistencyToken: 'of somebody else' });
    await broker.listConnections();
    expect(listed).toEqual(['', 'write 2', 'of somebody else', 'write 2']);
  });

  it('has a deadline of its own, and one of a call', async () => {
    const left: number[] = [];
    const { broker } = await given({
      listConnections: unary(async (_: List, { deadline }) => {
        left.push(deadline - Date.now());
        return ListConnectionsResponse.fromPartial({});
      }),
    });
    await broker.listConnections();
    await broker.listConnections({}, { timeoutMs: 2_000 });
    expect(left[0]).toBeGreaterThan(5_000);
    expect(left[0]).toBeLessThanOrEqual(10_000);
    expect(left[1]).toBeLessThanOrEqual(2_000);
    await expect(broker.listConnections({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 1 });
  });

  it('waits for a status over a stream that ends and one that breaks off, and no longer when it is gone', async () => {
    const told = (status: keyof typeof ConnectionStatus, deleted = false) =>
      WatchConnectionsResponse.fromPartial({ connection: { status: ConnectionStatus[status] }, deleted });
    let streams = 0;
    const client = await given({
      watchConnections: serverStream(async function* ({ connectionId }: Watch) {
        if (connectionId === 'gone') yield told('DELETING', true);
        else if (++streams === 1) yield told('DISCONNECTED');
        else if (streams === 2) {
          yield told('CONNECTING');
          throw new Unavailable('BEHIND', 'behind');
        } else yield told('CONNECTED');
      }),
    });
    expect(await client.waitFor('ep-1', 'CONNECTED')).toMatchObject({ status: ConnectionStatus.CONNECTED });
    expect(streams).toBe(3);
    await expect(client.waitFor('gone', 'CONNECTED')).rejects.toMatchObject({ name: 'NotReached' });
  });
});
