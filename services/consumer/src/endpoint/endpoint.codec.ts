import { instant as at, moveBy } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { endpoint } from './endpoint.decide.ts';
import { type EndpointEvent, endpointTransitions } from './endpoint.ts';

const move = moveBy(endpointTransitions);
const text = z.string();
const zone = z.object({ zoneId: text, vswitchId: text, eniId: text, ipv4: text, ipv6: text });
const target = z.object({ ip: text, port: z.number().int() });
const resource = z.object({
  resourceId: text,
  zoneId: text,
  targets: z.array(target),
  vpcId: text,
  proxyProtocol: z.boolean(),
});
const tags = z.array(z.object({ key: text, value: text }));
const version = z.number().int().nonnegative();
const done = { actor: text, at };
const changed = { ...done, move: move.nullable() };
const domainReservation = { reservationId: text, domainNames: z.array(text) };
const ipv6Reservation = { reservationId: text, addresses: z.array(z.object({ eniId: text, ipv6: text })) };
const attachment = { securityGroupId: text, attachmentId: text };
const mode = z.enum(['SCALABILITY', 'BANDWIDTH_LIMIT']);
const mbps = version;
const bandwidthTerms = z.object({
  connectBandwidth: z.object({ mode, limitMbps: mbps }),
  modes: z.array(mode),
  minMbps: mbps,
  maxMbps: mbps,
});
const admission = z.object({
  serviceId: text,
  serviceName: text,
  serviceAccountId: text,
  serviceRegion: text,
  serviceVersion: version,
  payer: z.enum(['ENDPOINT', 'ENDPOINT_SERVICE']),
  autoAccept: z.boolean(),
  approvalTtlMs: z.number().int().nonnegative().nullable(),
  resources: z.array(resource),
  bandwidthTerms: bandwidthTerms.nullable(),
});

export const endpointCodec: Codec<EndpointEvent> = defineCodec<EndpointEvent>({
  category: endpoint.category,
  stateVersion: 1,
  events: {
    EndpointCreated: {
      version: 1,
      schema: z.object({
        endpointId: text,
        accountId: text,
        endpointType: z.enum(['INTERFACE', 'GATEWAY_LOAD_BALANCER', 'REVERSE']),
        vpcId: text,
        regionId: text,
        zones: z.array(zone),
        securityGroupIds: z.array(text),
        addressType: z.enum(['IPV4', 'DUAL_STACK']),
        description: text,
        protected: z.boolean(),
        tags,
        policy: text,
        customDomains: z.object(domainReservation).nullable(),
        zoneAffinity: z.boolean(),
        targets: z.array(target),
        admission,
        actor: text,
        at,
        move,
      }),
      personal: ['description', 'tags', 'actor'],
    },
    EndpointActivated: { version: 1, schema: z.object({ at, move }) },
    DescriptionChanged: {
      version: 1,
      schema: z.object({ ...done, description: text }),
      personal: ['description', 'actor'],
    },
    TagsChanged: { version: 1, schema: z.object({ ...done, tags }), personal: ['tags', 'actor'] },
    ProtectionChanged: { version: 1, schema: z.object({ ...done, protected: z.boolean() }), personal: ['actor'] },
    ZoneAdded: {
      version: 1,
      schema: z.object({ ...changed, zone, resources: z.array(resource) }),
      personal: ['actor'],
    },
    ZoneRemovalStarted: {
      version: 1,
      schema: z.object({ ...changed, zoneId: text, eniId: text }),
      personal: ['actor'],
    },
    SecurityGroupAttached: { version: 1, schema: z.object({ ...changed, ...attachment }), personal: ['actor'] },
    SecurityGroupDetached: { version: 1, schema: z.object({ ...changed, ...attachment }), personal: ['actor'] },
    PolicyChanged: { version: 1, schema: z.object({ ...changed, policy: text }), personal: ['actor'] },
    ZoneAffinityChanged: {
      version: 1,
      schema: z.object({ ...changed, zoneAffinity: z.boolean() }),
      personal: ['actor'],
    },
    CustomDomainsEnabled: { version: 1, schema: z.object({ ...changed, ...domainReservation }), personal: ['actor'] },
    CustomDomainsDisabled: { version: 1, schema: z.object({ ...changed, reservationId: text }), personal: ['actor'] },
    DualStackEnabled: { version: 1, schema: z.object({ ...changed, ...ipv6Reservation }), personal: ['actor'] },
    EndpointLocked: { version: 1, schema: z.object({ ...done, message: text }), personal: ['message', 'actor'] },
    EndpointUnlocked: { version: 1, schema: z.object(done), personal: ['actor'] },
    FinancialLockPlaced: {
      version: 1,
      schema: z.object({ source: text, message: text, revision: version, at }),
      personal: ['message'],
    },
    FinancialLockLifted: { version: 1, schema: z.object({ source: text, revision: version, at }) },
    ConnectionInformed: { version: 1, schema: z.object({ version, at }) },
    ChangeCompleted: { version: 1, schema: z.object({ version, at, move }) },
    PartsReleased: { version: 1, schema: z.object({ partIds: z.array(text), at }) },
    PartAbandoned: { version: 1, schema: z.object({ partId: text, at }) },
    DeletionStarted: { version: 1, schema: z.object({ actor: text, at, move }), personal: ['actor'] },
    EndpointDeleted: { version: 1, schema: z.object({ at, move }) },
    EndpointCreationAbandoned: {
      version: 1,
      schema: z.object({ endpointId: text, vpcId: text, serviceId: text, at, move }),
    },
  },
});
