import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { Obstacle } from '@privatelink/proto/common/v1/obstacle';
import type { ListResourcesResponse, ProviderServiceService } from '@privatelink/proto/provider/v1/provider_service';
import type { CallContext, RemoteService } from '@privatelink/shared/grpc/client';
import { enumName } from '@privatelink/shared/grpc/enums';
import type { Connection, Resource } from '../connection/connection.ts';

/** What the broker tells the provider service. */
export type ProviderPort = Readonly<{
  confirmServiceTeardown: (
    serviceId: string,
    version: number,
    connectionCount: number,
    context: CallContext,
  ) => Promise<void>;
  /** Resources that a service has now, and the version of the service that shows them. */
  resourcesOf: (serviceId: string, context: CallContext) => Promise<ServiceResources>;
  /** Null when there is no such service. */
  explainAdmission: (applicant: Applicant, context: CallContext) => Promise<ExplainedAdmission | null>;
}>;

export type Applicant = Readonly<{
  service: string;
  accountId: string;
  endpointType: Connection['endpointType'];
  addressType: 'IPV4' | 'DUAL_STACK';
  zoneIds: readonly string[];
  /** Of the endpoint; the service's when it is not said. */
  regionId: string | undefined;
}>;

export type ExplainedAdmission = Pick<Connection, 'serviceId' | 'serviceAccountId' | 'serviceVersion' | 'payer'> &
  Readonly<{ listed: boolean; obstacles: readonly Obstacle[] }>;

export type ServiceResources = Readonly<{ version: number; resources: readonly OfferedResource[] }>;
export type OfferedResource = Resource & Readonly<{ autoAllocated: boolean }>;

const LARGE_PAGE = 1_000;

export const providerPort = (provider: RemoteService<typeof ProviderServiceService>): ProviderPort => ({
  confirmServiceTeardown: async (serviceId, version, connectionCount, context) => {
    const request = { serviceId, serviceRevision: BigInt(version), connectionCount: BigInt(connectionCount) };
    await provider.confirmServiceTeardown(request, context);
  },
  explainAdmission: async ({ endpointType, addressType, zoneIds, ...applicant }, context) => {
    const types = { endpointType: EndpointType[endpointType], addressType: AddressType[addressType] };
    const request = { ...applicant, ...types, zoneIds: [...zoneIds] };
    const { serviceRevision, payer, ...explained } = await provider.explainAdmission(request, context);
    if (explained.serviceId === '') return null;
    return { ...explained, serviceVersion: Number(serviceRevision), payer: enumName(Payer, payer) ?? 'ENDPOINT' };
  },
  resourcesOf: async (serviceId, context) => {
    const pages: ListResourcesResponse[] = [];
    for (let pageToken = ''; pages.length === 0 || pageToken !== ''; pageToken = pages.at(-1)?.nextPageToken ?? '') {
      pages.push(await provider.listResources({ serviceId, pageSize: LARGE_PAGE, pageToken }, context));
    }
    return {
      // What a later page knows besides is of a later version.
      version: Number(pages[0]?.serviceRevision),
      resources: pages.flatMap(({ resources }) =>
        resources.map(({ resourceId, zoneId, targets, vpcId, proxyProtocol, autoAllocated }) => {
          return { resourceId, zoneId, targets, vpcId, proxyProtocol, autoAllocated };
        }),
      ),
    };
  },
});
