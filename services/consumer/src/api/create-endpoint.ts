import { Payer } from '@privatelink/proto/common/v1/common';
import type { CreateEndpointRequest } from '@privatelink/proto/consumer/v1/consumer_service';
import { resourceId } from '@privatelink/shared/app/event-id';
import { failpoint } from '@privatelink/shared/app/failpoint';
import type { Outcome } from '@privatelink/shared/app/repository';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { enumName } from '@privatelink/shared/grpc/enums';
import { toTags } from '@privatelink/shared/grpc/tags';
import type { ProviderPort } from '../dispatch/provider.ts';
import { requireInterface, requireTargets, requireZoneCount } from '../endpoint/endpoint.changes.ts';
import { noVerifiedDomain, reject } from '../endpoint/endpoint.rejections.ts';
import type { Endpoint, EndpointEvent } from '../endpoint/endpoint.ts';
import type { Repositories } from '../repositories.ts';
import { vpc as vpcDecider } from '../vpc/vpc.decide.ts';
import {
  type DomainReservation,
  type Reservation,
  reservationOf,
  reservedDomains,
  type Vpc,
  type VpcCommand,
} from '../vpc/vpc.ts';
import { canonicalPolicy, requestedAddresses, toAddressType, toEndpointType } from './requests.ts';
import { requireOwnVpc } from './visible.ts';

export type CreateEndpointDeps = Repositories & Readonly<{ provider: ProviderPort; clock: Clock }>;

/**
 * Creating an endpoint spans services, and each step can be the last one:
 * the provider service admits it, the VPC's ledger reserves all it needs, and its own first event is the commit.
 * What a failure or a crash leaves before that is released: here at once, or by the reconcilers.
 */
export const createEndpoint =
  ({ vpcs, endpoints, provider, clock }: CreateEndpointDeps) =>
  async (request: CreateEndpointRequest, rpc: RpcContext): Promise<Outcome<EndpointEvent, Endpoint>> => {
    const { vpcId } = request;
    const { accountId } = rpc.caller;
    const endpointId = resourceId('ep', rpc.command.requestId);
    const repeated = await endpoints.recall(endpointId, rpc.command);
    if (repeated) return repeated;

    const reserveAll = async (command: Reserve): Promise<Reservation | null> => {
      const context = { ...rpc.command, requestId: `${rpc.command.requestId}/reserve` };
      const guard = ({ state }: { state: Vpc }) => requireOwnVpc(state, rpc);
      const { latest } = await vpcs.execute(vpcId, command, context, { guard });
      return reservationOf(latest.state, endpointId);
    };

    const ledger = (await vpcs.fold(vpcId)).state;
    requireOwnVpc(ledger, rpc);
    const endpointType = toEndpointType(request.endpointType);
    const addressType = toAddressType(request.addressType);
    const policy = canonicalPolicy(request.policy);
    requireZoneCount(endpointType, request.zones.length, 'zones');
    requireInterface(endpointType, 'policy', policy !== '');
    requireInterface(endpointType, 'custom_domain_enabled', request.customDomainEnabled ?? false);
    requireInterface(endpointType, 'zone_affinity', request.zoneAffinity ?? false);
    requireTargets(endpointType, request.targets.length, 'targets');
    const reserve = reservation(request, endpointId);
    // What the VPC refuses anyway must not take a slot at the service first.
    vpcDecider.decide(reserve, ledger, clock.now().toISOString());

    const applicant = {
      service: request.service,
      endpointId,
      accountId,
      endpointType,
      addressType,
      zoneIds: zonesOf(reserve, ledger),
      regionId: ledger.regionId,
      serviceRegion: request.serviceRegion ?? ledger.regionId,
    };
    const { snapshot: admission, customDomains, zoneAffinity } = await provider.admitEndpoint(applicant, rpc);
    await failpoint('createEndpoint:after-admission');
    const release = async (error: unknown): Promise<never> => {
      // Best effort: when this fails too, the provider service asks about the slot itself.
      await provider.releaseAdmission(admission.serviceId, endpointId, rpc).catch(() => undefined);
      throw error;
    };
    const expectedPayer = enumName(Payer, request.expectedPayer) ?? admission.payer;
    if (admission.payer !== expectedPayer) {
      const facts = { payer: admission.payer, expected: expectedPayer, field: 'expected_payer' };
      await release(reject('PAYER_MISMATCH', facts));
    }
    if (request.customDomainEnabled && customDomains.length === 0) await release(noVerifiedDomain(admission.serviceId));
    const reservationId = resourceId('cdr', rpc.command.requestId, endpointId);
    const wanted = request.customDomainEnabled ? { reservationId, domainNames: customDomains } : null;
    const reserved = await reserveAll(admitted(reserve, admission.serviceId, wanted)).catch(release);
    await failpoint('createEndpoint:after-reservation');
    const data = {
      ...{ endpointId, accountId, endpointType, vpcId, regionId: ledger.regionId, admission },
      zones: reserved?.zones ?? [],
      securityGroupIds: Object.values(reserved?.securityGroups ?? {}),
      addressType,
      customDomains: reservedDomains(reserved, reservationId),
      zoneAffinity: endpointType === 'INTERFACE' && (request.zoneAffinity ?? zoneAffinity),
      targets: reserve.data.targets,
      description: request.description,
      protected: request.protected,
      tags: toTags(request.tags),
      policy,
      actor: rpc.actor,
    };
    return endpoints.execute(endpointId, { type: 'CreateEndpoint', data }, rpc.command);
  };

type Reserve = Extract<VpcCommand, { type: 'ReserveEndpoint' }>;

const reservation = (
  { endpointType, addressType, zones, securityGroupIds, targets }: CreateEndpointRequest,
  endpointId: string,
): Reserve => ({
  type: 'ReserveEndpoint',
  data: {
    endpointId,
    endpointType: toEndpointType(endpointType),
    serviceId: '',
    zones: zones.map((zone) => ({
      ...{ zoneId: zone.zoneId, vswitchId: zone.vswitchId },
      eniId: resourceId('eni', endpointId, zone.vswitchId),
      ...requestedAddresses(zone),
    })),
    securityGroupIds,
    customDomains: null,
    dualStack: toAddressType(addressType) === 'DUAL_STACK',
    targets: targets.map(({ ip, port }) => ({ ip, port })),
  },
});

/** With what only the service could say. */
const admitted = (reserve: Reserve, serviceId: string, customDomains: DomainReservation | null): Reserve => ({
  ...reserve,
  data: { ...reserve.data, serviceId, customDomains },
});

/** A zone may be given by its vSwitch alone. */
const zonesOf = ({ data }: Reserve, ledger: Vpc): readonly string[] =>
  data.zones.map(({ zoneId, vswitchId }) => zoneId || (ledger.vswitches[vswitchId]?.zoneId ?? ''));
