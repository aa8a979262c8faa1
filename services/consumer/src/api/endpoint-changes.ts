import type { Endpoint as EndpointMessage } from '@privatelink/proto/consumer/v1/endpoint';
import type { Outcome } from '@privatelink/shared/app/repository';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { checkId, type Violations } from '@privatelink/shared/grpc/validate';
import type { Endpoint, EndpointCommand, EndpointEvent } from '../endpoint/endpoint.ts';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { toEndpoint, UNKNOWN } from './endpoint-mapping.ts';
import { check } from './requests.ts';
import { requireOwnEndpoint } from './visible.ts';

export type EndpointMutation = Readonly<{
  requestId: string;
  endpointId: string;
  expectedRevision?: bigint | undefined;
}>;
export type Changed = Outcome<EndpointEvent, Endpoint>;
type Reply = Readonly<{ endpoint: EndpointMessage; revision: bigint; consistencyToken: string }>;

export const checkMutation = (
  { requestId, endpointId }: EndpointMutation,
  further: (v: Violations) => void = () => undefined,
): void =>
  check(requestId, (v) => {
    checkId(v, 'endpoint_id', endpointId, 'ep');
    further(v);
  });

/** How a request changes one endpoint, and what it is answered. */
export const endpointChanges = ({
  endpoints,
  tokens,
  dnsSuffix,
}: Pick<ConsumerApiDeps, 'endpoints' | 'tokens' | 'dnsSuffix'>) => ({
  change: (request: EndpointMutation, command: EndpointCommand, rpc: RpcContext): Promise<Changed> =>
    endpoints.execute(request.endpointId, command, rpc.command, {
      expectedRevision: request.expectedRevision,
      guard: ({ state }) => requireOwnEndpoint(state, rpc, { alsoGone: command.type === 'DeleteEndpoint' }),
    }),

  reply: ({ state: first, revision, latest }: Changed): Reply => {
    const state = latest.state.status === 'GONE' ? latest.state : first;
    return {
      endpoint: toEndpoint(state, revision ?? 0n, UNKNOWN, dnsSuffix),
      revision: revision ?? 0n,
      consistencyToken: tokens.issue(latest.position),
    };
  },
});

export type EndpointChanges = ReturnType<typeof endpointChanges>;
