import type { ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { type Moment, notThen } from '@privatelink/shared/app/moment';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { unary } from '@privatelink/shared/grpc/unary';
import { isId } from '@privatelink/shared/grpc/validate';
import type { EndpointService } from '../endpoint-service/endpoint-service.ts';
import type { ServiceAdmissions } from '../service-admissions/service-admissions.ts';
import { toEndpointService, type View } from './endpoint-service-mapping.ts';
import type { ProviderApiDeps } from './provider-service.ts';
import { exists, notFound } from './service-changes.ts';
import { usersRelations } from './users-relations.ts';

type ReadRpcs = Pick<ProviderServiceServer, 'getEndpointService'>;
type Found = Readonly<{ state: EndpointService; revision: bigint | null; view: View }>;

const isOwners = ({ accountId }: EndpointService, { caller, allows }: RpcContext): boolean =>
  allows(accountId === caller.accountId ? ['owner'] : []);

const isUsers = (service: EndpointService, ledger: ServiceAdmissions, { caller, allows }: RpcContext): boolean =>
  usersRelations(service, ledger, caller.accountId).some((relation) => allows([relation]));

export const readHandlers = ({ services, admissions, readMoment }: ProviderApiDeps): ReadRpcs => {
  const read = async (serviceId: string, rpc: RpcContext): Promise<Found> => {
    const { state, revision } = await services.fold(serviceId);
    const view: View = isOwners(state, rpc) ? 'owner' : 'other';
    const isSeen = view === 'owner' || isUsers(state, (await admissions.fold(serviceId)).state, rpc);
    if (!exists(state) || !isSeen) throw notFound(serviceId);
    return { state, revision, view };
  };

  /** Whoever could see it then sees now what it was; its owner, and who sees it now, are told when it was not there. */
  const readAsOf = async (serviceId: string, moment: Moment, rpc: RpcContext): Promise<Found> => {
    const [now, ledgerNow, then, ledgerThen] = await Promise.all([
      services.fold(serviceId),
      admissions.fold(serviceId),
      services.foldAsOf(serviceId, moment),
      admissions.foldAsOf(serviceId, moment),
    ]);
    const isOwner = isOwners(now.state, rpc);
    const wasUser = isUsers(then.state, ledgerThen.state, rpc);
    const isKnown = isOwner || wasUser || isUsers(now.state, ledgerNow.state, rpc);
    if (now.state.status === null || !isKnown) throw notFound(serviceId);
    if (!exists(then.state)) throw notThen('endpoint_service', serviceId, then);
    if (!isOwner && !wasUser) throw notFound(serviceId);
    return { ...then, view: isOwner ? 'owner' : 'other' };
  };

  return {
    getEndpointService: unary(async (request, rpc) => {
      const serviceId = request.serviceId.split('.').at(-1) ?? '';
      if (!isId(serviceId, 'epsrv')) throw notFound(serviceId);
      const moment = await readMoment(request.asOf);
      const found = moment ? await readAsOf(serviceId, moment, rpc) : await read(serviceId, rpc);
      const revision = found.revision ?? 0n;
      return { endpointService: toEndpointService(found.state, revision, found.view), revision };
    }),
  };
};
