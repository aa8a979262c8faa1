import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { type Transition, type TransitionRow, transitionBy } from '@privatelink/shared/eventing/transition-table';

/** Nobody is shown `GONE` (it was deleted) and `ABANDONED` (it never existed and never will). */
export type EndpointStatus = 'CREATING' | 'CHANGING' | 'ACTIVE' | 'DELETING' | 'GONE' | 'ABANDONED';

type On =
  | 'created'
  | 'activated'
  | 'changeStarted'
  | 'changeCompleted'
  | 'deletionStarted'
  | 'deletionCompleted'
  | 'abandoned';

export const endpointTransitions: readonly TransitionRow<EndpointStatus, On>[] = [
  { from: [null], on: 'created', to: 'CREATING', because: 'it is admitted and all it needs is reserved' },
  { from: ['CREATING'], on: 'activated', to: 'ACTIVE', because: 'its network interfaces exist' },
  {
    from: ['ACTIVE'],
    on: 'changeStarted',
    to: 'CHANGING',
    because: 'its zones, addresses, security groups, names or policy change',
  },
  { from: ['CHANGING'], on: 'changeCompleted', to: 'ACTIVE', because: 'its connection has the newest change' },
  {
    from: ['CREATING', 'ACTIVE', 'CHANGING'],
    on: 'deletionStarted',
    to: 'DELETING',
    because: 'its owner deletes it',
  },
  { from: ['DELETING'], on: 'deletionCompleted', to: 'GONE', because: 'its connection and addresses are gone' },
  { from: [null], on: 'abandoned', to: 'ABANDONED', because: 'its creation stopped half-way and is undone' },
];

export const endpointMove = transitionBy(endpointTransitions);
export type Move = Transition<EndpointStatus, On>;

export type EndpointType = 'INTERFACE' | 'GATEWAY_LOAD_BALANCER' | 'REVERSE';
export type AddressType = 'IPV4' | 'DUAL_STACK';
export type Payer = 'ENDPOINT' | 'ENDPOINT_SERVICE';
export type Tag = Readonly<{ key: string; value: string }>;
/** `ipv6` is empty unless dual stack. */
export type EndpointZone = Readonly<{ zoneId: string; vswitchId: string; eniId: string; ipv4: string; ipv6: string }>;
/** Where the provider of a REVERSE endpoint connects. */
export type Target = Readonly<{ ip: string; port: number }>;
export type Resource = Readonly<{
  resourceId: string;
  zoneId: string;
  targets: readonly Target[];
  vpcId: string;
  proxyProtocol: boolean;
}>;

type TrafficControlMode = 'SCALABILITY' | 'BANDWIDTH_LIMIT';
type Bandwidth = Readonly<{ mode: TrafficControlMode; limitMbps: number }>;
/** What the connection may carry, and may be set to. */
type BandwidthTerms = Readonly<{
  connectBandwidth: Bandwidth;
  modes: readonly TrafficControlMode[];
  minMbps: number;
  maxMbps: number;
}>;

/** What the provider's service said when it admitted the endpoint. */
export type AdmissionSnapshot = Readonly<{
  serviceId: string;
  serviceName: string;
  serviceAccountId: string;
  serviceRegion: string;
  /** Version of the service: whoever has this snapshot needs its later facts. */
  serviceVersion: number;
  payer: Payer;
  autoAccept: boolean;
  /** How long the automatic acceptance lasts; null for ever. */
  approvalTtlMs: number | null;
  /** Those that may serve the endpoint's zones; of another region than the service's, those of all zones. */
  resources: readonly Resource[];
  /** Null where bandwidth cannot be set. */
  bandwidthTerms: BandwidthTerms | null;
}>;

type Particulars = Readonly<{
  endpointId: string;
  accountId: string;
  endpointType: EndpointType;
  vpcId: string;
  /** The VPC's. */
  regionId: string;
  zones: readonly EndpointZone[];
  securityGroupIds: readonly string[];
  addressType: AddressType;
  description: string;
  protected: boolean;
  /** Sorted by key. */
  tags: readonly Tag[];
  /** Canonical JSON; empty allows everything. */
  policy: string;
  /** Names of the service's that it has inside its VPC; null where it has none. */
  customDomains: DomainReservation | null;
  /** Its names answer clients in a zone with that zone's address, others only if it is down. */
  zoneAffinity: boolean;
  /** Of a REVERSE endpoint, for good. */
  targets: readonly Target[];
  admission: AdmissionSnapshot;
}>;

type Reserved = Readonly<{ endpointId: string; vpcId: string; serviceId: string }>;
/** As the VPC's ledger has them reserved: each try to become dual stack is another reservation. */
export type Ipv6Reservation = Readonly<{
  reservationId: string;
  addresses: readonly Readonly<{ eniId: string; ipv6: string }>[];
}>;
/** As the VPC's ledger has them reserved: switched on again, they are another reservation. */
export type DomainReservation = Readonly<{ reservationId: string; domainNames: readonly string[] }>;
type Attachment = Readonly<{ securityGroupId: string; attachmentId: string }>;
type Done = Readonly<{ actor: string; at: string }>;
/** `move` is null where the endpoint is changing already. */
type Changed = Done & Readonly<{ move: Move | null }>;

export type EndpointEvent =
  | Ev<'EndpointCreated', Particulars & Done & { move: Move }>
  | Ev<'EndpointActivated', { at: string; move: Move }>
  | Ev<'DescriptionChanged', Done & { description: string }>
  | Ev<'TagsChanged', Done & { tags: readonly Tag[] }>
  | Ev<'ProtectionChanged', Done & { protected: boolean }>
  | Ev<'ZoneAdded', Changed & { zone: EndpointZone; resources: readonly Resource[] }>
  | Ev<'ZoneRemovalStarted', Changed & { zoneId: string; eniId: string }>
  | Ev<'SecurityGroupAttached', Changed & Attachment>
  | Ev<'SecurityGroupDetached', Changed & Attachment>
  | Ev<'PolicyChanged', Changed & { policy: string }>
  | Ev<'ZoneAffinityChanged', Changed & { zoneAffinity: boolean }>
  | Ev<'CustomDomainsEnabled', Changed & DomainReservation>
  | Ev<'CustomDomainsDisabled', Changed & { reservationId: string }>
  | Ev<'DualStackEnabled', Changed & Ipv6Reservation>
  | Ev<'EndpointLocked', Done & { message: string }>
  | Ev<'EndpointUnlocked', Done>
  /** `revision`: the connection's, by which it is held so or not any more. */
  | Ev<'FinancialLockPlaced', { source: string; message: string; revision: number; at: string }>
  | Ev<'FinancialLockLifted', { source: string; revision: number; at: string }>
  | Ev<'ConnectionInformed', { version: number; at: string }>
  | Ev<'ChangeCompleted', { version: number; at: string; move: Move }>
  | Ev<'PartsReleased', { partIds: readonly string[]; at: string }>
  | Ev<'PartAbandoned', { partId: string; at: string }>
  | Ev<'DeletionStarted', Done & { move: Move }>
  | Ev<'EndpointDeleted', { at: string; move: Move }>
  | Ev<'EndpointCreationAbandoned', Reserved & { at: string; move: Move }>;

export type Endpoint = Particulars &
  Readonly<{
    status: EndpointStatus | null;
    /** Counts the events: what the broker orders this endpoint's changes by. */
    version: number;
    /** Who created it. */
    creator: string;
    /** What an operator locked it for, and when; null when it is not. */
    lock: Readonly<{ message: string; at: string }> | null;
    /** Overdue payments of its own, by `<source of the report>:<scope>`. */
    financialLocks: Readonly<Record<string, Readonly<{ message: string; at: string }>>>;
    /** Revision of the connection that the payments are as of. */
    paymentsRevision: number;
    /** Attachment of each security group that was attached later; the others are their own. */
    attachments: Readonly<Record<string, string>>;
    /** By which the VPC's ledger has the IPv6 addresses that came later; empty where none did. */
    ipv6ReservationId: string;
    /** Zones that go once the connection has let them go. */
    removing: readonly EndpointZone[];
    /** Reservations of custom domains that go once the connection has let the names go. */
    retiring: readonly string[];
    /** What the VPC's ledger still reserves and the endpoint needs no more. */
    unreleased: readonly string[];
    /** What was reserved and will never be added: its request stopped half-way. */
    abandoned: readonly string[];
    /** Newest version that the broker is to be told of, with the resources of the zones added since it was last. */
    untold: Readonly<{ version: number; actor: string; resources: readonly Resource[] }> | null;
    /** Version of the newest change of zones or names, until the connection has it. */
    unconfirmed: number | null;
    /** Who started it, and when; null before. */
    deletion: Readonly<Done> | null;
    createdAt: string;
    updatedAt: string;
  }>;

export type Overdue = Readonly<{ source: string; message: string }>;

/** Addresses that a zone shall have; empty: any. */
type Requested = Readonly<{ requestedIpv4: string; requestedIpv6: string }>;

export type EndpointCommand =
  | Cmd<'CreateEndpoint', Particulars & { actor: string }>
  | Cmd<'ActivateEndpoint', object>
  | Cmd<
      'UpdateEndpoint',
      {
        description: string | null;
        tags: readonly Tag[] | null;
        protected: boolean | null;
        /** `off`: it has none any more. */
        customDomains: DomainReservation | 'off' | null;
        zoneAffinity: boolean | null;
        /** Dual stack with these addresses, or as it is: there is no way back to `IPV4`. */
        addressType: Ipv6Reservation | 'IPV4' | null;
        actor: string;
      }
    >
  | Cmd<'AddZone', Requested & { zone: EndpointZone; resources: readonly Resource[]; actor: string }>
  /** `disabledZoneIds`: those that the provider has switched off, as far as that is known. */
  | Cmd<'RemoveZone', { zoneId: string; vswitchId: string; disabledZoneIds: readonly string[]; actor: string }>
  | Cmd<'AttachSecurityGroup', Attachment & { actor: string }>
  | Cmd<'DetachSecurityGroup', { securityGroupId: string; actor: string }>
  | Cmd<'SetPolicy', { policy: string; actor: string }>
  | Cmd<'LockEndpoint', { message: string; actor: string }>
  | Cmd<'UnlockEndpoint', { actor: string }>
  /** All payments that are overdue as of a revision of the connection. */
  | Cmd<'RecordPayments', { overdue: readonly Overdue[]; revision: number }>
  | Cmd<'RecordConnectionInformed', { version: number }>
  | Cmd<'CompleteChange', { version: number }>
  | Cmd<'RecordPartsReleased', { partIds: readonly string[] }>
  | Cmd<'AbandonPart', { partId: string }>
  /** `closingId`: what the VPC's ledger keeps routes away by; empty where none can lead to the endpoint. */
  | Cmd<'DeleteEndpoint', { actor: string; closingId: string }>
  | Cmd<'CompleteDeletion', object>
  | Cmd<'AbandonCreation', Reserved>;

/** What this security group is called in the VPC's ledger. */
export const attachmentOf = ({ attachments }: Endpoint, securityGroupId: string): string =>
  attachments[securityGroupId] ?? securityGroupId;
