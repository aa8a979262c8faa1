import type { Ev } from '@privatelink/shared/eventing/message';
import type { ConnectionStatus, Move } from './connection-status.ts';
import type { Decision, Held, HoldFact } from './holds.ts';

export type EndpointType = 'INTERFACE' | 'GATEWAY_LOAD_BALANCER' | 'REVERSE';
export type Payer = 'ENDPOINT' | 'ENDPOINT_SERVICE';
export type Resource = Readonly<{
  resourceId: string;
  zoneId: string;
  targets: readonly Readonly<{ ip: string; port: number }>[];
  vpcId: string;
  proxyProtocol: boolean;
}>;
export type RequestedZone = Readonly<{ zoneId: string; eniId: string; ipv4: string; ipv6: string }>;

export type TrafficControlMode = 'SCALABILITY' | 'BANDWIDTH_LIMIT';
/** `limitMbps` is 0 exactly where there is no limit. */
export type Bandwidth = Readonly<{ mode: TrafficControlMode; limitMbps: number }>;
/** What it gets at first, and may be set to: the service said so at admission. */
type BandwidthTerms = Readonly<{
  connectBandwidth: Bandwidth;
  modes: readonly TrafficControlMode[];
  minMbps: number;
  maxMbps: number;
}>;

/** Where one port of an interface accepts connections, `host:port`. */
export type Listener = Readonly<{ port: number; address: string }>;

/** Desired state of forwarding and names, as they were confirmed for a generation. */
export type Forwarding = 'CLOSED' | 'READY';
export type Names = 'WITHDRAWN' | 'PUBLISHED' | 'REMOVED';

/** Where the provider of a REVERSE endpoint connects; not `allowed`: the endpoint's security groups keep it away. */
export type Target = Readonly<{ ip: string; port: number; allowed: boolean }>;

/** About connections to an interface from its VPC: the first rule that is about one decides, and without any it is refused. */
export type IngressRule = Readonly<{ allowed: boolean; fromPort: number; toPort: number; sourceCidr: string }>;
export type Ingress = readonly IngressRule[];

export type Identity = Readonly<{
  endpointId: string;
  endpointAccountId: string;
  vpcId: string;
  endpointRegion: string;
  endpointType: EndpointType;
  serviceId: string;
  serviceName: string;
  serviceAccountId: string;
  serviceRegion: string;
  /** Version of the service at which the endpoint was admitted: later facts are applied. */
  serviceVersion: number;
  payer: Payer;
  /** Names that the endpoint has inside its VPC besides its own. */
  customDomains: readonly string[];
  /** Its names answer clients in a zone with that zone's address, others only if it is down. */
  zoneAffinity: boolean;
  /** Null where bandwidth cannot be set. */
  bandwidthTerms: BandwidthTerms | null;
  /** Of a REVERSE endpoint; each has its number, from 1, for good. */
  targets: readonly Target[];
}>;

export type ConnectionEvent =
  | Ev<
      'ConnectionRequested',
      Identity & { zones: readonly RequestedZone[]; resources: readonly Resource[]; at: string; move: Move }
    >
  | Ev<
      'ConnectionAccepted',
      { automatic: boolean; actor: string; message: string; expiresAt: string; at: string; move: Move | null }
    >
  | Ev<'ConnectionRejected', { actor: string; message: string; at: string; move: Move | null }>
  | Ev<'ApprovalExpired', { at: string; move: Move | null }>
  | Ev<'HoldPlaced', Omit<HoldFact, 'kind' | 'placed'> & { at: string; move: Move | null }>
  | Ev<'HoldLifted', Omit<HoldFact, 'kind' | 'placed'> & { at: string; move: Move | null }>
  | Ev<'ConnectingStarted', { at: string; move: Move }>
  | Ev<'ConnectionUpdated', { revision: number; resources: readonly Resource[]; actor: string; at: string }>
  | Ev<'EndpointInformed', { revision: number; at: string }>
  | Ev<'ZoneAdded', { zone: RequestedZone; at: string }>
  | Ev<'ZoneAddressesChanged', { zoneId: string; ipv4: string; ipv6: string; at: string }>
  | Ev<'ZoneRemovalStarted', { zoneId: string; at: string }>
  | Ev<'ZoneRemoved', { zoneId: string; at: string }>
  | Ev<'ZoneResourceUnassigned', { zoneId: string; at: string }>
  | Ev<'CustomDomainsChanged', { customDomains: readonly string[]; at: string }>
  | Ev<'ZoneAffinityChanged', { zoneAffinity: boolean; at: string }>
  | Ev<'BandwidthChanged', { bandwidth: Bandwidth; actor: string; at: string }>
  | Ev<'TargetsChanged', { targets: readonly Target[]; at: string }>
  | Ev<'IngressChanged', { ingress: Ingress | null; at: string }>
  | Ev<'ZoneEnabled', { zoneId: string; actor: string; at: string }>
  | Ev<'ZoneDisabled', { zoneId: string; actor: string; at: string }>
  | Ev<
      'ZoneMigrationStarted',
      { zoneId: string; resource: Resource; placement: number; force: boolean; actor: string; at: string }
    >
  | Ev<'ZoneMigrationCompleted', { zoneId: string; at: string }>
  | Ev<'ChangeStarted', { at: string; move: Move }>
  | Ev<'ChangeCompleted', { at: string; move: Move }>
  | Ev<'ZoneResourceAssigned', { zoneId: string; resource: Resource; placement: number; at: string }>
  | Ev<
      'ZoneConnected',
      { zoneId: string; generation: number; forwarder: string; listeners: readonly Listener[]; at: string }
    >
  | Ev<'ZoneDisconnected', { zoneId: string; generation: number; at: string }>
  | Ev<'ZoneHealthChanged', { zoneId: string; healthy: boolean; at: string }>
  | Ev<'BandwidthKeepingChanged', { zoneId: string; kept: boolean; at: string }>
  | Ev<'NamesPublished', { generation: number; at: string }>
  | Ev<'NamesWithdrawn', { generation: number; at: string }>
  | Ev<'NamesRemoved', { generation: number; at: string }>
  | Ev<'NamesGraceElapsed', { generation: number; at: string }>
  | Ev<'ConnectionEstablished', { factsSeen: Readonly<Record<string, number>>; at: string; move: Move }>
  | Ev<'DisconnectingStarted', { at: string; move: Move }>
  | Ev<'ConnectionDisconnected', { at: string; move: Move }>
  | Ev<'ServiceDeletionObserved', { revision: number; actor: string; at: string; move: Move }>
  | Ev<'TeardownConfirmed', { serviceId: string; at: string }>
  | Ev<'DeletionStarted', { actor: string; at: string; move: Move }>
  | Ev<'ConnectionDeleted', { endpointId: string; serviceId: string; at: string; move: Move }>;

export type Zone = RequestedZone &
  Readonly<{
    /** Switched on by the provider. */
    enabled: boolean;
    /** The endpoint does not have it any more; it is here until it is closed. */
    removing: boolean;
    resource: Resource | null;
    /** Orders what the zone's allocation says of it. */
    placement: number;
    /** It was put on another resource once: its allocation waits for it to arrive there. */
    moved: boolean;
    /**
     * On its way to its resource from an earlier one, or `done`: new flows go there, and old ones live on. `force`:
     * those to the earlier one end.
     */
    migration: Readonly<{ force: boolean; done: boolean }> | null;
    /** Last confirmation; null before the first. */
    forwarding: Readonly<{ state: Forwarding; generation: number }> | null;
    /** Whether its resource answers; true while that is not known. */
    healthy: boolean;
    /** Whether its agent keeps the bandwidth limit; true while that is not known. */
    bandwidthKept: boolean;
    /** What forwards it, and where it accepts connections: as last confirmed. */
    forwarder: string;
    listeners: readonly Listener[];
  }>;

export type Connection = Identity &
  Held &
  Readonly<{
    status: ConnectionStatus | null;
    statusAt: string;
    createdAt: string;
    /** Of an INTERFACE endpoint; null lets everything in. */
    ingress: Ingress | null;
    /** No event is taken for earlier than one before it. */
    latestAt: string;
    generation: number;
    decision: Decision;
    decisionMessage: string;
    /** When the acceptance runs out; empty when it does not. */
    expiresAt: string;
    /** Key → highest revision seen of its facts, also of those that changed nothing any more. */
    seen: Readonly<Record<string, number>>;
    /** How much it may carry; null where that cannot be set. */
    bandwidth: Bandwidth | null;
    /** Resources that may serve the zones, as admitted; of an endpoint of another region, those of all zones. */
    resources: readonly Resource[];
    zones: Readonly<Record<string, Zone>>;
    /** Zones that the endpoint had once and has not now. */
    formerZones: readonly string[];
    /** Zone id → interface that it had: zones that are gone, and whose resource is not given back yet. */
    unreturned: Readonly<Record<string, string>>;
    /** Custom domains that were taken away, until DNS has none of them any more. */
    formerDomains: readonly string[];
    /** Revision of the endpoint that was taken in last, and the one that it was told is done. */
    endpointRevision: number;
    informedRevision: number;
    /** How often the health of zones has changed. */
    healthRevision: number;
    names: Readonly<{ state: Names; generation: number; healthRevision: number }> | null;
    /** Generation whose teardown waits for names no longer. */
    namesGraceOver: number | null;
    /** Of a deleted service's connection. */
    teardown: 'PENDING' | 'DONE' | null;
  }>;

export const initialConnection: Connection = {
  status: null,
  statusAt: '',
  createdAt: '',
  latestAt: '',
  endpointId: '',
  endpointAccountId: '',
  vpcId: '',
  endpointRegion: '',
  endpointType: 'INTERFACE',
  serviceId: '',
  serviceName: '',
  serviceAccountId: '',
  serviceRegion: '',
  serviceVersion: 0,
  payer: 'ENDPOINT',
  customDomains: [],
  zoneAffinity: false,
  bandwidthTerms: null,
  bandwidth: null,
  targets: [],
  ingress: null,
  generation: 0,
  decision: 'AWAITING',
  decisionHold: null,
  decisionMessage: '',
  expiresAt: '',
  holds: {},
  seen: {},
  resources: [],
  zones: {},
  formerZones: [],
  unreturned: {},
  formerDomains: [],
  endpointRevision: 0,
  informedRevision: 0,
  healthRevision: 0,
  names: null,
  namesGraceOver: null,
  teardown: null,
};

/** Only these endpoints have names. */
export const hasNames = ({ endpointType }: Pick<Connection, 'endpointType'>): boolean => endpointType === 'INTERFACE';

/** Of these a zone of the service serves each zone. */
export const isCrossRegion = ({ endpointRegion, serviceRegion }: Pick<Identity, 'endpointRegion' | 'serviceRegion'>) =>
  endpointRegion !== serviceRegion;

/** The service's zone whose resource serves a zone; null where it is not known yet. */
export const serviceZoneOf = (connection: Connection, { zoneId, resource }: Zone): string | null =>
  isCrossRegion(connection) ? (resource?.zoneId ?? null) : zoneId;

/** Of these the provider starts the connections. */
export const isReverse = ({ endpointType }: Pick<Connection, 'endpointType'>): boolean => endpointType === 'REVERSE';
