import { type ProviderServiceServer, Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import type { Fields } from '@privatelink/shared/filter/fields';
import { enumName } from '@privatelink/shared/grpc/enums';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkEnum } from '@privatelink/shared/grpc/validate';
import type { ServiceUser } from '../endpoint-service/endpoint-service.ts';
import { endpointsOf } from '../service-admissions/service-admissions.ts';
import { toServiceUser } from './endpoint-service-mapping.ts';
import type { ProviderApiDeps } from './provider-service.ts';
import { checkMutation, checkServiceUser, checkTerms, toTerms } from './requests.ts';
import type { ServiceChanges } from './service-changes.ts';
import { type StateList, statePage } from './state-page.ts';

type UserRpcs = Pick<
  ProviderServiceServer,
  'addServiceUser' | 'removeServiceUser' | 'listServiceUsers' | 'setAutoAccept'
>;

type UserColumn = 'auto_accept' | 'max_connections' | 'create_time';
type User = ServiceUser & Readonly<{ accountId: string }>;

export const userFields: Fields<UserColumn> = {
  account_id: { column: 'key', type: 'text', ordered: true },
  auto_accept: { column: 'auto_accept', type: 'boolean' },
  max_connections: { column: 'max_connections', type: 'number' },
  create_time: { column: 'create_time', type: 'time', ordered: true },
};

const users: StateList<User, UserColumn> = {
  itemsOf: (service) =>
    Object.entries(service.users).map(([accountId, user]) => ({ key: accountId, state: { ...user, accountId } })),
  columns: {
    auto_accept: { type: 'boolean', of: ({ autoAccept }) => autoAccept },
    max_connections: { type: 'bigint', of: ({ maxConnections: max }) => (max === null ? null : BigInt(max)) },
    create_time: { type: 'timestamptz', of: ({ at }) => at },
  },
  fields: userFields,
};

/** Who may connect to a service, and on which terms. */
export const userHandlers = (deps: ProviderApiDeps, { change, written, reply }: ServiceChanges): UserRpcs => ({
  addServiceUser: unary(async (request, rpc) => {
    checkMutation(request, (v) => {
      checkServiceUser(v, request.accountId);
      checkTerms(v, request);
    });
    const data = { accountId: request.accountId, ...toTerms(request), actor: rpc.actor };
    return written(await change(request, { type: 'AddServiceUser', data }, rpc));
  }),

  removeServiceUser: unary(async (request, rpc) => {
    checkMutation(request, (v) => {
      checkServiceUser(v, request.accountId);
      checkEnum(v, 'reconcile', request.reconcile);
    });
    const reconcile = enumName(Reconcile, request.reconcile) ?? 'KEEP';
    const data = { accountId: request.accountId, reconcile, actor: rpc.actor };
    const outcome = await change(request, { type: 'RemoveServiceUser', data }, rpc);
    // Read after the removal was written: whoever was admitted before is in the ledger.
    const { state: ledger } = await deps.admissions.fold(request.serviceId);
    return { ...written(outcome), endpointIds: [...endpointsOf(ledger, request.accountId)] };
  }),

  listServiceUsers: unary(async (request, rpc) => {
    const { items, nextPageToken } = await statePage(deps, users, request, rpc);
    return { serviceUsers: items.map(({ accountId, ...user }) => toServiceUser(accountId, user)), nextPageToken };
  }),

  setAutoAccept: unary(async (request, rpc) => {
    checkMutation(request);
    const { serviceId, autoAccept, acceptWaiting } = request;
    const asOf = acceptWaiting ? (await deps.services.fold(serviceId)).state.version : 0;
    const data = { autoAccept, acceptWaiting, asOf, actor: rpc.actor };
    return reply(await change(request, { type: 'SetAutoAccept', data }, rpc));
  }),
});
