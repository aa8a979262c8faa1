import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { entriesOf, type Parted, valueAt, withoutKey, withValue } from '@privatelink/shared/eventing/parted';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { type ProviderQuotas, providerQuotas } from '../endpoint-service/quotas.ts';

/** The ledger of who has an endpoint on one service, or is about to. It is written before the service is read. */
export type ServiceAdmissionsEvent =
  | Ev<'EndpointAdmitted', { endpointId: string; accountId: string; at: string }>
  | Ev<'AdmissionReleased', { endpointId: string; at: string }>;

/** `place`: how many entries were ever made before it. */
export type Admission = Readonly<{ accountId: string; at: string; place: number }>;

export type ServiceAdmissions = Readonly<{
  endpoints: Parted<Admission>;
  count: number;
  /** Entries ever made. */
  entered: number;
}>;

export type ServiceAdmissionsCommand =
  | Cmd<'AdmitEndpoint', { endpointId: string; accountId: string }>
  | Cmd<'ReleaseAdmission', { endpointId: string }>;

export type ServiceAdmissionsRejection = 'QUOTA_EXCEEDED';

export const serviceAdmissionsBy = (
  quotas: ProviderQuotas,
): Decider<ServiceAdmissionsCommand, ServiceAdmissionsEvent, ServiceAdmissions> => ({
  category: 'serviceAdmissions',
  initial: { endpoints: {}, count: 0, entered: 0 },
  evolve: (ledger, event) => {
    switch (event.type) {
      case 'EndpointAdmitted': {
        const { endpointId, accountId, at } = event.data;
        const endpoints = withValue(ledger.endpoints, endpointId, { accountId, at, place: ledger.entered });
        return { endpoints, count: ledger.count + 1, entered: ledger.entered + 1 };
      }
      case 'AdmissionReleased':
        return { ...ledger, endpoints: withoutKey(ledger.endpoints, event.data.endpointId), count: ledger.count - 1 };
      default:
        return assertNever(event);
    }
  },
  decide: (command, ledger, at) => {
    const { endpointId } = command.data;
    switch (command.type) {
      case 'AdmitEndpoint': {
        if (valueAt(ledger.endpoints, endpointId)) return [];
        const exceeded = quotaExceeded(ledger, quotas);
        if (exceeded) throw new Rejected<ServiceAdmissionsRejection>('QUOTA_EXCEEDED', exceeded);
        return [{ type: 'EndpointAdmitted', data: { ...command.data, at } }];
      }
      case 'ReleaseAdmission':
        return valueAt(ledger.endpoints, endpointId) ? [{ type: 'AdmissionReleased', data: { endpointId, at } }] : [];
      default:
        return assertNever(command);
    }
  },
});

export const serviceAdmissions = serviceAdmissionsBy(providerQuotas);

/** What is said when not one endpoint more can be admitted; null when one can. */
export const quotaExceeded = (
  { count: current }: ServiceAdmissions,
  { endpointsPerService }: ProviderQuotas,
): Readonly<Record<string, string>> | null => {
  if (current < endpointsPerService) return null;
  return { quota: 'endpoints per service', limit: String(endpointsPerService), current: String(current) };
};

/** Endpoints of an account, or of all accounts for `*`, sorted. */
export const endpointsOf = (ledger: ServiceAdmissions, accountId: string): readonly string[] =>
  entriesOf(ledger.endpoints)
    .filter(([, admission]) => accountId === '*' || admission.accountId === accountId)
    .map(([endpointId]) => endpointId)
    .sort();

/** How many endpoints of the same account are in the ledger that were entered before this one. */
export const earlierThan = ({ endpoints }: ServiceAdmissions, endpointId: string): number => {
  const own = valueAt(endpoints, endpointId);
  if (!own) return 0;
  const isEarlier = ({ accountId, place }: Admission): boolean => accountId === own.accountId && place < own.place;
  return entriesOf(endpoints).filter(([, admission]) => isEarlier(admission)).length;
};
