import type { Folded } from '@privatelink/shared/app/fold';
import { processContext } from '@privatelink/shared/app/process-context';
import { foldIn, idsIn, within } from '@privatelink/shared/app/rehearse';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Rehearsal } from '@privatelink/shared/eventing/rehearsal';
import type { Bounds, BrokerPort } from '../dispatch/broker.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { Endpoint, EndpointCommand } from '../endpoint/endpoint.ts';
import type { Repositories } from '../repositories.ts';
import { boundTargets, ingressOf } from '../vpc/security-groups.ts';

/**
 * The life of an endpoint beyond its owner's requests.
 *
 * Created, it asks the broker for a connection; then it is active, whatever becomes of that. What changes is told to
 * the broker, which answers that the connection has it, or reports that later; then the change is complete, and what
 * the endpoint needs no more is released. Being deleted, it takes away the routes that lead to it and asks
 * for the connection's end, which the broker reports when it is there. Gone, its addresses and its slot at the
 * service are released: never before, since names may lead to them.
 */
export type EndpointLifecycleDeps = Pick<Repositories, 'endpoints' | 'vpcs'> &
  Readonly<{ broker: BrokerPort; provider: ProviderPort; clock: Clock }>;

export type EndpointLifecycle = Readonly<{
  reactor: Reactor;
  /** Rehearses what would be done next for the endpoints of a rehearsal. */
  foresee: (rehearsal: Rehearsal) => Promise<void>;
}>;

export const endpointLifecycle = ({
  endpoints,
  vpcs,
  broker,
  provider,
  clock,
}: EndpointLifecycleDeps): EndpointLifecycle => {
  /** The rules of a group stay as they were registered, for as long as it is attached. */
  const boundsOf = async ({ vpcId, endpointType, securityGroupIds, targets }: Endpoint): Promise<Bounds> => {
    if (endpointType === 'GATEWAY_LOAD_BALANCER') return { targets: [], ingress: null };
    const ledger = (await vpcs.fold(vpcId)).state;
    if (endpointType === 'INTERFACE') return { targets: [], ingress: ingressOf(ledger, securityGroupIds) };
    return { targets: boundTargets(ledger, securityGroupIds, targets), ingress: null };
  };

  const step = async (endpointId: string, known: Folded<Endpoint>, rehearsal?: Rehearsal): Promise<void> => {
    const { status, endpointType, vpcId, admission, creator, deletion } = known.state;
    const cause = { ...known.cause, rehearsal };
    const context = (name: string) =>
      within(rehearsal, processContext(`${name}/${endpointId}`, known, clock.now(), { service: 'consumer' }));
    const give = (command: EndpointCommand) => endpoints.execute(endpointId, command, context(command.type));
    switch (status) {
      case 'CREATING':
        await broker.requestConnection(known.state, { ...cause, actor: creator }, await boundsOf(known.state));
        await give({ type: 'ActivateEndpoint', data: {} });
        break;
      case 'ACTIVE':
      case 'CHANGING':
        await settleChange(known.state, cause, { broker, vpcs, give, context, boundsOf });
        break;
      case 'DELETING':
        // What is routed to it would be lost: before its connection ends.
        if (endpointType === 'GATEWAY_LOAD_BALANCER') {
          await vpcs.execute(vpcId, { type: 'RemoveRoutesTo', data: { endpointId } }, context('removeRoutes'));
        }
        if (await broker.deleteConnection(endpointId, { ...cause, actor: deletion?.actor ?? '' })) {
          await give({ type: 'CompleteDeletion', data: {} });
        }
        break;
      case 'GONE':
        await vpcs.execute(vpcId, { type: 'ReleaseReservation', data: { endpointId } }, context('release'));
        await provider.releaseAdmission(admission.serviceId, endpointId, cause);
        break;
    }
  };

  return {
    reactor: {
      name: 'endpointLifecycle',
      prefixes: ['endpoint-'],
      key: (event) => idOfStream(event.stream),
      work: async (endpointId, revision) => {
        await step(endpointId, await endpoints.fold(endpointId, revision));
        return 'settled';
      },
    },
    foresee: async (rehearsal) => {
      for (const endpointId of idsIn(rehearsal, endpoints.category)) {
        await step(endpointId, await foldIn(rehearsal, endpoints, endpointId), rehearsal);
      }
    },
  };
};

type Means = Pick<EndpointLifecycleDeps, 'broker' | 'vpcs'> &
  Readonly<{
    give: (command: EndpointCommand) => Promise<unknown>;
    context: (step: string) => CommandContext;
    boundsOf: (state: Endpoint) => Promise<Bounds>;
  }>;

const settleChange = async (
  state: Endpoint,
  cause: Folded<Endpoint>['cause'] & Readonly<{ rehearsal: Rehearsal | undefined }>,
  { broker, vpcs, give, context, boundsOf }: Means,
): Promise<void> => {
  const { endpointId, vpcId, status, version, untold, unconfirmed, unreleased } = state;
  if (untold) {
    const isCompleted = await broker.updateConnection(state, untold, cause, await boundsOf(state));
    const type = isCompleted ? 'CompleteChange' : 'RecordConnectionInformed';
    await give({ type, data: { version: untold.version } });
  } else if (status === 'CHANGING' && unconfirmed === null) {
    await give({ type: 'CompleteChange', data: { version } });
  }
  if (unreleased.length > 0) {
    const data = { endpointId, partIds: unreleased };
    await vpcs.execute(vpcId, { type: 'ReleaseParts', data }, context('releaseParts'));
    await give({ type: 'RecordPartsReleased', data: { partIds: unreleased } });
  }
};
