import { failpoint } from '@privatelink/shared/app/failpoint';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Repository } from '@privatelink/shared/app/repository';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { valueAt } from '@privatelink/shared/eventing/parted';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { ConsumerPort } from '../dispatch/consumer.ts';
import type {
  ServiceAdmissions,
  ServiceAdmissionsCommand,
  ServiceAdmissionsEvent,
} from '../service-admissions/service-admissions.ts';

/**
 * An endpoint that was admitted and then never created gives its slot back; so does one whose admission came again
 * after it was gone. After a while the consumer service is asked; its answer is final, because whoever asks first about
 * an endpoint that is not there fences its creation off.
 */
export type AdmissionsRepository = Repository<ServiceAdmissionsCommand, ServiceAdmissionsEvent, ServiceAdmissions>;

type Deps = Readonly<{ admissions: AdmissionsRepository; consumer: ConsumerPort; clock: Clock; settleAfterMs: number }>;

export const admissionCleanup = ({ admissions, consumer, clock, settleAfterMs }: Deps): Reactor => ({
  name: 'admissionCleanup',
  prefixes: ['serviceAdmissions-'],
  key: (event: StoredEvent) =>
    event.type.startsWith('EndpointAdmitted.')
      ? `${idOfStream(event.stream)}/${(event.data as { endpointId: string }).endpointId}`
      : null,
  work: async (key) => {
    const [serviceId = '', endpointId = ''] = key.split('/');
    const ledger = await admissions.fold(serviceId);
    const admission = valueAt(ledger.state.endpoints, endpointId);
    if (!admission) return 'settled';
    const againMs = Date.parse(admission.at) + settleAfterMs - clock.now().getTime();
    if (againMs > 0) return { againMs };
    await failpoint('admissionCleanup:before-asking');
    if (await consumer.settleEndpointCreation(endpointId, ledger.cause)) return 'settled';
    const context = processContext(`release/${key}`, ledger, clock.now(), { service: 'provider' });
    await admissions.execute(serviceId, { type: 'ReleaseAdmission', data: { endpointId } }, context);
    return 'settled';
  },
});
