import { type ServiceDefinition, status } from '@grpc/grpc-js';
import { BrokerServiceClient, BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceClient, ConsumerServiceService } from '@privatelink/proto/consumer/v1/consumer_service';
import { DnsServiceClient, DnsServiceService } from '@privatelink/proto/dns/v1/dns_service';
import { OperationsServiceClient, OperationsServiceService } from '@privatelink/proto/operations/v1/operations_service';
import { ProviderServiceClient, ProviderServiceService } from '@privatelink/proto/provider/v1/provider_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessOf, allows, type Role, roles } from './access.ts';
import { type CallContext, connect } from './client.ts';
import type { RemoteError } from './remote-error.ts';
import { type GrpcServer, startGrpcServer } from './server.ts';
import { ACCOUNT, createIssuer, type Issuer, implement, recordedLog } from './test-support.ts';

const definitions: readonly ServiceDefinition[] = [
  ProviderServiceService,
  ConsumerServiceService,
  BrokerServiceService,
  DnsServiceService,
  OperationsServiceService,
];

const methods = definitions.flatMap((definition) =>
  Object.entries(definition).map(([rpc, method]) => ({ rpc, method, name: method.path.slice(1) })),
);

type Rpcs = Readonly<
  Record<string, (request: object, context: CallContext) => Promise<object> | AsyncIterable<object>>
>;

describe('the access table over a real server', () => {
  let issuer: Issuer;
  let server: GrpcServer;
  let current = '';
  const clients: (Rpcs & { close: () => void })[] = [];

  beforeAll(async () => {
    issuer = await createIssuer();
    server = await startGrpcServer({
      service: 'test',
      listen: { host: '127.0.0.1', port: 0 },
      services: definitions.map((definition) => ({ definition, implementation: implement(definition, {}) })),
      catalogue: {},
      verifier: issuer.verifier,
      log: recordedLog().log,
    });
    const options = { token: () => current };
    const addresses = [`127.0.0.1:${server.port}`];
    clients.push(
      connect(ProviderServiceClient, addresses, options) as never,
      connect(ConsumerServiceClient, addresses, options) as never,
      connect(BrokerServiceClient, addresses, options) as never,
      connect(DnsServiceClient, addresses, options) as never,
      connect(OperationsServiceClient, addresses, options) as never,
    );
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.stop(1_000);
    await issuer.remove();
  });

  const outcome = async (rpc: string, method: (typeof methods)[number]['method'], token: string): Promise<number> => {
    current = token;
    const client = clients.find((candidate) => candidate[rpc] !== undefined);
    const request = method.requestDeserialize(Buffer.alloc(0));
    try {
      const answer = client?.[rpc]?.(request, {});
      if (answer && Symbol.asyncIterator in answer) for await (const _ of answer);
      else await answer;
      return status.OK;
    } catch (error) {
      return (error as RemoteError).code;
    }
  };

  it.each(methods)('$name lets in the roles of its row and no others', async ({ rpc, method, name }) => {
    const allowed: readonly Role[] = accessOf(name)?.roles ?? [];
    expect(allowed).not.toHaveLength(0);
    for (const role of roles) {
      const expected = allowed.includes(role) ? status.OK : status.PERMISSION_DENIED;
      const got = await outcome(rpc, method, await issuer.token([role], ACCOUNT));
      expect(`${role}: ${status[got]}`).toBe(`${role}: ${status[expected]}`);
    }
  });

  it.each(methods)('$name knows nobody without a valid token', async ({ rpc, method }) => {
    expect(await outcome(rpc, method, '')).toBe(status.UNAUTHENTICATED);
    const good = await issuer.token([...roles]);
    expect(await outcome(rpc, method, `${good.slice(0, -4)}AAAA`)).toBe(status.UNAUTHENTICATED);
  });
});

describe('relations', () => {
  const get = accessOf('privatelink.provider.v1.ProviderService/GetEndpointService');
  const remove = accessOf('privatelink.provider.v1.ProviderService/AttachResource');
  const accept = accessOf('privatelink.broker.v1.BrokerService/AcceptConnection');
  const list = accessOf('privatelink.provider.v1.ProviderService/ListEndpointServices');
  if (!get || !remove || !accept || !list) throw new Error('no row');

  it('show a service to its owner, to those on its whitelist and to those with an endpoint on it', () => {
    for (const relation of ['owner', 'listed', 'counterpart'] as const) {
      expect(allows(get, ['consumer'], [relation])).toBe(true);
    }
    expect(allows(get, ['consumer'], [])).toBe(false);
  });

  it('let operators and viewers read everything', () => {
    expect(allows(get, ['operator'], [])).toBe(true);
    expect(allows(list, ['viewer'], [])).toBe(true);
    expect(allows(list, ['provider'], [])).toBe(false);
  });

  it('let a viewer change nothing of others through another role', () => {
    expect(allows(remove, ['provider', 'viewer', 'operator'], [])).toBe(false);
    expect(allows(remove, ['provider', 'viewer'], ['owner'])).toBe(true);
  });

  it("keep the decision on a connection to its service's owner", () => {
    expect(allows(accept, ['provider'], ['owner'])).toBe(true);
    expect(allows(accept, ['provider', 'consumer'], ['counterpart'])).toBe(false);
  });

  it('have no row for what is not an RPC', () => {
    expect(accessOf('privatelink.provider.v1.ProviderService/Nothing')).toBeUndefined();
    expect(accessOf('constructor/Name')).toBeUndefined();
  });
});
