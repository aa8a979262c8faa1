import type { Cmd } from '@privatelink/shared/eventing/message';
import type {
  Bandwidth,
  Forwarding,
  Identity,
  Ingress,
  Listener,
  Names,
  RequestedZone,
  Resource,
  Target,
} from './connection.ts';
import type { Fact } from './holds.ts';

export type Progress = Readonly<{
  generation: number;
  assigned: readonly Readonly<{ zoneId: string; resource: Resource; placement: number }>[];
  zones: readonly Readonly<{
    zoneId: string;
    state: Forwarding;
    forwarder: string;
    listeners: readonly Listener[];
  }>[];
  names: Names | null;
  /** By which health of the zones they were put. */
  healthRevision: number;
  /** Names have had their time: forwarding closes without them. */
  namesGraceOver: boolean;
  /** Scope → version of its facts that the connection has applied; null: not looked at, which establishes nothing. */
  factsSeen: Readonly<Record<string, number>> | null;
}>;

/** What the endpoint is by now, as a whole. */
export type Update = Readonly<{
  revision: number;
  zones: readonly RequestedZone[];
  /** Those that may serve the zones added. */
  resources: readonly Resource[];
  customDomains: readonly string[];
  zoneAffinity: boolean;
  targets: readonly Target[];
  ingress: Ingress | null;
  securityLocked: boolean;
  actor: string;
  message: string;
}>;

/** Where a zone's allocation has it. */
export type ZoneMove = Readonly<{ zoneId: string; resource: Resource; placement: number; force: boolean }>;

/** What an agent sees of a zone; `bandwidthKept` is null where it says nothing of that. */
export type ZoneHealth = Readonly<{ zoneId: string; healthy: boolean; bandwidthKept: boolean | null }>;

export type Side = 'CONSUMER' | 'PROVIDER';

export type ConnectionCommand =
  | Cmd<
      'RequestConnection',
      Identity & {
        zones: readonly RequestedZone[];
        resources: readonly Resource[];
        ingress: Ingress | null;
        autoAccept: boolean;
        /** How long an automatic acceptance lasts; null for ever. */
        approvalSeconds: number | null;
      }
    >
  | Cmd<'UpdateConnection', Update>
  | Cmd<'RecordEndpointInformed', { revision: number }>
  | Cmd<
      'AcceptConnection',
      {
        actor: string;
        message: string;
        expiresAt: string;
        zoneIds: readonly string[];
        moves: readonly ZoneMove[];
        /** Null leaves it as it is. */
        bandwidth: Bandwidth | null;
      }
    >
  | Cmd<'SetBandwidth', { bandwidth: Bandwidth; actor: string }>
  | Cmd<'ExpireApproval', { expiresAt: string }>
  | Cmd<'PauseConnection', { side: Side; actor: string; message: string }>
  | Cmd<'ResumeConnection', { side: Side; actor: string }>
  | Cmd<'EnableZone', { zoneId: string; actor: string }>
  | Cmd<'DisableZone', { zoneId: string; actor: string }>
  | Cmd<'PlaceZones', { moves: readonly ZoneMove[]; actor: string }>
  | Cmd<'MoveZone', ZoneMove & { actor: string }>
  | Cmd<'VoidPlacement', { zoneId: string; placement: number }>
  | Cmd<'RecordZoneUnassigned', { zoneId: string }>
  | Cmd<'RejectConnection', { actor: string; message: string }>
  | Cmd<'ApplyFacts', { facts: readonly Fact[] }>
  | Cmd<'ReportProgress', Progress>
  | Cmd<'ReportZoneHealth', ZoneHealth>
  | Cmd<'DeleteConnection', { endpointId: string; actor: string }>;
