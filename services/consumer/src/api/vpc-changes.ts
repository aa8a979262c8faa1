import type { Outcome } from '@privatelink/shared/app/repository';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import type { Vpc, VpcCommand, VpcEvent } from '../vpc/vpc.ts';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { requireOwnVpc } from './visible.ts';

type Mutation = Readonly<{ vpcId: string; expectedRevision?: bigint | undefined }>;
type Changed = Outcome<VpcEvent, Vpc>;

/** How a request changes one VPC's inventory, and what it is answered. */
export const vpcChanges = ({ vpcs, tokens }: Pick<ConsumerApiDeps, 'vpcs' | 'tokens'>) => ({
  change: (request: Mutation, command: VpcCommand, rpc: RpcContext): Promise<Changed> =>
    vpcs.execute(request.vpcId, command, rpc.command, {
      expectedRevision: request.expectedRevision,
      guard: ({ state }) => requireOwnVpc(state, rpc),
    }),

  written: ({ revision, latest }: Changed) => ({
    revision: revision ?? 0n,
    consistencyToken: tokens.issue(latest.position),
  }),
});
