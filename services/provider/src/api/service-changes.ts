import type { Folded } from '@privatelink/shared/app/fold';
import type { Outcome } from '@privatelink/shared/app/repository';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import type {
  Blocker,
  EndpointService,
  EndpointServiceCommand,
  EndpointServiceEvent,
} from '../endpoint-service/endpoint-service.ts';
import { toEndpointService } from './endpoint-service-mapping.ts';
import type { ProviderApiDeps } from './provider-service.ts';

type Changed = Outcome<EndpointServiceEvent, EndpointService>;
type Mutation = Readonly<{ serviceId: string; expectedRevision?: bigint | undefined }>;

/** How a request changes one service, and what it is answered. */
export type ServiceChanges = ReturnType<typeof serviceChanges>;

export const serviceChanges = ({
  services,
  lifecycle,
  tokens,
}: Pick<ProviderApiDeps, 'services' | 'lifecycle' | 'tokens'>) => {
  const written = ({ position, revision, latest }: Changed) => ({
    revision: revision ?? 0n,
    consistencyToken: tokens.issue(position > latest.position ? position : latest.position),
  });

  return {
    change: (request: Mutation, command: EndpointServiceCommand, rpc: RpcContext): Promise<Changed> =>
      services.execute(request.serviceId, command, rpc.command, {
        expectedRevision: request.expectedRevision,
        // Also when it is gone: a request that came before is then answered as it was, and any other one by the rules.
        guard: ({ state }) => requireVisible(state, request.serviceId, rpc, { alsoGone: true }),
      }),

    written,

    reply: (outcome: Changed) => {
      const state = outcome.latest.state.status === 'GONE' ? outcome.latest.state : outcome.state;
      return { ...written(outcome), endpointService: toEndpointService(state, outcome.revision ?? 0n, 'owner') };
    },

    /** For requests whose outcome the broker decides: waits for it, unless the broker does not answer. */
    settled: (serviceId: string, outcome: Changed, { rehearsal }: RpcContext): Promise<Folded<EndpointService>> =>
      lifecycle.settle(serviceId, rehearsal).catch((error: unknown) => {
        if (rehearsal) throw error;
        return outcome.latest;
      }),
  };
};

/** The facts of a refusal for connections that are up. */
export const namedConnections = ({
  blockers,
  blockerCount,
}: Readonly<{ blockers: readonly Blocker[]; blockerCount: number }>) => ({
  connection_count: String(blockerCount),
  connections: blockers
    .slice(0, 10)
    .map((blocker) => `${blocker.connectionId} (${blocker.status})`)
    .join(', '),
});

export const exists = ({ status }: EndpointService): boolean => status !== null && status !== 'GONE';

export const requireVisible = (
  state: EndpointService,
  serviceId: string,
  rpc: RpcContext,
  { alsoGone = false } = {},
): void => {
  const isThere = exists(state) || (alsoGone && state.status === 'GONE');
  const owner = isThere && state.accountId === rpc.caller.accountId;
  if (!rpc.allows(owner ? ['owner'] : [])) throw notFound(serviceId);
};

export const notFound = (serviceId: string) => new Rejected('ENDPOINT_SERVICE_NOT_FOUND', { service_id: serviceId });
