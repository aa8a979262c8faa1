import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { expect, it } from 'vitest';
import { publishService, refusalOf } from '../../support/scenario.ts';
import { CALL, requestId } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

/** The owner of a service is one of its users. */
export const MAX_USERS = 8;

export const quotas = (race: () => Race): void => {
  it('of the configuration are passed by no number of requests at once, and free again with what is removed', async () => {
    const { cast, log } = race();
    const { provider } = await cast();
    const { serviceId } = await publishService(provider, log, {});
    const accountOf = (index: number): string => `77${String(index).padStart(14, '0')}`;
    const add = (index: number) =>
      provider.provider.addServiceUser(
        { requestId: requestId(), serviceId, accountId: accountOf(index), approvalTtl: undefined },
        CALL,
      );
    const added = await Promise.allSettled(Array.from({ length: 3 * MAX_USERS }, (_, index) => add(index)));
    const done = added.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(done).toHaveLength(MAX_USERS - 1);
    expect(await refusalOf(add(99))).toMatchObject({
      ...{ code: 8, reason: 'QUOTA_EXCEEDED' },
      facts: { quota: 'service users', limit: String(MAX_USERS), current: String(MAX_USERS) },
    });
    const accountId = accountOf(done[0] ?? 0);
    await provider.provider.removeServiceUser(
      { requestId: requestId(), serviceId, accountId, reconcile: Reconcile.KEEP },
      CALL,
    );
    await add(99);
  });
};
