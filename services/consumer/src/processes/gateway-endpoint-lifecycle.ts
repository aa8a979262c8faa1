import type { Folded } from '@privatelink/shared/app/fold';
import { processContext } from '@privatelink/shared/app/process-context';
import { foldIn, idsIn, within } from '@privatelink/shared/app/rehearse';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Rehearsal } from '@privatelink/shared/eventing/rehearsal';
import type { GatewayEndpoint, GatewayEndpointCommand } from '../gateway-endpoint/gateway-endpoint.ts';
import type { Repositories } from '../repositories.ts';

/**
 * The life of a gateway endpoint beyond its owner's requests. Its routes came with its creation, and whoever asks what
 * its policy allows is answered by the newest: so it is active at once, and so is a change complete. Being deleted, it
 * gives its routes back first; then it is gone.
 */
type Deps = Pick<Repositories, 'gateways' | 'vpcs'> & Readonly<{ clock: Clock }>;

type Lifecycle = Readonly<{ reactor: Reactor; foresee: (rehearsal: Rehearsal) => Promise<void> }>;

export const gatewayEndpointLifecycle = ({ gateways, vpcs, clock }: Deps): Lifecycle => {
  const step = async (id: string, known: Folded<GatewayEndpoint>, rehearsal?: Rehearsal): Promise<void> => {
    const { status, vpcId } = known.state;
    const context = (name: string) =>
      within(rehearsal, processContext(`${name}/${id}`, known, clock.now(), { service: 'consumer' }));
    const give = (command: GatewayEndpointCommand) => gateways.execute(id, command, context(command.type));
    switch (status) {
      case 'CREATING':
        await give({ type: 'ActivateGatewayEndpoint', data: {} });
        break;
      case 'CHANGING':
        await give({ type: 'CompleteChange', data: {} });
        break;
      case 'DELETING': {
        const data = { gatewayEndpointId: id };
        await vpcs.execute(vpcId, { type: 'ReleaseGatewayEndpoint', data }, context('release'));
        await give({ type: 'CompleteDeletion', data: {} });
        break;
      }
    }
  };

  return {
    reactor: {
      name: 'gatewayEndpointLifecycle',
      prefixes: [`${gateways.category}-`],
      key: (event) => idOfStream(event.stream),
      work: async (id, revision) => {
        await step(id, await gateways.fold(id, revision));
        return 'settled';
      },
    },
    foresee: async (rehearsal) => {
      for (const id of idsIn(rehearsal, gateways.category)) {
        await step(id, await foldIn(rehearsal, gateways, id), rehearsal);
      }
    },
  };
};
