import { instant as at } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { type FanOutEvent, fanOut } from './fan-out.ts';

const count = z.number().int().nonnegative();
/** Of `$all`; a string, because it outgrows JSON's numbers. */
const position = z.string().regex(/^\d+$/);

export const fanOutCodec: Codec<FanOutEvent> = defineCodec<FanOutEvent>({
  category: fanOut.category,
  stateVersion: 1,
  events: {
    FanOutStarted: { version: 1, schema: z.object({ factsVersion: count, position, at }) },
    FanOutProgressed: { version: 1, schema: z.object({ factsVersion: count, cursor: z.string(), told: count, at }) },
    FanOutCompleted: { version: 1, schema: z.object({ factsVersion: count, told: count, at }) },
  },
});
