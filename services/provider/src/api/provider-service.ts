import { AddressType } from '@privatelink/proto/common/v1/common';
import { EndpointServiceStatus } from '@privatelink/proto/provider/v1/endpoint_service';
import type { ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { resourceId } from '@privatelink/shared/app/event-id';
import { failpoint } from '@privatelink/shared/app/failpoint';
import type { Region } from '@privatelink/shared/app/regions';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { ReadMoment } from '@privatelink/shared/grpc/as-of';
import { checkBandwidth, fromBandwidth } from '@privatelink/shared/grpc/bandwidth';
import type { ConsistencyTokens } from '@privatelink/shared/grpc/consistency-token';
import { type ListDeps, listPage } from '@privatelink/shared/grpc/list-page';
import type { PageTokens } from '@privatelink/shared/grpc/page-token';
import { checkTags, toTags } from '@privatelink/shared/grpc/tags';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkEnum, checkEnums, violations } from '@privatelink/shared/grpc/validate';
import { checkResourcesAtCreation } from '../endpoint-service/endpoint-service.resources.ts';
import type { ProviderQuotas } from '../endpoint-service/quotas.ts';
import type { AdmissionsRepository } from '../processes/admission-cleanup.ts';
import type { Lifecycle, ServiceRepository } from '../processes/endpoint-service-lifecycle.ts';
import type { AccountsRepository } from '../processes/service-claim-cleanup.ts';
import { endpointServices, ownServiceFields, visibleServiceFields } from '../read-models/endpoint-services.ts';
import { accountHandlers } from './account-handlers.ts';
import { admissionHandlers } from './admission-handlers.ts';
import { domainHandlers } from './domain-handlers.ts';
import type { FindProof } from './domain-proof.ts';
import { toEndpointService } from './endpoint-service-mapping.ts';
import type { ApiRejection } from './errors.ts';
import { lockHandlers } from './lock-handlers.ts';
import { readHandlers } from './read-handlers.ts';
import { regionHandlers } from './region-handlers.ts';
import {
  checkCreate,
  checkDescription,
  checkMutation,
  toAddressType,
  toPayer,
  toResource,
  toServiceType,
} from './requests.ts';
import { resourceHandlers } from './resource-handlers.ts';
import { namedConnections, serviceChanges } from './service-changes.ts';
import { stepContext } from './step-context.ts';
import { userHandlers } from './user-handlers.ts';

export type ProviderApiDeps = Readonly<{
  services: ServiceRepository;
  accounts: AccountsRepository;
  admissions: AdmissionsRepository;
  lifecycle: Lifecycle;
  lists: ListDeps;
  tokens: ConsistencyTokens;
  pages: PageTokens;
  region: string;
  zones: readonly string[];
  /** From which services may take endpoints. */
  otherRegions: readonly Region[];
  serviceNamePrefix: string;
  quotas: ProviderQuotas;
  readMoment: ReadMoment;
  /** Below it are the names that endpoints get anyway. */
  dnsSuffix: string;
  findProof: FindProof;
}>;

export const providerService = (deps: ProviderApiDeps): ProviderServiceServer => {
  const { services, accounts, zones } = deps;
  const changes = serviceChanges(deps);
  const { change, reply, settled } = changes;

  return {
    createEndpointService: unary(async (request, rpc) => {
      checkCreate(request, zones);
      const serviceId = resourceId('epsrv', rpc.command.requestId);
      const serviceName = `${deps.serviceNamePrefix}.${deps.region}.${serviceId}`;
      const { description, autoAccept } = request;
      const data = {
        ...{ serviceId, serviceName, description, autoAccept, regionId: deps.region },
        accountId: rpc.caller.accountId,
        serviceType: toServiceType(request.serviceType),
        addressType: toAddressType(request.addressType),
        payer: toPayer(request.payer),
        resources: request.resources.map(toResource),
        tags: toTags(request.tags),
        zoneAffinity: request.zoneAffinity ?? false,
        connectBandwidth: fromBandwidth(request.connectBandwidth),
      };
      const first = await services.recall(serviceId, rpc.command);
      if (first) return reply(first);
      // Before anything is written: what is refused anyway claims nothing.
      checkResourcesAtCreation(data, deps.quotas);
      const claim = { type: 'ClaimService', data: { serviceId, serviceType: data.serviceType } } as const;
      await accounts.execute(data.accountId, claim, stepContext(rpc.command, 'claim'));
      await failpoint('createEndpointService:after-claim');
      return reply(await services.execute(serviceId, { type: 'CreateEndpointService', data }, rpc.command));
    }),

    listEndpointServices: unary(async (request, rpc) => {
      const everyone = rpc.allows();
      const v = violations();
      const statuses = checkEnums(v, 'statuses', EndpointServiceStatus, request.statuses);
      v.throwIfAny();
      const where = {
        ...(everyone ? {} : { account_id: rpc.caller.accountId }),
        ...(statuses.length > 0 ? { status: statuses } : {}),
      };
      const page = await listPage(deps.lists, endpointServices, request, rpc, where, { fields: ownServiceFields });
      return {
        endpointServices: page.rows.map(({ state, revision }) => toEndpointService(state, revision, 'owner')),
        nextPageToken: page.nextPageToken,
        consistencyToken: page.consistencyToken,
      };
    }),

    listVisibleServices: unary(async (request, rpc) => {
      const where = { listed: [rpc.caller.accountId, '*'], status: ['ACTIVE', 'CHANGING'] };
      const page = await listPage(deps.lists, endpointServices, request, rpc, where, { fields: visibleServiceFields });
      return {
        endpointServices: page.rows.map(({ state, revision }) => toEndpointService(state, revision, 'other')),
        nextPageToken: page.nextPageToken,
        consistencyToken: page.consistencyToken,
      };
    }),

    updateEndpointService: unary(async (request, rpc) => {
      const { description, tags, addressType, zoneAffinity, connectBandwidth } = request;
      checkMutation(request, (v) => {
        const all = [description, tags, addressType, zoneAffinity, connectBandwidth];
        const says = all.some((said) => said !== undefined);
        v.check('description', says, 'is required, or else tags, address_type, zone_affinity or connect_bandwidth');
        checkDescription(v, description ?? '');
        checkTags(v, 'tags.tags', tags?.tags ?? []);
        checkEnum(v, 'address_type', addressType ?? AddressType.UNSPECIFIED);
        checkBandwidth(v, 'connect_bandwidth', connectBandwidth);
      });
      const data = {
        description: description ?? null,
        tags: tags ? toTags(tags.tags) : null,
        addressType: addressType === undefined ? null : toAddressType(addressType),
        zoneAffinity: zoneAffinity ?? null,
        connectBandwidth: fromBandwidth(connectBandwidth),
      };
      return reply(await change(request, { type: 'UpdateEndpointService', data }, rpc));
    }),

    deleteEndpointService: unary(async (request, rpc) => {
      checkMutation(request);
      const { force } = request;
      const outcome = await change(request, { type: 'StartDeletion', data: { force, actor: rpc.actor } }, rpc);
      const { state } = await settled(request.serviceId, outcome, rpc);
      const asked = outcome.state.deletion?.version ?? 0;
      if (state.lastRefusal && state.lastRefusal.version > asked && state.deletion === null) {
        const facts = namedConnections(state.lastRefusal);
        throw new Rejected<ApiRejection>('ENDPOINT_SERVICE_IN_USE', { service_id: request.serviceId, ...facts });
      }
      return reply(outcome);
    }),

    ...readHandlers(deps),
    ...resourceHandlers(deps, changes),
    ...userHandlers(deps, changes),
    ...domainHandlers(deps, changes),
    ...regionHandlers(deps, changes),
    ...lockHandlers(changes),
    ...accountHandlers(deps),
    ...admissionHandlers(deps),
  };
};
