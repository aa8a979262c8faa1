import { instant as at } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { type ServiceAdmissionsEvent, serviceAdmissions } from './service-admissions.ts';

const text = z.string();

export const serviceAdmissionsCodec: Codec<ServiceAdmissionsEvent> = defineCodec<ServiceAdmissionsEvent>({
  category: serviceAdmissions.category,
  stateVersion: 2,
  events: {
    EndpointAdmitted: { version: 1, schema: z.object({ endpointId: text, accountId: text, at }) },
    AdmissionReleased: { version: 1, schema: z.object({ endpointId: text, at }) },
  },
});
