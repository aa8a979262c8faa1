import { instant as at, moveBy } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { endpointService } from './endpoint-service.decide.ts';
import type { EndpointServiceEvent } from './endpoint-service.ts';
import { endpointServiceTransitions } from './endpoint-service-status.ts';
import { supportedRegionTransitions } from './supported-region-status.ts';

const move = moveBy(endpointServiceTransitions);
const text = z.string();
const version = z.number().int().nonnegative();
const resourceKey = { resourceId: text, zoneId: text };
const resource = z.object({
  ...resourceKey,
  resourceType: z.enum(['NLB', 'CLB', 'ALB', 'GWLB', 'EGRESS_SOURCE']),
  targets: z.array(z.object({ ip: text, port: z.number().int() })),
  autoAllocated: z.boolean(),
  vpcId: text,
  proxyProtocol: z.boolean(),
});
const tags = z.array(z.object({ key: text, value: text }));
const bandwidth = z.object({ mode: z.enum(['SCALABILITY', 'BANDWIDTH_LIMIT']), limitMbps: version });
const terms = {
  autoAccept: z.boolean().nullable(),
  maxConnections: version.nullable(),
  approvalTtlMs: version.nullable(),
};
const user = z.object({ accountId: text, ...terms, actor: text, at });
const ofRegion = { regionId: text, regionMove: moveBy(supportedRegionTransitions), at };
const blocker = z.object({ connectionId: text, status: text });

export const endpointServiceCodec: Codec<EndpointServiceEvent> = defineCodec<EndpointServiceEvent>({
  category: endpointService.category,
  stateVersion: 1,
  events: {
    EndpointServiceCreated: {
      version: 1,
      schema: z.object({
        serviceId: text,
        serviceName: text,
        accountId: text,
        regionId: text,
        serviceType: z.enum(['INTERFACE', 'GATEWAY_LOAD_BALANCER', 'REVERSE']),
        addressType: z.enum(['IPV4', 'DUAL_STACK']),
        description: text,
        autoAccept: z.boolean(),
        payer: z.enum(['ENDPOINT', 'ENDPOINT_SERVICE']),
        resources: z.array(resource),
        tags,
        zoneAffinity: z.boolean(),
        connectBandwidth: bandwidth.nullable(),
        at,
        move,
      }),
      personal: ['description', 'tags'],
    },
    EndpointServiceActivated: { version: 1, schema: z.object({ at, move }) },
    DescriptionChanged: {
      version: 1,
      schema: z.object({ description: text, at, move: move.nullable() }),
      personal: ['description'],
    },
    TagsChanged: { version: 1, schema: z.object({ tags, at, move: move.nullable() }), personal: ['tags'] },
    DualStackEnabled: { version: 1, schema: z.object({ at, move: move.nullable() }) },
    ZoneAffinityChanged: { version: 1, schema: z.object({ zoneAffinity: z.boolean(), at, move: move.nullable() }) },
    ConnectBandwidthChanged: {
      version: 1,
      schema: z.object({ connectBandwidth: bandwidth, at, move: move.nullable() }),
    },
    ResourceAttached: { version: 1, schema: z.object({ resource, at, move: move.nullable() }) },
    ResourceAllocationChanged: {
      version: 1,
      schema: z.object({ ...resourceKey, autoAllocated: z.boolean(), at, move: move.nullable() }),
    },
    ResourceDetachmentStarted: { version: 1, schema: z.object({ ...resourceKey, at, move: move.nullable() }) },
    ResourceDetached: { version: 1, schema: z.object({ ...resourceKey, at }) },
    ResourceDetachmentRefused: { version: 1, schema: z.object({ ...resourceKey, endpointIds: z.array(text), at }) },
    SupportedRegionAdded: { version: 1, schema: z.object({ ...ofRegion, move: move.nullable() }) },
    SupportedRegionOpened: { version: 1, schema: z.object(ofRegion) },
    SupportedRegionFailed: { version: 1, schema: z.object(ofRegion) },
    SupportedRegionRemovalStarted: {
      version: 1,
      schema: z.object({ ...ofRegion, force: z.boolean(), actor: text, move: move.nullable() }),
      personal: ['actor'],
    },
    SupportedRegionRemovalRefused: {
      version: 1,
      schema: z.object({ ...ofRegion, blockers: z.array(blocker), blockerCount: version }),
    },
    SupportedRegionRemoved: { version: 1, schema: z.object({ ...ofRegion, connectionCount: version }) },
    ChangeCompleted: { version: 1, schema: z.object({ at, move }) },
    ServiceUserAdded: { version: 1, schema: user, personal: ['actor'] },
    ServiceUserTermsChanged: { version: 1, schema: user, personal: ['actor'] },
    ServiceUserRemoved: {
      version: 1,
      schema: z.object({ accountId: text, reconcile: z.enum(['KEEP', 'DISCONNECT']), actor: text, at }),
      personal: ['actor'],
    },
    AutoAcceptEnabled: {
      version: 1,
      schema: z.object({ acceptWaiting: z.boolean(), actor: text, at }),
      personal: ['actor'],
    },
    AutoAcceptDisabled: { version: 1, schema: z.object({ at }) },
    CustomDomainDeclared: { version: 1, schema: z.object({ domainName: text, token: text, at }) },
    CustomDomainVerified: { version: 1, schema: z.object({ domainName: text, at }) },
    CustomDomainVerificationFailed: {
      version: 1,
      schema: z.object({ domainName: text, failure: z.enum(['NO_RECORD', 'OTHER_RECORD']), at }),
    },
    CustomDomainRemoved: { version: 1, schema: z.object({ domainName: text, at }) },
    SecurityLockPlaced: {
      version: 1,
      schema: z.object({ message: text, actor: text, at }),
      personal: ['message', 'actor'],
    },
    SecurityLockLifted: { version: 1, schema: z.object({ actor: text, at }), personal: ['actor'] },
    FinancialLockPlaced: {
      version: 1,
      schema: z.object({ source: text, sequence: version, message: text, at }),
      personal: ['message'],
    },
    FinancialLockLifted: { version: 1, schema: z.object({ source: text, sequence: version, at }) },
    ConnectionsInformed: { version: 1, schema: z.object({ version, at }) },
    DeletionStarted: {
      version: 1,
      schema: z.object({ force: z.boolean(), actor: text, at, move }),
      personal: ['actor'],
    },
    DeletionRefused: {
      version: 1,
      schema: z.object({ blockers: z.array(blocker), blockerCount: version, at, move }),
    },
    EndpointServiceDeleted: { version: 1, schema: z.object({ connectionCount: version, at, move }) },
    EndpointServiceCreationAbandoned: {
      version: 1,
      schema: z.object({ serviceId: text, accountId: text, at, move }),
    },
  },
});
