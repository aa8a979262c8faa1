import { instant as at, moveBy } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { type GatewayEndpointEvent, gatewayEndpoint, gatewayEndpointTransitions } from './gateway-endpoint.ts';

const move = moveBy(gatewayEndpointTransitions);
const text = z.string();
const done = { actor: text, at };

export const gatewayEndpointCodec: Codec<GatewayEndpointEvent> = defineCodec<GatewayEndpointEvent>({
  category: gatewayEndpoint.category,
  stateVersion: 1,
  events: {
    GatewayEndpointCreated: {
      version: 1,
      schema: z.object({
        gatewayEndpointId: text,
        accountId: text,
        vpcId: text,
        routeTableIds: z.array(text),
        serviceName: text,
        policy: text,
        tags: z.array(z.object({ key: text, value: text })),
        ...done,
        move,
      }),
      personal: ['tags', 'actor'],
    },
    GatewayEndpointActivated: { version: 1, schema: z.object({ at, move }) },
    PolicyChanged: {
      version: 1,
      schema: z.object({ ...done, policy: text, move: move.nullable() }),
      personal: ['actor'],
    },
    ChangeCompleted: { version: 1, schema: z.object({ at, move }) },
    DeletionStarted: { version: 1, schema: z.object({ ...done, move }), personal: ['actor'] },
    GatewayEndpointDeleted: { version: 1, schema: z.object({ at, move }) },
    GatewayEndpointCreationAbandoned: {
      version: 1,
      schema: z.object({ gatewayEndpointId: text, vpcId: text, at, move }),
    },
  },
});
