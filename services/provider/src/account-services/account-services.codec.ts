import { instant as at } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { type AccountServicesEvent, accountServices } from './account-services.ts';

const serviceId = z.string();
const report = { source: z.string(), sequence: z.number().int().positive(), at };

export const accountServicesCodec: Codec<AccountServicesEvent> = defineCodec<AccountServicesEvent>({
  category: accountServices.category,
  stateVersion: 1,
  events: {
    ServiceClaimed: { version: 1, schema: z.object({ serviceId, at }) },
    ServiceReleased: { version: 1, schema: z.object({ serviceId, at }) },
    AccountOverdueRecorded: {
      version: 1,
      schema: z.object({ ...report, message: z.string() }),
      personal: ['message'],
    },
    AccountSettledRecorded: { version: 1, schema: z.object(report) },
    PlatformFlagged: { version: 1, schema: z.object({ actor: z.string(), at }), personal: ['actor'] },
    PlatformUnflagged: { version: 1, schema: z.object({ actor: z.string(), at }), personal: ['actor'] },
  },
});
