import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { type ProviderQuotas, providerQuotas } from '../endpoint-service/quotas.ts';

/** The ledger of who has an endpoint on one service, or is about to. It is written before the service is read. */
export type ServiceAdmissionsEvent =
  | Ev<'EndpointAdmitted', { endpointId: string; accountId: string; at: string }>
  | Ev<'AdmissionReleased', { endpointId: string; at: string }>;

export type Admission = Readonly<{ accountId: string; at: string }>;

export type ServiceAdmissions = Readonly<{ endpoints: Readonly<Record<string, Admission>> }>;

export type ServiceAdmissionsCommand =
  | Cmd<'AdmitEndpoint', { endpointId: string; accountId: string }>
  | Cmd<'ReleaseAdmission', { endpointId: string }>;

export type ServiceAdmissionsRejection = 'QUOTA_EXCEEDED';

export const serviceAdmissionsBy = (
  quotas: ProviderQuotas,
): Decider<ServiceAdmissionsCommand, ServiceAdmissionsEvent, ServiceAdmissions> => ({
  category: 'serviceAdmissions',
  initial: { endpoints: {} },
  evolve: (ledger, event) => {
    switch (event.type) {
      case 'EndpointAdmitted': {
        const { endpointId, accountId, at } = event.data;
        return { endpoints: { ...ledger.endpoints, [endpointId]: { accountId, at } } };
      }
      case 'AdmissionReleased': {
        const { [event.data.endpointId]: _released, ...endpoints } = ledger.endpoints;
        return { endpoints };
      }
      default:
        return assertNever(event);
    }
  },
  decide: (command, ledger, at) => {
    const { endpointId } = command.data;
    switch (command.type) {
      case 'AdmitEndpoint': {
        if (endpointId in ledger.endpoints) return [];
        const exceeded = quotaExceeded(ledger, quotas);
        if (exceeded) throw new Rejected<ServiceAdmissionsRejection>('QUOTA_EXCEEDED', exceeded);
        return [{ type: 'EndpointAdmitted', data: { ...command.data, at } }];
      }
      case 'ReleaseAdmission':
        return endpointId in ledger.endpoints ? [{ type: 'AdmissionReleased', data: { endpointId, at } }] : [];
      default:
        return assertNever(command);
    }
  },
});

export const serviceAdmissions = serviceAdmissionsBy(providerQuotas);

/** What is said when not one endpoint more can be admitted; null when one can. */
export const quotaExceeded = (
  { endpoints }: ServiceAdmissions,
  { endpointsPerService }: ProviderQuotas,
): Readonly<Record<string, string>> | null => {
  const current = Object.keys(endpoints).length;
  if (current < endpointsPerService) return null;
  return { quota: 'endpoints per service', limit: String(endpointsPerService), current: String(current) };
};

/** Endpoints of an account, or of all accounts for `*`, sorted. */
export const endpointsOf = (ledger: ServiceAdmissions, accountId: string): readonly string[] =>
  Object.entries(ledger.endpoints)
    .filter(([, admission]) => accountId === '*' || admission.accountId === accountId)
    .map(([endpointId]) => endpointId)
    .sort();

/** How many endpoints of the same account are in the ledger that were entered before this one. */
export const earlierThan = ({ endpoints }: ServiceAdmissions, endpointId: string): number => {
  // Entries stay in the order in which they were made.
  const entered = Object.entries(endpoints);
  const place = entered.findIndex(([id]) => id === endpointId);
  const accountId = endpoints[endpointId]?.accountId;
  return entered.slice(0, Math.max(place, 0)).filter(([, admission]) => admission.accountId === accountId).length;
};
