import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { ServiceType } from '../endpoint-service/endpoint-service.ts';
import { type ProviderQuotas, providerQuotas } from '../endpoint-service/quotas.ts';

/**
 * The ledger of the services that one account has, or is about to, of what it is, and of its bills. It is written before a
 * service is: whoever is entered is told of a bill, and whoever comes later finds it here.
 */
export type AccountServicesEvent =
  | Ev<'ServiceClaimed', { serviceId: string; at: string }>
  | Ev<'ServiceReleased', { serviceId: string; at: string }>
  | Ev<'AccountOverdueRecorded', { source: string; sequence: number; message: string; at: string }>
  | Ev<'AccountSettledRecorded', { source: string; sequence: number; at: string }>
  | Ev<'PlatformFlagged', { actor: string; at: string }>
  | Ev<'PlatformUnflagged', { actor: string; at: string }>;

/** What one source of billing reported last of a scope. */
export type Payment = Readonly<{ source: string; sequence: number; overdue: boolean; message: string }>;

export type AccountServices = Readonly<{
  /** Service id → when it was claimed. */
  services: Readonly<Record<string, string>>;
  /** Whether it is the platform's own account. */
  platform: boolean;
  /** By source. */
  payments: Readonly<Record<string, Payment>>;
}>;

export type AccountServicesCommand =
  | Cmd<'ClaimService', { serviceId: string; serviceType: ServiceType }>
  | Cmd<'ReleaseService', { serviceId: string }>
  | Cmd<'SetPlatform', { platform: boolean; actor: string }>
  | Cmd<'RecordAccountPayments', { payments: readonly Payment[] }>;

export type AccountServicesRejection = 'QUOTA_EXCEEDED' | 'PLATFORM_ACCOUNT_REQUIRED';

export const accountServicesBy = (
  quotas: ProviderQuotas,
): Decider<AccountServicesCommand, AccountServicesEvent, AccountServices> => ({
  category: 'accountServices',
  initial: { services: {}, platform: false, payments: {} },
  evolve: (ledger, event) => {
    switch (event.type) {
      case 'ServiceClaimed':
        return { ...ledger, services: { ...ledger.services, [event.data.serviceId]: event.data.at } };
      case 'ServiceReleased': {
        const { [event.data.serviceId]: _released, ...services } = ledger.services;
        return { ...ledger, services };
      }
      case 'AccountOverdueRecorded': {
        const { at: _at, ...payment } = event.data;
        return withPayment(ledger, { ...payment, overdue: true });
      }
      case 'AccountSettledRecorded': {
        const { at: _at, ...payment } = event.data;
        return withPayment(ledger, { ...payment, overdue: false, message: '' });
      }
      case 'PlatformFlagged':
        return { ...ledger, platform: true };
      case 'PlatformUnflagged':
        return { ...ledger, platform: false };
      default:
        return assertNever(event);
    }
  },
  decide: (command, { services, platform, payments }, at) => {
    switch (command.type) {
      case 'ClaimService': {
        const { serviceId, serviceType } = command.data;
        if (serviceId in services) return [];
        if (serviceType === 'REVERSE' && !platform) {
          const facts = { service_type: serviceType, field: 'service_type' };
          throw new Rejected<AccountServicesRejection>('PLATFORM_ACCOUNT_REQUIRED', facts);
        }
        const current = Object.keys(services).length;
        if (current >= quotas.services) {
          const facts = { quota: 'services per account', limit: String(quotas.services), current: String(current) };
          throw new Rejected<AccountServicesRejection>('QUOTA_EXCEEDED', facts);
        }
        return [{ type: 'ServiceClaimed', data: { serviceId, at } }];
      }
      case 'ReleaseService': {
        const { serviceId } = command.data;
        return serviceId in services ? [{ type: 'ServiceReleased', data: { serviceId, at } }] : [];
      }
      case 'SetPlatform': {
        const { platform: wanted, actor } = command.data;
        if (wanted === platform) return [];
        return [{ type: wanted ? 'PlatformFlagged' : 'PlatformUnflagged', data: { actor, at } }];
      }
      case 'RecordAccountPayments':
        return command.data.payments
          .filter(({ source, sequence }) => sequence > (payments[source]?.sequence ?? 0))
          .map(({ source, sequence, overdue, message }) =>
            overdue
              ? { type: 'AccountOverdueRecorded', data: { source, sequence, message, at } }
              : { type: 'AccountSettledRecorded', data: { source, sequence, at } },
          );
      default:
        return assertNever(command);
    }
  },
});

const withPayment = (ledger: AccountServices, payment: Payment): AccountServices => ({
  ...ledger,
  payments: { ...ledger.payments, [payment.source]: payment },
});

export const accountServices = accountServicesBy(providerQuotas);
