import { assertNever } from '@privatelink/shared/eventing/never';
import { quota, reject, requireChangeable } from './endpoint-service.rejections.ts';
import {
  type EndpointService,
  type EndpointServiceCommand,
  type EndpointServiceEvent,
  isListed,
  type UserTerms,
} from './endpoint-service.ts';
import type { ProviderQuotas } from './quotas.ts';

type UserCommand = Extract<
  EndpointServiceCommand,
  Readonly<{ type: 'AddServiceUser' | 'RemoveServiceUser' | 'SetAutoAccept' }>
>;

/** Who may connect to a service that exists, and on which terms. */
export const decideUsers = (
  command: UserCommand,
  service: EndpointService,
  at: string,
  { serviceUsers }: ProviderQuotas,
): readonly EndpointServiceEvent[] => {
  requireChangeable(service);
  switch (command.type) {
    case 'AddServiceUser': {
      const { accountId } = command.data;
      if (isListed(service, accountId)) {
        if (isSameTerms(service.users[accountId], command.data)) return [];
        return [{ type: 'ServiceUserTermsChanged', data: { ...command.data, at } }];
      }
      const current = Object.keys(service.users).length;
      if (current >= serviceUsers) throw quota('service users', serviceUsers, current, 'account_id');
      return [{ type: 'ServiceUserAdded', data: { ...command.data, at } }];
    }

    case 'RemoveServiceUser': {
      const { accountId, reconcile } = command.data;
      if (accountId === service.accountId) {
        throw reject('ENDPOINT_SERVICE_OWNER_REQUIRED', { account_id: service.accountId, field: 'account_id' });
      }
      // The connections of who was removed and kept can still be disconnected, unless everybody may connect.
      const isDone = reconcile === 'KEEP' || isListed(service, '*') || service.disconnected.includes(accountId);
      if (!isListed(service, accountId) && isDone) return [];
      return [{ type: 'ServiceUserRemoved', data: { ...command.data, at } }];
    }

    case 'SetAutoAccept': {
      const { autoAccept, acceptWaiting, asOf, actor } = command.data;
      if (!autoAccept) return service.autoAccept ? [{ type: 'AutoAcceptDisabled', data: { at } }] : [];
      // Also while it is on some may wait, by the terms of their account: only who has seen the last time means another.
      if (service.autoAccept && (!acceptWaiting || service.waitingAcceptedAt > asOf)) return [];
      return [{ type: 'AutoAcceptEnabled', data: { acceptWaiting, actor, at } }];
    }

    default:
      return assertNever(command);
  }
};

const isSameTerms = (held: UserTerms | undefined, said: UserTerms): boolean =>
  held?.autoAccept === said.autoAccept &&
  held.maxConnections === said.maxConnections &&
  held.approvalTtlMs === said.approvalTtlMs;
