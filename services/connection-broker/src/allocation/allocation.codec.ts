import { instant as at } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { type AllocationEvent, allocation } from './allocation.ts';

const text = z.string();

export const allocationCodec: Codec<AllocationEvent> = defineCodec<AllocationEvent>({
  category: allocation.category,
  stateVersion: 2,
  events: {
    ResourceAssigned: { version: 1, schema: z.object({ endpointZone: text, resourceId: text, at }) },
    EndpointPlaced: {
      version: 1,
      schema: z.object({ endpointZone: text, from: text, to: text, force: z.boolean(), actor: text, at }),
      personal: ['actor'],
    },
    PlacementReleased: { version: 1, schema: z.object({ endpointZone: text, to: text, at }) },
    EndpointsMoved: { version: 1, schema: z.object({ from: text, to: z.record(text, text), at }) },
    MovesCompleted: { version: 1, schema: z.object({ endpointZones: z.array(text), at }) },
    ResourceUnassigned: { version: 1, schema: z.object({ endpointZone: text, at }) },
    ResourceClosed: {
      version: 1,
      schema: z.object({ resourceId: text, serviceVersion: z.number().int().nonnegative(), at }),
    },
  },
});
