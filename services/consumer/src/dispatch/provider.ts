import { AddressType, EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { Duration } from '@privatelink/proto/google/protobuf/duration';
import type { ProviderServiceService } from '@privatelink/proto/provider/v1/provider_service';
import { fromBandwidthTerms } from '@privatelink/shared/grpc/bandwidth';
import type { CallContext, RemoteService } from '@privatelink/shared/grpc/client';
import { enumName } from '@privatelink/shared/grpc/enums';
import type { AdmissionSnapshot, Endpoint, EndpointType as Type } from '../endpoint/endpoint.ts';

export type Applicant = Readonly<{
  service: string;
  endpointId: string;
  accountId: string;
  endpointType: Type;
  addressType: Endpoint['addressType'];
  zoneIds: readonly string[];
  /** Of the endpoint, and the one in which it looks for the service. */
  regionId: string;
  serviceRegion: string;
}>;

/** What the service is, and what names endpoints get from it now. */
export type Admission = Readonly<{
  snapshot: AdmissionSnapshot;
  customDomains: readonly string[];
  zoneAffinity: boolean;
}>;

/** What the consumer service asks of the provider service. Both calls may be repeated. */
export type ProviderPort = Readonly<{
  admitEndpoint: (applicant: Applicant, context: CallContext) => Promise<Admission>;
  releaseAdmission: (serviceId: string, endpointId: string, context: CallContext) => Promise<void>;
}>;

export const providerPort = (provider: RemoteService<typeof ProviderServiceService>): ProviderPort => ({
  admitEndpoint: async ({ endpointType, addressType, zoneIds, ...applicant }, context) => {
    const kind = { endpointType: EndpointType[endpointType], addressType: AddressType[addressType] };
    const request = { ...applicant, ...kind, zoneIds: [...zoneIds] };
    const { admission } = await provider.admitEndpoint(request, context);
    if (!admission) throw new Error('the provider service answered without an admission');
    const snapshot = {
      serviceId: admission.serviceId,
      serviceName: admission.serviceName,
      serviceAccountId: admission.serviceAccountId,
      serviceRegion: admission.serviceRegion,
      serviceVersion: Number(admission.serviceRevision),
      payer: enumName(Payer, admission.payer) ?? 'ENDPOINT',
      autoAccept: admission.autoAccept,
      approvalTtlMs: admission.approvalTtl ? toMs(admission.approvalTtl) : null,
      resources: admission.resources.map(({ resourceId, zoneId, targets, vpcId, proxyProtocol }) => {
        return { resourceId, zoneId, targets: targets.map(({ ip, port }) => ({ ip, port })), vpcId, proxyProtocol };
      }),
      bandwidthTerms: fromBandwidthTerms(admission.bandwidthTerms),
    };
    return { snapshot, customDomains: admission.customDomains, zoneAffinity: admission.zoneAffinity };
  },
  releaseAdmission: async (serviceId, endpointId, context) => {
    await provider.releaseAdmission({ serviceId, endpointId }, context);
  },
});

const toMs = ({ seconds, nanos }: Duration): number => Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
