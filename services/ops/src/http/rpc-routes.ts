import { Readable } from 'node:stream';
import { type DescMethod, fromJson, type JsonValue, type Message } from '@bufbuild/protobuf';
import type { Client } from '@grpc/grpc-js';
import { InvalidRequest } from '@privatelink/shared/app/errors';
import { accessOf } from '@privatelink/shared/grpc/access';
import { callJson, registry } from '@privatelink/shared/grpc/json-call';
import { z } from 'zod';
import { NotFound } from './errors.ts';
import type { App } from './server.ts';

const services = ['provider', 'consumer', 'broker', 'dns', 'ops'] as const;
export type ServiceClients = Readonly<Record<(typeof services)[number], Client>>;

const OPERATIONS = 'privatelink.operations.v1.OperationsService';
const EVERYWHERE = ['privatelink.events.v1.EventsService', OPERATIONS];

const SERVED: Readonly<Record<keyof ServiceClients, readonly string[]>> = {
  provider: ['privatelink.provider.v1.ProviderService', ...EVERYWHERE],
  consumer: ['privatelink.consumer.v1.ConsumerService', ...EVERYWHERE],
  broker: ['privatelink.broker.v1.BrokerService', ...EVERYWHERE],
  dns: ['privatelink.dns.v1.DnsService', ...EVERYWHERE],
  ops: [OPERATIONS],
};

export const RPC_TIMEOUT_MS = 10_000;

/** RPCs that end by themselves, of those that somebody besides services and agents may call. */
const methodOf = (at: keyof ServiceClients, name: string): DescMethod => {
  const [, service = '', rpc] = /^([\w.]+)\.(\w+)$/.exec(name) ?? [];
  const method = SERVED[at].includes(service)
    ? registry.getService(service)?.methods.find((one) => one.name === rpc)
    : undefined;
  const access = method && accessOf(`${service}/${method.name}`);
  const isOpen = access?.roles.some((role) => role !== 'service') ?? false;
  const ends = method?.methodKind === 'unary' || method?.name === 'RebuildReadModel';
  if (!method || !isOpen || !ends) throw new NotFound(`${at} has no RPC ${name} that can be called here`);
  return method;
};

const requestFor = (method: DescMethod, body: unknown): Message => {
  try {
    return fromJson(method.input, body as JsonValue, { registry });
  } catch (error) {
    throw new InvalidRequest([{ field: 'body', description: (error as Error).message.slice(0, 512) }]);
  }
};

/** The services' own RPCs, with the token of whoever asks: they decide who may do what. */
export const rpcRoutes = (app: App, clients: ServiceClients): void => {
  app.post(
    '/api/rpc/:service/:rpc',
    {
      schema: {
        summary: 'Calls an RPC of the contract',
        description:
          'Request and answer in protobuf’s JSON; the answers of a stream as lines. A mutation takes `dryRun` first.',
        tags: ['rpc'],
        params: z.object({
          service: z.enum(services).describe('Which service is asked'),
          rpc: z.string().max(128).describe('`privatelink.broker.v1.BrokerService.GetConnection`'),
        }),
        body: z.record(z.string(), z.unknown()),
      },
    },
    async (request, reply) => {
      const { token } = request.signed;
      const { service, rpc } = request.params;
      const method = methodOf(service, rpc);
      const hungUp = new AbortController();
      reply.raw.once('close', () => hungUp.abort());
      const call = { token, timeoutMs: RPC_TIMEOUT_MS, signal: hungUp.signal };
      const answers = callJson(clients[service], method, requestFor(method, request.body), call)[
        Symbol.asyncIterator
      ]();
      const first = await answers.next();
      if (method.methodKind === 'unary') return reply.send(first.value);
      return reply.type('application/x-ndjson').send(
        Readable.from(
          (async function* () {
            for (let next = first; !next.done; next = await answers.next()) yield `${JSON.stringify(next.value)}\n`;
          })(),
        ),
      );
    },
  );
};
