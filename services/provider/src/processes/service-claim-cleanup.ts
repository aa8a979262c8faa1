import { failpoint } from '@privatelink/shared/app/failpoint';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Repository } from '@privatelink/shared/app/repository';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type {
  AccountServices,
  AccountServicesCommand,
  AccountServicesEvent,
} from '../account-services/account-services.ts';
import type { ServiceRepository } from './endpoint-service-lifecycle.ts';

export type AccountsRepository = Repository<AccountServicesCommand, AccountServicesEvent, AccountServices>;

/**
 * The claim of a service that was never created is released. First the creation is fenced off on the service's own
 * stream: of the fence and a creation that is still under way, exactly one comes first there, and the other one loses.
 */
type Deps = Readonly<{
  accounts: AccountsRepository;
  services: ServiceRepository;
  clock: Clock;
  abandonAfterMs: number;
}>;

export const serviceClaimCleanup = ({ accounts, services, clock, abandonAfterMs }: Deps): Reactor => ({
  name: 'serviceClaimCleanup',
  prefixes: ['accountServices-'],
  key: (event: StoredEvent) =>
    event.type.startsWith('ServiceClaimed.')
      ? `${idOfStream(event.stream)}/${(event.data as { serviceId: string }).serviceId}`
      : null,
  work: async (key) => {
    const [accountId = '', serviceId = ''] = key.split('/');
    const ledger = await accounts.fold(accountId);
    const claimedAt = ledger.state.services[serviceId];
    if (claimedAt === undefined) return 'settled';
    const context = (step: string) => processContext(`${step}/${key}`, ledger, clock.now(), { service: 'provider' });
    if ((await services.fold(serviceId)).state.status === null) {
      const againMs = Date.parse(claimedAt) + abandonAfterMs - clock.now().getTime();
      if (againMs > 0) return { againMs };
      await failpoint('serviceClaimCleanup:before-fence');
    }
    const fence = { type: 'AbandonCreation', data: { serviceId, accountId } } as const;
    const { latest } = await services.execute(serviceId, fence, context('abandon'));
    if (latest.state.status !== 'GONE') return 'settled';
    await accounts.execute(accountId, { type: 'ReleaseService', data: { serviceId } }, context('release'));
    return 'settled';
  },
});
