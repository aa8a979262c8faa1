import { instant as at, moveBy } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { connection } from './connection.decide.ts';
import type { ConnectionEvent } from './connection.ts';
import { connectionTransitions } from './connection-status.ts';

const text = z.string();
const version = z.number().int().nonnegative();
const generation = version;
const move = z.intersection(moveBy(connectionTransitions), z.object({ holds: z.array(text), generation }));
const maybeMove = move.nullable();
const resource = z.object({
  resourceId: text,
  zoneId: text,
  targets: z.array(z.object({ ip: text, port: z.number().int() })),
  vpcId: text,
  proxyProtocol: z.boolean(),
});
const target = z.object({ ip: text, port: z.number().int(), allowed: z.boolean() });
const ingress = z
  .array(z.object({ allowed: z.boolean(), fromPort: version, toPort: version, sourceCidr: text }))
  .nullable();
const listener = z.object({ port: z.number().int(), address: text });
const requestedZone = z.object({ zoneId: text, eniId: text, ipv4: text, ipv6: text });
const mode = z.enum(['SCALABILITY', 'BANDWIDTH_LIMIT']);
const bandwidth = z.object({ mode, limitMbps: version });
const bandwidthTerms = z.object({
  connectBandwidth: bandwidth,
  modes: z.array(mode),
  minMbps: version,
  maxMbps: version,
});
const hold = z.object({
  reason: z.enum([
    'ENDPOINT_PAYMENT_OVERDUE',
    'SERVICE_PAYMENT_OVERDUE',
    'ENDPOINT_SECURITY_LOCK',
    'SERVICE_SECURITY_LOCK',
    'NOT_WHITELISTED',
    'PAUSED_BY_CONSUMER',
    'PAUSED_BY_PROVIDER',
    'NO_ZONE',
  ]),
  source: text,
  revision: version,
  actor: text,
  message: text,
  at,
  move: maybeMove,
});
const confirmation = z.object({ generation, at });
const moved = z.object({ at, move });
const ofZone = z.object({ zoneId: text, at });
const switched = z.object({ zoneId: text, actor: text, at });

export const connectionCodec: Codec<ConnectionEvent> = defineCodec<ConnectionEvent>({
  category: connection.category,
  stateVersion: 3,
  events: {
    ConnectionRequested: {
      version: 1,
      schema: z.object({
        endpointId: text,
        endpointAccountId: text,
        vpcId: text,
        endpointRegion: text,
        endpointType: z.enum(['INTERFACE', 'GATEWAY_LOAD_BALANCER', 'REVERSE']),
        serviceId: text,
        serviceName: text,
        serviceAccountId: text,
        serviceRegion: text,
        serviceVersion: version,
        payer: z.enum(['ENDPOINT', 'ENDPOINT_SERVICE']),
        customDomains: z.array(text),
        zoneAffinity: z.boolean(),
        bandwidthTerms: bandwidthTerms.nullable(),
        targets: z.array(target),
        zones: z.array(requestedZone),
        resources: z.array(resource),
        at,
        move,
      }),
    },
    ConnectionAccepted: {
      version: 1,
      schema: z.object({
        automatic: z.boolean(),
        actor: text,
        message: text,
        expiresAt: z.union([at, z.literal('')]),
        at,
        move: maybeMove,
      }),
      personal: ['actor', 'message'],
    },
    ConnectionRejected: {
      version: 1,
      schema: z.object({ actor: text, message: text, at, move: maybeMove }),
      personal: ['actor', 'message'],
    },
    ApprovalExpired: { version: 1, schema: z.object({ at, move: maybeMove }) },
    HoldPlaced: { version: 1, schema: hold, personal: ['actor', 'message'] },
    HoldLifted: { version: 1, schema: hold, personal: ['actor', 'message'] },
    ConnectingStarted: { version: 1, schema: moved },
    ConnectionUpdated: {
      version: 1,
      schema: z.object({ revision: version, resources: z.array(resource), actor: text, at }),
      personal: ['actor'],
    },
    EndpointInformed: { version: 1, schema: z.object({ revision: version, at }) },
    ZoneAdded: { version: 1, schema: z.object({ zone: requestedZone, at }) },
    ZoneAddressesChanged: { version: 1, schema: z.object({ zoneId: text, ipv4: text, ipv6: text, at }) },
    ZoneRemovalStarted: { version: 1, schema: ofZone },
    ZoneRemoved: { version: 1, schema: ofZone },
    ZoneResourceUnassigned: { version: 1, schema: ofZone },
    CustomDomainsChanged: { version: 1, schema: z.object({ customDomains: z.array(text), at }) },
    ZoneAffinityChanged: { version: 1, schema: z.object({ zoneAffinity: z.boolean(), at }) },
    BandwidthChanged: { version: 1, schema: z.object({ bandwidth, actor: text, at }), personal: ['actor'] },
    TargetsChanged: { version: 1, schema: z.object({ targets: z.array(target), at }) },
    IngressChanged: { version: 1, schema: z.object({ ingress, at }) },
    ZoneEnabled: { version: 1, schema: switched, personal: ['actor'] },
    ZoneDisabled: { version: 1, schema: switched, personal: ['actor'] },
    ZoneMigrationStarted: {
      version: 1,
      schema: z.object({ zoneId: text, resource, placement: version, force: z.boolean(), actor: text, at }),
      personal: ['actor'],
    },
    ZoneMigrationCompleted: { version: 1, schema: ofZone },
    ChangeStarted: { version: 1, schema: moved },
    ChangeCompleted: { version: 1, schema: moved },
    ZoneResourceAssigned: { version: 1, schema: z.object({ zoneId: text, resource, placement: version, at }) },
    ZoneConnected: {
      version: 1,
      schema: z.object({ zoneId: text, generation, forwarder: text, listeners: z.array(listener), at }),
    },
    ZoneDisconnected: { version: 1, schema: z.object({ zoneId: text, generation, at }) },
    ZoneHealthChanged: { version: 1, schema: z.object({ zoneId: text, healthy: z.boolean(), at }) },
    BandwidthKeepingChanged: { version: 1, schema: z.object({ zoneId: text, kept: z.boolean(), at }) },
    NamesPublished: { version: 1, schema: confirmation },
    NamesWithdrawn: { version: 1, schema: confirmation },
    NamesRemoved: { version: 1, schema: confirmation },
    NamesGraceElapsed: { version: 1, schema: confirmation },
    ConnectionEstablished: { version: 1, schema: z.object({ factsSeen: z.record(text, version), at, move }) },
    DisconnectingStarted: { version: 1, schema: moved },
    ConnectionDisconnected: { version: 1, schema: moved },
    ServiceDeletionObserved: {
      version: 1,
      schema: z.object({ revision: version, actor: text, at, move }),
      personal: ['actor'],
    },
    TeardownConfirmed: { version: 1, schema: z.object({ serviceId: text, at }) },
    DeletionStarted: { version: 1, schema: z.object({ actor: text, at, move }), personal: ['actor'] },
    ConnectionDeleted: { version: 1, schema: z.object({ endpointId: text, serviceId: text, at, move }) },
  },
});
