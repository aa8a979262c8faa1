import { instant as at, moveBy } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { type NameSetEvent, nameSet, nameSetTransitions } from './name-set.ts';

const move = moveBy(nameSetTransitions);
const addresses = z.array(z.string());
const change = {
  endpointId: z.string(),
  vpcId: z.string(),
  accountId: z.string(),
  generation: z.number().int().nonnegative(),
  healthRevision: z.number().int().nonnegative(),
  names: z.array(
    z.object({ domainName: z.string(), ipv4Addresses: addresses, ipv6Addresses: addresses, isPrivate: z.boolean() }),
  ),
  zones: z.array(z.object({ zoneId: z.string(), ipv4: z.string(), ipv6: z.string() })),
  zoneAffinity: z.boolean(),
  at,
};

export const nameSetCodec: Codec<NameSetEvent> = defineCodec<NameSetEvent>({
  category: nameSet.category,
  stateVersion: 1,
  events: {
    NamesReserved: { version: 1, schema: z.object({ ...change, move }) },
    NamesPublished: { version: 1, schema: z.object({ ...change, move }) },
    NamesWithdrawn: { version: 1, schema: z.object({ ...change, move }) },
    NamesRemoved: { version: 1, schema: z.object({ ...change, move }) },
    NamesReaffirmed: { version: 1, schema: z.object(change) },
  },
});
