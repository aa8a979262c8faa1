import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { type ProviderQuotas, providerQuotas } from '../endpoint-service/quotas.ts';

/** The ledger of the services that one account has, or is about to. It is written before a service is. */
export type AccountServicesEvent =
  | Ev<'ServiceClaimed', { serviceId: string; at: string }>
  | Ev<'ServiceReleased', { serviceId: string; at: string }>;

/** Service id → when it was claimed. */
export type AccountServices = Readonly<{ services: Readonly<Record<string, string>> }>;

export type AccountServicesCommand =
  | Cmd<'ClaimService', { serviceId: string }>
  | Cmd<'ReleaseService', { serviceId: string }>;

export type AccountServicesRejection = 'QUOTA_EXCEEDED';

export const accountServicesBy = (
  quotas: ProviderQuotas,
): Decider<AccountServicesCommand, AccountServicesEvent, AccountServices> => ({
  category: 'accountServices',
  initial: { services: {} },
  evolve: ({ services }, event) => {
    const { serviceId, at } = event.data;
    switch (event.type) {
      case 'ServiceClaimed':
        return { services: { ...services, [serviceId]: at } };
      case 'ServiceReleased': {
        const { [serviceId]: _released, ...others } = services;
        return { services: others };
      }
      default:
        return assertNever(event);
    }
  },
  decide: (command, { services }, at) => {
    const { serviceId } = command.data;
    switch (command.type) {
      case 'ClaimService': {
        if (serviceId in services) return [];
        const current = Object.keys(services).length;
        if (current >= quotas.services) {
          const facts = { quota: 'services per account', limit: String(quotas.services), current: String(current) };
          throw new Rejected<AccountServicesRejection>('QUOTA_EXCEEDED', facts);
        }
        return [{ type: 'ServiceClaimed', data: { serviceId, at } }];
      }
      case 'ReleaseService':
        return serviceId in services ? [{ type: 'ServiceReleased', data: { serviceId, at } }] : [];
      default:
        return assertNever(command);
    }
  },
});

export const accountServices = accountServicesBy(providerQuotas);
