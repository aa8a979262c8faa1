import type { ProviderAccount, ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkAccountId, checkRequestId, violations } from '@privatelink/shared/grpc/validate';
import type { AccountServices } from '../account-services/account-services.ts';
import type { ApiRejection } from './errors.ts';
import type { ProviderApiDeps } from './provider-service.ts';

type AccountRpcs = Pick<ProviderServiceServer, 'setPlatformAccount' | 'getProviderAccount'>;

/** What accounts are as providers. Whether one exists is for who issues tokens to say. */
export const accountHandlers = ({ accounts, tokens }: Pick<ProviderApiDeps, 'accounts' | 'tokens'>): AccountRpcs => ({
  setPlatformAccount: unary(async (request, rpc) => {
    const { accountId, platform } = request;
    const v = violations();
    checkRequestId(v, request.requestId);
    checkAccountId(v, 'account_id', accountId);
    v.throwIfAny();
    const command = { type: 'SetPlatform', data: { platform, actor: rpc.actor } } as const;
    const { state, revision, latest } = await accounts.execute(accountId, command, rpc.command);
    const consistencyToken = tokens.issue(latest.position);
    return { providerAccount: toAccount(accountId, state), revision: revision ?? 0n, consistencyToken };
  }),

  getProviderAccount: unary(async ({ accountId }, rpc) => {
    const v = violations();
    checkAccountId(v, 'account_id', accountId);
    v.throwIfAny();
    if (!rpc.allows(accountId === rpc.caller.accountId ? ['owner'] : [])) {
      throw new Rejected<ApiRejection>('PROVIDER_ACCOUNT_NOT_FOUND', { account_id: accountId });
    }
    const { state, revision } = await accounts.fold(accountId);
    return { providerAccount: toAccount(accountId, state), revision: revision ?? 0n };
  }),
});

const toAccount = (accountId: string, { services, platform }: AccountServices): ProviderAccount => ({
  accountId,
  platform,
  serviceCount: Object.keys(services).length,
});
