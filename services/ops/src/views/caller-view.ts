import { Denied } from '@privatelink/shared/app/errors';
import { accessOf, allows } from '@privatelink/shared/grpc/access';
import type { Caller } from '@privatelink/shared/grpc/tokens';

/** Whose resources a caller sees: everybody's, or those of one account. */
export type Scope = Readonly<{ accountId: string | null }>;

/**
 * As the service does that owns them: who may list there may list here, and sees the same.
 *
 * @param list the RPC, `privatelink.broker.v1.BrokerService/ListConnections`
 * @throws Denied for roles that may not call it
 */
export const scopeOf = ({ roles, accountId }: Caller, list: string): Scope => {
  const access = accessOf(list);
  if (!access?.roles.some((role) => roles.includes(role))) throw new Denied('these roles may not list this');
  return { accountId: allows(access, roles, []) ? null : accountId };
};
