import type { ZoneSpec } from '@privatelink/proto/consumer/v1/consumer_service';
import { resourceId } from '@privatelink/shared/app/event-id';
import { failpoint } from '@privatelink/shared/app/failpoint';
import type { Folded } from '@privatelink/shared/app/fold';
import { checkRevision } from '@privatelink/shared/app/plan-batch';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import type { ProviderPort } from '../dispatch/provider.ts';
import { endpoint as endpointDecider } from '../endpoint/endpoint.decide.ts';
import { noVerifiedDomain, reject } from '../endpoint/endpoint.rejections.ts';
import type { Endpoint, EndpointCommand, EndpointZone, Resource } from '../endpoint/endpoint.ts';
import type { Repositories } from '../repositories.ts';
import { vpc as vpcDecider } from '../vpc/vpc.decide.ts';
import { entryOf, reservationOf, reservedDomains, reservedIpv6, type Vpc, type VpcCommand } from '../vpc/vpc.ts';
import type { Changed, EndpointChanges, EndpointMutation } from './endpoint-changes.ts';
import { requestedAddresses } from './requests.ts';
import { requireOwnEndpoint } from './visible.ts';

export type ReservedChangeDeps = Repositories & Readonly<{ provider: ProviderPort; clock: Clock }>;

/**
 * Changes that take up more of the VPC. Its ledger reserves that first, and the endpoint's own event is the commit.
 * What a failure or a crash leaves reserved before that is released by the reservation's reconciler; never here, since
 * another try of the same request may be about to commit.
 */
export const reservedChanges = (
  { vpcs, endpoints, provider, clock }: ReservedChangeDeps,
  { change }: EndpointChanges,
) => {
  /** The endpoint, and its VPC's ledger; or the first outcome, where the request was made before. */
  const read = async (request: EndpointMutation, rpc: RpcContext) => {
    const folded = await endpoints.fold(request.endpointId);
    requireOwnEndpoint(folded.state, rpc);
    const repeated = await endpoints.recall(request.endpointId, rpc.command);
    if (repeated) return { repeated };
    checkRevision(request.expectedRevision, folded);
    return { folded, ledger: (await vpcs.fold(folded.state.vpcId)).state };
  };

  /** Whether the command changes anything. */
  const wouldChange = (command: EndpointCommand, { state }: Folded<Endpoint>): boolean =>
    endpointDecider.decide(command, state, clock.now().toISOString()).length > 0;

  /** What the VPC refuses anyway must not be asked of the service first. */
  const requireRoom = (command: VpcCommand, ledger: Vpc): void => {
    vpcDecider.decide(command, ledger, clock.now().toISOString());
  };

  const reserve = async (vpcId: string, command: VpcCommand, rpc: RpcContext, step = 'reserve'): Promise<Vpc> => {
    const context: CommandContext = { ...rpc.command, requestId: `${rpc.command.requestId}/${step}` };
    return (await vpcs.execute(vpcId, command, context)).latest.state;
  };

  return {
    addZone: async (request: EndpointMutation, spec: ZoneSpec, rpc: RpcContext): Promise<Changed> => {
      const { repeated, folded, ledger } = await read(request, rpc);
      if (repeated) return repeated;
      const { endpointId, accountId, endpointType, vpcId, regionId, addressType, admission } = folded.state;
      const { vswitchId } = spec;
      const requested = requestedAddresses(spec);
      const zoneId = spec.zoneId || (entryOf(ledger.vswitches, vswitchId)?.zoneId ?? '');
      const eniId = resourceId('eni', rpc.command.requestId, endpointId);
      const add = (zone: EndpointZone, resources: readonly Resource[]): EndpointCommand => ({
        type: 'AddZone',
        data: { zone, ...requested, resources, actor: rpc.actor },
      });
      const dualStack = addressType === 'DUAL_STACK';
      // Which addresses it will have is not known yet.
      const outline = { zoneId, vswitchId, eniId, ipv4: '', ipv6: dualStack ? '::' : '' };
      if (!wouldChange(add(outline, []), folded)) return unchanged(folded);

      const zone = { zoneId: spec.zoneId, vswitchId, eniId, ...requested };
      const command: VpcCommand = { type: 'ReserveZone', data: { endpointId, zone, dualStack } };
      requireRoom(command, ledger);
      const applicant = {
        service: admission.serviceId,
        endpointId,
        accountId,
        endpointType,
        addressType,
        zoneIds: [zoneId],
        ...{ regionId, serviceRegion: admission.serviceRegion },
      };
      const { resources } = (await provider.admitEndpoint(applicant, rpc)).snapshot;
      const after = await reserve(vpcId, command, rpc);
      await failpoint('addEndpointZone:after-reservation');
      const reserved = reservationOf(after, endpointId)?.zones.find((each) => each.eniId === eniId);
      if (!reserved) throw reject('ENDPOINT_CHANGE_ABANDONED', { endpoint_id: endpointId });
      return change(request, add(reserved, resources), rpc);
    },

    attachSecurityGroup: async (
      request: EndpointMutation,
      securityGroupId: string,
      rpc: RpcContext,
    ): Promise<Changed> => {
      const { repeated, folded, ledger } = await read(request, rpc);
      if (repeated) return repeated;
      const { endpointId, vpcId } = folded.state;
      const attachmentId = resourceId('sga', rpc.command.requestId, endpointId);
      const attach: EndpointCommand = {
        type: 'AttachSecurityGroup',
        data: { securityGroupId, attachmentId, actor: rpc.actor },
      };
      if (!wouldChange(attach, folded)) return unchanged(folded);

      const command: VpcCommand = {
        type: 'ReserveSecurityGroup',
        data: { endpointId, securityGroupId, attachmentId },
      };
      requireRoom(command, ledger);
      const after = await reserve(vpcId, command, rpc);
      await failpoint('attachSecurityGroup:after-reservation');
      const isReserved = entryOf(reservationOf(after, endpointId)?.securityGroups ?? {}, attachmentId);
      if (!isReserved) throw reject('ENDPOINT_CHANGE_ABANDONED', { endpoint_id: endpointId });
      return change(request, attach, rpc);
    },

    /** Custom domains, those that are verified now, and IPv6 addresses, together with whatever else the update says. */
    update: async (
      request: EndpointMutation,
      said: Extract<EndpointCommand, { type: 'UpdateEndpoint' }>['data'],
      wishes: Readonly<{ customDomains: boolean; dualStack: boolean }>,
      rpc: RpcContext,
    ): Promise<Changed> => {
      const { repeated, folded, ledger } = await read(request, rpc);
      if (repeated) return repeated;
      const { endpointId, accountId, endpointType, vpcId, regionId, admission } = folded.state;
      const update = (more: Partial<typeof said>): EndpointCommand => ({
        type: 'UpdateEndpoint',
        data: { ...said, ...more },
      });
      // What it has already is not said once more: by the time of the commit it may be released, and another's.
      const domains = wishes.customDomains && !folded.state.customDomains ? idOf('cdr', endpointId, rpc) : null;
      const addresses = wishes.dualStack && folded.state.addressType === 'IPV4' ? idOf('ip6', endpointId, rpc) : null;
      const outline = update({
        ...(domains && { customDomains: { reservationId: domains, domainNames: [] } }),
        ...(addresses && {
          addressType: {
            reservationId: addresses,
            addresses: folded.state.zones.map(({ eniId }) => ({ eniId, ipv6: '' })),
          },
        }),
      });
      // Refused before anything is taken up.
      wouldChange(outline, folded);
      if (!domains && !addresses) return change(request, outline, rpc);

      const ipv6: VpcCommand | null =
        addresses === null ? null : { type: 'ReserveIpv6', data: { endpointId, reservationId: addresses } };
      if (ipv6) requireRoom(ipv6, ledger);
      const addressType = addresses ? 'DUAL_STACK' : folded.state.addressType;
      const service = admission.serviceId;
      const regions = { regionId, serviceRegion: admission.serviceRegion };
      const applicant = { service, endpointId, accountId, endpointType, addressType, zoneIds: [], ...regions };
      const { customDomains: domainNames } = await provider.admitEndpoint(applicant, rpc);
      let after = ledger;
      if (domains) {
        if (domainNames.length === 0) throw noVerifiedDomain(service);
        const names: VpcCommand = {
          type: 'ReserveCustomDomains',
          data: { endpointId, reservationId: domains, domainNames },
        };
        requireRoom(names, ledger);
        after = await reserve(vpcId, names, rpc);
      }
      if (ipv6) after = await reserve(vpcId, ipv6, rpc, 'ipv6');
      await failpoint('updateEndpoint:after-reservation');
      const reservation = reservationOf(after, endpointId);
      const customDomains = domains && reservedDomains(reservation, domains);
      const dualStack = addresses && reservedIpv6(reservation, addresses);
      if ((domains && !customDomains) || (addresses && !dualStack)) {
        throw reject('ENDPOINT_CHANGE_ABANDONED', { endpoint_id: endpointId });
      }
      const reserved = { ...(customDomains && { customDomains }), ...(dualStack && { addressType: dualStack }) };
      return change(request, update(reserved), rpc);
    },
  };
};

/** Of what one request reserves for the endpoint. */
const idOf = (prefix: string, endpointId: string, rpc: RpcContext): string =>
  resourceId(prefix, rpc.command.requestId, endpointId);

const unchanged = (folded: Folded<Endpoint>): Changed => ({
  ...folded,
  events: [],
  latest: folded,
  repeated: false,
});
