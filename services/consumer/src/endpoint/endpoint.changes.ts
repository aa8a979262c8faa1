import { assertNever } from '@privatelink/shared/eventing/never';
import type { ConsumerQuotas } from '../vpc/quotas.ts';
import { locksOf } from './endpoint.locks.ts';
import { notFound, reject } from './endpoint.rejections.ts';
import {
  attachmentOf,
  type DomainReservation,
  type Endpoint,
  type EndpointCommand,
  type EndpointEvent,
  type EndpointType,
  type EndpointZone,
  type Ipv6Reservation,
  type Move,
  endpointMove as move,
  type Tag,
} from './endpoint.ts';

export type ChangeCommand = Extract<
  EndpointCommand,
  { type: 'UpdateEndpoint' | 'AddZone' | 'RemoveZone' | 'AttachSecurityGroup' | 'DetachSecurityGroup' | 'SetPolicy' }
>;
type Data<T extends ChangeCommand['type']> = Extract<ChangeCommand, { type: T }>['data'];

/** What an endpoint's owner changes of it. */
export const decideChange = (
  command: ChangeCommand,
  state: Endpoint,
  at: string,
  { securityGroupsPerEndpoint }: ConsumerQuotas,
): readonly EndpointEvent[] => {
  requireChangeable(state, command.data.actor);
  if (command.type === 'UpdateEndpoint') return update(state, command.data, at);
  if (state.status !== 'ACTIVE' && state.status !== 'CHANGING') throw notActive(state);
  switch (command.type) {
    case 'AddZone':
      return addZone(state, command.data, at);
    case 'RemoveZone':
      return removeZone(state, command.data, at);
    case 'AttachSecurityGroup': {
      const { securityGroupId, attachmentId } = command.data;
      if (state.endpointType === 'GATEWAY_LOAD_BALANCER') {
        const facts = { required: 'INTERFACE or REVERSE', given: state.endpointType, field: 'security_group_id' };
        throw reject('ENDPOINT_TYPE_MISMATCH', facts);
      }
      if (state.securityGroupIds.includes(securityGroupId)) return [];
      requireNotAbandoned(state, attachmentId);
      const current = state.securityGroupIds.length;
      if (current >= securityGroupsPerEndpoint) {
        const quota = { quota: 'security groups per endpoint', limit: String(securityGroupsPerEndpoint) };
        throw reject('QUOTA_EXCEEDED', { ...quota, current: String(current) });
      }
      return [{ type: 'SecurityGroupAttached', data: { ...command.data, at, move: changeMove(state) } }];
    }
    case 'DetachSecurityGroup': {
      const { securityGroupId } = command.data;
      if (!state.securityGroupIds.includes(securityGroupId)) return [];
      if (state.securityGroupIds.length === 1) {
        throw reject('LAST_SECURITY_GROUP', { security_group_id: securityGroupId, field: 'security_group_id' });
      }
      const attachmentId = attachmentOf(state, securityGroupId);
      return [{ type: 'SecurityGroupDetached', data: { ...command.data, attachmentId, at, move: changeMove(state) } }];
    }
    case 'SetPolicy': {
      requireInterface(state.endpointType, 'policy', command.data.policy !== '');
      if (command.data.policy === state.policy) return [];
      return [{ type: 'PolicyChanged', data: { ...command.data, at, move: changeMove(state) } }];
    }
    default:
      return assertNever(command);
  }
};

/** Only an INTERFACE endpoint has custom domains, zone affinity, and a policy other than the one that allows everything. */
export const requireInterface = (endpointType: EndpointType, field: string, isWanted: boolean): void => {
  if (isWanted && endpointType !== 'INTERFACE') {
    throw reject('ENDPOINT_TYPE_MISMATCH', { required: 'INTERFACE', given: endpointType, field });
  }
};

/** A next hop is one interface. */
export const requireZoneCount = (endpointType: EndpointType, count: number, field: string): void => {
  if (endpointType === 'GATEWAY_LOAD_BALANCER' && count !== 1) {
    throw reject('ZONE_COUNT', { endpoint_type: endpointType, required: '1', given: String(count), field });
  }
};

/** A REVERSE endpoint leads somewhere, and no other one does. */
export const requireTargets = (endpointType: EndpointType, count: number, field: string): void => {
  if (endpointType !== 'REVERSE' && count > 0) {
    throw reject('ENDPOINT_TYPE_MISMATCH', { required: 'REVERSE', given: endpointType, field });
  }
  if (endpointType === 'REVERSE' && count === 0) throw reject('TARGET_REQUIRED', { field });
};

/** While it is protected, only who created it does anything to it. */
export const requireCreator = ({ endpointId, protected: isProtected, creator }: Endpoint, actor: string): void => {
  if (isProtected && actor !== creator) throw reject('ENDPOINT_PROTECTED', { endpoint_id: endpointId });
};

const requireChangeable = (state: Endpoint, actor: string): void => {
  const { status, endpointId } = state;
  if (status === null || status === 'ABANDONED' || status === 'GONE') throw notFound();
  requireCreator(state, actor);
  if (status === 'DELETING') throw notActive(state);
  const [lock] = locksOf(state);
  if (!lock) return;
  const facts = { endpoint_id: endpointId, message: lock.message, business_status: lock.kind };
  throw reject('ENDPOINT_LOCKED', facts);
};

/** Neither is one that is being released added again: its request is an old one. */
export const requireNotAbandoned = (state: Endpoint, partId: string): void => {
  if ([...state.abandoned, ...state.retiring, ...state.unreleased].includes(partId)) throw abandoned(state);
};

const abandoned = ({ endpointId }: Endpoint) => reject('ENDPOINT_CHANGE_ABANDONED', { endpoint_id: endpointId });

export const notActive = ({ endpointId, status }: Endpoint) =>
  reject('ENDPOINT_NOT_ACTIVE', { endpoint_id: endpointId, status: String(status) });

/** Starts a change, unless one is under way already. */
const changeMove = ({ status }: Endpoint): Move | null =>
  status === 'ACTIVE' ? move(status, 'changeStarted', 'CHANGING') : null;

const update = (state: Endpoint, command: Data<'UpdateEndpoint'>, at: string): readonly EndpointEvent[] => {
  const { description, tags, protected: wanted, customDomains, zoneAffinity, addressType, actor } = command;
  const events: EndpointEvent[] = [];
  /** One move at most: with the first change that makes one. */
  const move = (): Move | null =>
    events.some((event) => 'move' in event.data && event.data.move) ? null : changeMove(state);
  if (description !== null && description !== state.description) {
    events.push({ type: 'DescriptionChanged', data: { description, actor, at } });
  }
  if (tags !== null && !isSame(tags, state.tags)) events.push({ type: 'TagsChanged', data: { tags, actor, at } });
  if (wanted !== null && wanted !== state.protected) {
    events.push({ type: 'ProtectionChanged', data: { protected: wanted, actor, at } });
  }
  if (zoneAffinity !== null && zoneAffinity !== state.zoneAffinity) {
    requireNamed(state, 'zone_affinity', zoneAffinity);
    events.push({ type: 'ZoneAffinityChanged', data: { zoneAffinity, actor, at, move: move() } });
  }
  if (addressType !== null) events.push(...enableDualStack(state, addressType, { actor, at, move: move() }));
  if (customDomains !== null) events.push(...switchDomains(state, customDomains, { actor, at, move: move() }));
  return events;
};

type Change = Readonly<{ actor: string; at: string; move: Move | null }>;

const enableDualStack = (
  state: Endpoint,
  wanted: Ipv6Reservation | 'IPV4',
  change: Change,
): readonly EndpointEvent[] => {
  if (wanted === 'IPV4') {
    if (state.addressType === 'IPV4') return [];
    throw reject('ADDRESS_TYPE_IRREVERSIBLE', { endpoint_id: state.endpointId, field: 'address_type' });
  }
  if (state.addressType === 'DUAL_STACK') return [];
  if (state.status !== 'ACTIVE' && state.status !== 'CHANGING') throw notActive(state);
  requireNotAbandoned(state, wanted.reservationId);
  // A zone came since the addresses were reserved.
  const isAddressed = ({ eniId }: EndpointZone): boolean => wanted.addresses.some((one) => one.eniId === eniId);
  if (!state.zones.every(isAddressed)) throw abandoned(state);
  return [{ type: 'DualStackEnabled', data: { ...change, ...wanted } }];
};

/** Names change while the endpoint is there, and only of those that have any. */
const requireNamed = (state: Endpoint, field: string, isWanted: boolean): void => {
  if (state.status !== 'ACTIVE' && state.status !== 'CHANGING') throw notActive(state);
  requireInterface(state.endpointType, field, isWanted);
};

const switchDomains = (
  state: Endpoint,
  wanted: DomainReservation | 'off',
  change: Change,
): readonly EndpointEvent[] => {
  if ((wanted === 'off') === (state.customDomains === null)) return [];
  requireNamed(state, 'custom_domain_enabled', wanted !== 'off');
  if (wanted !== 'off') {
    requireNotAbandoned(state, wanted.reservationId);
    return [{ type: 'CustomDomainsEnabled', data: { ...change, ...wanted } }];
  }
  const { reservationId = '' } = state.customDomains ?? {};
  return [{ type: 'CustomDomainsDisabled', data: { ...change, reservationId } }];
};

const isSame = (a: readonly Tag[], b: readonly Tag[]): boolean =>
  a.length === b.length && a.every(({ key, value }, index) => key === b[index]?.key && value === b[index]?.value);

const addZone = (state: Endpoint, command: Data<'AddZone'>, at: string): readonly EndpointEvent[] => {
  const { zone, requestedIpv4, requestedIpv6, resources, actor } = command;
  const facts = { zone_id: zone.zoneId, field: 'zone.zone_id' };
  const present = state.zones.find(({ zoneId }) => zoneId === zone.zoneId);
  if (present) {
    const hasAddresses = ['', present.ipv4].includes(requestedIpv4) && ['', present.ipv6].includes(requestedIpv6);
    if (present.vswitchId === zone.vswitchId && hasAddresses) return [];
    const there = { vswitch_id: present.vswitchId, ipv4_address: present.ipv4, ipv6_address: present.ipv6 };
    throw reject('ZONE_ALREADY_ADDED', { ...facts, ...there });
  }
  requireZoneCount(state.endpointType, state.zones.length + 1, 'zone');
  if (state.removing.some(({ zoneId }) => zoneId === zone.zoneId)) throw reject('ZONE_BEING_REMOVED', facts);
  requireNotAbandoned(state, zone.eniId);
  // It became dual stack since the zone was reserved.
  if (zone.ipv6 === '' && state.addressType === 'DUAL_STACK') throw abandoned(state);
  return [{ type: 'ZoneAdded', data: { zone, resources, actor, at, move: changeMove(state) } }];
};

const removeZone = (state: Endpoint, command: Data<'RemoveZone'>, at: string): readonly EndpointEvent[] => {
  const { zoneId, vswitchId, disabledZoneIds, actor } = command;
  const zone = state.zones.find(
    (each) => (zoneId === '' || each.zoneId === zoneId) && (vswitchId === '' || each.vswitchId === vswitchId),
  );
  if (!zone) return [];
  if (state.zones.length === 1) throw reject('LAST_ZONE', { zone_id: zone.zoneId });
  const isOff = (one: EndpointZone): boolean => disabledZoneIds.includes(one.zoneId);
  if (!isOff(zone) && state.zones.every((other) => other === zone || isOff(other))) {
    throw reject('LAST_ENABLED_ZONE', { zone_id: zone.zoneId });
  }
  const data = { zoneId: zone.zoneId, eniId: zone.eniId, actor, at, move: changeMove(state) };
  return [{ type: 'ZoneRemovalStarted', data }];
};
