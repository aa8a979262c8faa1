import { status } from '@grpc/grpc-js';
import {
  AcceptConnectionRequest,
  BrokerServiceClient,
  RequestConnectionRequest,
} from '@privatelink/proto/broker/v1/broker_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRehearsal } from '../eventing/rehearsal.ts';
import { connect } from './client.ts';
import type { RpcContext } from './context.ts';
import { ACCOUNT, createIssuer, type Issuer, OTHER_ACCOUNT, startBroker } from './test-support.ts';
import { unary } from './unary.ts';

const METHOD = 'privatelink.broker.v1.BrokerService/AcceptConnection';

let issuer: Issuer;
let token: string;
beforeAll(async () => {
  issuer = await createIssuer();
  token = await issuer.token(['provider', 'consumer']);
});
afterAll(() => issuer.remove());

const to = (port: number) => connect(BrokerServiceClient, [`127.0.0.1:${port}`], { token: () => token });

describe('the context of a call', () => {
  const contextsOf = async (
    calls: (broker: ReturnType<typeof to>, port: number) => Promise<void>,
  ): Promise<RpcContext[]> => {
    const seen: RpcContext[] = [];
    const record = unary(async (_: object, rpc: RpcContext) => {
      seen.push(rpc);
      return {} as never;
    });
    const server = await startBroker(issuer, {
      acceptConnection: unary(async (request: AcceptConnectionRequest, rpc) => {
        seen.push(rpc);
        return { connection: undefined, revision: request.expectedRevision ?? 0n, consistencyToken: '' };
      }),
      requestConnection: record,
    });
    const broker = to(server.port);
    await calls(broker, server.port);
    broker.close();
    await server.stop(1_000);
    return seen;
  };

  const accept = (fields: Partial<AcceptConnectionRequest>) => AcceptConnectionRequest.fromPartial(fields);

  it("scopes the request id by account and method, and tells a retry from another request by the body's hash", async () => {
    const own = token;
    const [first, retry, other, unnamed, again, stranger] = await contextsOf(async (broker) => {
      await broker.acceptConnection(accept({ requestId: 'r-1', connectionId: 'ep-1' }), {});
      await broker.acceptConnection(accept({ requestId: 'r-1', connectionId: 'ep-1' }), {});
      await broker.acceptConnection(accept({ requestId: 'r-1', connectionId: 'ep-2' }), {});
      await broker.acceptConnection(accept({ connectionId: 'ep-1' }), {});
      await broker.acceptConnection(accept({ connectionId: 'ep-1' }), {});
      token = await issuer.token(['provider'], OTHER_ACCOUNT);
      await broker.acceptConnection(accept({ requestId: 'r-1', connectionId: 'ep-1' }), {});
      token = own;
    });
    expect(first?.command.requestId).toBe(`${ACCOUNT}/${METHOD}/r-1`);
    expect(first?.command.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(retry?.command).toMatchObject({
      requestId: first?.command.requestId,
      fingerprint: first?.command.fingerprint,
    });
    expect(other?.command.requestId).toBe(first?.command.requestId);
    expect(other?.command.fingerprint).not.toBe(first?.command.fingerprint);
    // The id is not a part of the body.
    expect(unnamed?.command.fingerprint).toBe(first?.command.fingerprint);
    expect(unnamed?.command.requestId).toMatch(new RegExp(`^${ACCOUNT}/${METHOD}/[0-9a-f-]{36}$`));
    expect(again?.command.requestId).not.toBe(unnamed?.command.requestId);
    expect(stranger?.command.requestId).toBe(`${OTHER_ACCOUNT}/${METHOD}/r-1`);
    expect(first?.command).toMatchObject({ actor: 'user:alice', accountId: ACCOUNT });
  });

  it('follows a request from service to service', async () => {
    const [outer, inner] = await contextsOf(async (broker, port) => {
      await broker.acceptConnection(accept({}), { correlationId: 'c-1', causationId: 'e-1', actor: 'user:mallory' });
      const serviceToken = await issuer.token(['service'], '', 'consumer');
      const service = connect(BrokerServiceClient, [`127.0.0.1:${port}`], { token: () => serviceToken });
      const context = { correlationId: 'c-1', causationId: 'e-2', actor: 'user:bob' };
      await service.requestConnection(RequestConnectionRequest.create(), context);
      service.close();
    });
    expect(outer).toMatchObject({
      actor: 'user:alice',
      correlationId: 'c-1',
      causationId: 'e-1',
      command: { actor: 'user:alice', correlationId: 'c-1', causationId: 'e-1' },
    });
    expect(inner).toMatchObject({
      actor: 'user:bob',
      correlationId: 'c-1',
      causationId: 'e-2',
      command: { actor: 'user:bob', accountId: '' },
    });
    expect(inner?.command.requestId).toMatch(/^service:consumer\/privatelink\.broker\.v1\.BrokerService\//);
  });

  it('is of a dry run where the message says so, or a service in the course of one; the id stays as it is', async () => {
    const [real, dry, forged, inner] = await contextsOf(async (broker, port) => {
      await broker.acceptConnection(accept({ requestId: 'r-1' }), {});
      await broker.acceptConnection(accept({ requestId: 'r-1', dryRun: true }), {});
      await broker.acceptConnection(accept({}), { rehearsal: startRehearsal() });
      const serviceToken = await issuer.token(['service'], '', 'consumer');
      const service = connect(BrokerServiceClient, [`127.0.0.1:${port}`], { token: () => serviceToken });
      await service.requestConnection(RequestConnectionRequest.create(), { rehearsal: startRehearsal() });
      service.close();
    });
    const isDry = (rpc: RpcContext | undefined) => [rpc?.rehearsal !== undefined, rpc?.command.rehearsal !== undefined];
    expect([real, dry, forged, inner].map(isDry)).toEqual([
      ...[
        [false, false],
        [true, true],
      ],
      ...[
        [false, false],
        [true, true],
      ],
    ]);
    expect(dry?.command).toMatchObject({
      requestId: real?.command.requestId,
      fingerprint: real?.command.fingerprint,
    });
  });

  it('gets new ids where there are none, or malformed ones', async () => {
    const [none, malformed] = await contextsOf(async (broker) => {
      await broker.acceptConnection(accept({}), {});
      await broker.acceptConnection(accept({}), { correlationId: 'a b', causationId: 'x'.repeat(200) });
    });
    for (const context of [none, malformed]) {
      expect(context?.correlationId).toMatch(/^[0-9a-f-]{36}$/);
      expect(context?.causationId).toBe(context?.correlationId);
    }
    expect(none?.correlationId).not.toBe(malformed?.correlationId);
  });

  it('refuses a service that names nobody', async () => {
    const serviceToken = await issuer.token(['service'], '', 'consumer');
    const server = await startBroker(issuer, {});
    const service = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => serviceToken });
    const answer = service.requestConnection(RequestConnectionRequest.create(), { actor: 'root' });
    await expect(answer).rejects.toMatchObject({ code: status.INVALID_ARGUMENT, violations: [{ field: 'x-actor' }] });
    service.close();
    await server.stop(1_000);
  });
});
