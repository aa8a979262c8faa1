import { assertNever } from '@privatelink/shared/eventing/never';
import { attachmentOf, type Endpoint, type EndpointEvent, type EndpointZone, type Resource } from './endpoint.ts';

export const initialEndpoint: Endpoint = {
  status: null,
  version: 0,
  endpointId: '',
  accountId: '',
  endpointType: 'INTERFACE',
  vpcId: '',
  regionId: '',
  zones: [],
  securityGroupIds: [],
  addressType: 'IPV4',
  description: '',
  protected: false,
  tags: [],
  policy: '',
  customDomains: null,
  zoneAffinity: false,
  targets: [],
  admission: {
    serviceId: '',
    serviceName: '',
    serviceAccountId: '',
    serviceRegion: '',
    serviceVersion: 0,
    payer: 'ENDPOINT',
    autoAccept: false,
    approvalTtlMs: null,
    resources: [],
    bandwidthTerms: null,
  },
  creator: '',
  lock: null,
  financialLocks: {},
  paymentsRevision: 0,
  attachments: {},
  ipv6ReservationId: '',
  removing: [],
  retiring: [],
  unreleased: [],
  abandoned: [],
  untold: null,
  unconfirmed: null,
  deletion: null,
  createdAt: '',
  updatedAt: '',
};

export const evolve = (before: Endpoint, event: EndpointEvent): Endpoint => {
  const { at } = event.data;
  const moved = 'move' in event.data ? event.data.move : null;
  const version = before.version + 1;
  const after = { ...before, version, status: moved?.to ?? before.status, updatedAt: at };
  switch (event.type) {
    case 'EndpointCreated': {
      const { actor: creator, at: _at, move: _move, ...particulars } = event.data;
      return { ...after, ...particulars, creator, createdAt: at };
    }
    case 'DescriptionChanged':
      return { ...after, description: event.data.description };
    case 'TagsChanged':
      return { ...after, tags: event.data.tags };
    case 'ProtectionChanged':
      return { ...after, protected: event.data.protected };
    case 'ZoneAdded': {
      const { zone, resources, actor } = event.data;
      const zones = [...before.zones, zone].toSorted(byZone);
      return { ...after, zones, untold: untoldAfter(before, version, actor, resources), unconfirmed: version };
    }
    case 'ZoneRemovalStarted': {
      const { eniId, actor } = event.data;
      const isIt = (zone: EndpointZone): boolean => zone.eniId === eniId;
      return {
        ...after,
        zones: before.zones.filter((zone) => !isIt(zone)),
        removing: [...before.removing, ...before.zones.filter(isIt)],
        untold: untoldAfter(before, version, actor),
        unconfirmed: version,
      };
    }
    case 'SecurityGroupAttached': {
      const { securityGroupId, attachmentId, actor } = event.data;
      return {
        ...after,
        ...boundAnew(before, version, actor),
        securityGroupIds: [...before.securityGroupIds, securityGroupId],
        attachments: { ...before.attachments, [securityGroupId]: attachmentId },
      };
    }
    case 'SecurityGroupDetached': {
      const { securityGroupId, attachmentId, actor } = event.data;
      const { [securityGroupId]: _detached, ...attachments } = before.attachments;
      return {
        ...after,
        ...boundAnew(before, version, actor),
        securityGroupIds: before.securityGroupIds.filter((id) => id !== securityGroupId),
        attachments,
        unreleased: [...before.unreleased, attachmentId],
      };
    }
    case 'PolicyChanged':
      return { ...after, policy: event.data.policy };
    case 'ZoneAffinityChanged': {
      const { zoneAffinity, actor } = event.data;
      return { ...after, zoneAffinity, untold: untoldAfter(before, version, actor), unconfirmed: version };
    }
    case 'CustomDomainsEnabled': {
      const { reservationId, domainNames, actor } = event.data;
      const customDomains = { reservationId, domainNames };
      return { ...after, customDomains, untold: untoldAfter(before, version, actor), unconfirmed: version };
    }
    case 'CustomDomainsDisabled': {
      const { reservationId, actor } = event.data;
      const retiring = [...before.retiring, reservationId];
      const untold = untoldAfter(before, version, actor);
      return { ...after, customDomains: null, retiring, untold, unconfirmed: version };
    }
    case 'DualStackEnabled': {
      const { reservationId, addresses, actor } = event.data;
      const zones = before.zones.map((zone) => {
        const given = addresses.find(({ eniId }) => eniId === zone.eniId);
        return given ? { ...zone, ipv6: given.ipv6 } : zone;
      });
      const dualStack = { addressType: 'DUAL_STACK', ipv6ReservationId: reservationId, zones } as const;
      return { ...after, ...dualStack, untold: untoldAfter(before, version, actor), unconfirmed: version };
    }
    case 'EndpointLocked': {
      const { message, actor } = event.data;
      return { ...after, lock: { message, at }, untold: untoldAfter(before, version, actor) };
    }
    case 'EndpointUnlocked':
      return { ...after, lock: null, untold: untoldAfter(before, version, event.data.actor) };
    case 'FinancialLockPlaced': {
      const { source, message, revision } = event.data;
      const financialLocks = { ...before.financialLocks, [source]: { message, at } };
      return { ...after, financialLocks, paymentsRevision: revision };
    }
    case 'FinancialLockLifted': {
      const { [event.data.source]: _lifted, ...financialLocks } = before.financialLocks;
      return { ...after, financialLocks, paymentsRevision: event.data.revision };
    }
    case 'ConnectionInformed':
      return { ...after, untold: null };
    case 'ChangeCompleted': {
      const isTold = before.untold !== null && before.untold.version <= event.data.version;
      return {
        ...after,
        removing: [],
        retiring: [],
        unreleased: [...before.unreleased, ...before.removing.map(({ eniId }) => eniId), ...before.retiring],
        untold: isTold ? null : before.untold,
        unconfirmed: null,
      };
    }
    case 'PartsReleased': {
      const { partIds } = event.data;
      return { ...after, unreleased: before.unreleased.filter((id) => !partIds.includes(id)) };
    }
    case 'PartAbandoned':
      return { ...after, abandoned: [...before.abandoned, event.data.partId] };
    case 'DeletionStarted':
      return { ...after, deletion: { actor: event.data.actor, at } };
    case 'EndpointActivated':
    case 'EndpointDeleted':
      return after;
    case 'EndpointCreationAbandoned': {
      const { endpointId, vpcId, serviceId } = event.data;
      return { ...after, endpointId, vpcId, admission: { ...after.admission, serviceId } };
    }
    default:
      return assertNever(event);
  }
};

const byZone = (a: EndpointZone, b: EndpointZone): number => (a.zoneId < b.zoneId ? -1 : 1);

const untoldAfter = ({ untold }: Endpoint, version: number, actor: string, added: readonly Resource[] = []) => ({
  version,
  actor,
  resources: [...(untold?.resources ?? []), ...added],
});

/** Who is let in, or what the provider may connect to, is what security groups say: the broker is told. */
const boundAnew = (before: Endpoint, version: number, actor: string): Partial<Endpoint> => ({
  untold: untoldAfter(before, version, actor),
  unconfirmed: version,
});

/** Whether the endpoint needs this part of its reservation, or has it released itself. */
export const knowsPart = (endpoint: Endpoint, partId: string): boolean =>
  [...endpoint.zones, ...endpoint.removing].some(({ eniId }) => eniId === partId) ||
  endpoint.securityGroupIds.some((id) => attachmentOf(endpoint, id) === partId) ||
  endpoint.customDomains?.reservationId === partId ||
  endpoint.ipv6ReservationId === partId ||
  endpoint.retiring.includes(partId) ||
  endpoint.unreleased.includes(partId);
