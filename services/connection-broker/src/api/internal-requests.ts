import { isIPv4, isIPv6 } from 'node:net';
import type {
  CloseResourceRequest,
  CloseServiceRequest,
  DeleteConnectionRequest,
  RecordServiceFactRequest,
  RequestConnectionRequest,
  UpdateConnectionRequest,
} from '@privatelink/proto/broker/v1/broker_service';
import type { EndpointTarget } from '@privatelink/proto/broker/v1/connection';
import { EndpointType, Payer } from '@privatelink/proto/common/v1/common';
import type { ServiceResource } from '@privatelink/proto/provider/v1/endpoint_service';
import { checkBandwidth, fromBandwidthTerms } from '@privatelink/shared/grpc/bandwidth';
import { enumName } from '@privatelink/shared/grpc/enums';
import {
  checkAccountId,
  checkActor,
  checkCount,
  checkEnum,
  checkId,
  checkName,
  checkText,
  isAccountId,
  isCidr,
  MAX_ZONES,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import type { ConnectionCommand } from '../connection/connection.commands.ts';
import type { Ingress, RequestedZone, Resource, Target } from '../connection/connection.ts';
import type { ScopeFactsCommand } from '../scope-facts/scope-facts.ts';

/** What other services ask for, checked as strictly as what users do: once recorded, it must be readable for ever. */

const MAX_SERVICE_NAME = 253;
const MAX_MESSAGE = 256;
const MAX_APPROVAL_SECONDS = 100n * 366n * 86_400n;

const check = (look: (v: Violations) => void): void => {
  const v = violations();
  look(v);
  v.throwIfAny();
};

const checkService = (v: Violations, request: Readonly<{ serviceId: string; serviceRevision: bigint }>): void => {
  checkId(v, 'service_id', request.serviceId, 'epsrv');
  checkCount(v, 'service_revision', request.serviceRevision);
};

export const checkDelete = ({ endpointId, actor }: DeleteConnectionRequest): void =>
  check((v) => {
    checkId(v, 'endpoint_id', endpointId, 'ep');
    checkActor(v, 'actor', actor);
  });

export const checkCloseService = (request: CloseServiceRequest): void =>
  check((v) => {
    checkService(v, request);
    checkActor(v, 'actor', request.actor);
    if (request.regionId !== undefined) checkName(v, 'region_id', request.regionId);
  });

export const checkCloseResource = (request: CloseResourceRequest): void =>
  check((v) => {
    checkService(v, request);
    checkName(v, 'zone_id', request.zoneId);
    checkName(v, 'resource_id', request.resourceId);
    checkResources(v, 'candidates', request.candidates);
  });

const checkZones = (v: Violations, zones: RequestConnectionRequest['zones']): void => {
  v.check('zones', zones.length >= 1 && zones.length <= MAX_ZONES, `must be 1 to ${MAX_ZONES}`);
  for (const [index, { zoneId, eniId, ipv4Address, ipv6Address }] of zones.slice(0, MAX_ZONES).entries()) {
    const path = `zones[${index}]`;
    checkName(v, `${path}.zone_id`, zoneId);
    checkId(v, `${path}.eni_id`, eniId, 'eni');
    v.check(`${path}.ipv4_address`, isIPv4(ipv4Address), 'must be an IPv4 address');
    v.check(`${path}.ipv6_address`, ipv6Address === '' || isIPv6(ipv6Address), 'must be an IPv6 address');
  }
};

const checkResources = (v: Violations, field: string, resources: readonly ServiceResource[]): void => {
  for (const [index, { resourceId, zoneId, targets, vpcId }] of resources.entries()) {
    const path = `${field}[${index}]`;
    if (vpcId !== '') checkId(v, `${path}.vpc_id`, vpcId, 'vpc');
    checkName(v, `${path}.resource_id`, resourceId);
    checkName(v, `${path}.zone_id`, zoneId);
    // The address of an egress source is without a port.
    const areTargets = targets.every(({ ip, port }) => (isIPv4(ip) || isIPv6(ip)) && port >= 0 && port <= 65_535);
    v.check(`${path}.targets`, areTargets, 'must be addresses and ports');
  }
};

export const toResources = (resources: readonly ServiceResource[]): readonly Resource[] =>
  resources.map(({ resourceId, zoneId, targets, vpcId, proxyProtocol }) => {
    return { resourceId, zoneId, targets: targets.map(({ ip, port }) => ({ ip, port })), vpcId, proxyProtocol };
  });

const MAX_CUSTOM_DOMAINS = 20;
const CUSTOM_DOMAIN = /^(?=.{1,253}$)(\*\.)?([a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/;

const checkCustomDomains = (v: Violations, names: readonly string[]): void => {
  v.check('custom_domain_names', names.length <= MAX_CUSTOM_DOMAINS, `must be at most ${MAX_CUSTOM_DOMAINS}`);
  for (const [index, name] of names.slice(0, MAX_CUSTOM_DOMAINS).entries()) {
    v.check(`custom_domain_names[${index}]`, CUSTOM_DOMAIN.test(name), 'must be a domain name');
  }
};

const MAX_TARGETS = 20;

const checkTargets = (v: Violations, targets: readonly EndpointTarget[]): void => {
  v.check('targets', targets.length <= MAX_TARGETS, `must be at most ${MAX_TARGETS}`);
  for (const [index, { ip, port }] of targets.slice(0, MAX_TARGETS).entries()) {
    v.check(`targets[${index}]`, isIPv4(ip) && port >= 1 && port <= 65_535, 'must be an IPv4 address and a port');
  }
};

const toTargets = (targets: readonly EndpointTarget[]): readonly Target[] =>
  targets.map(({ ip, port, allowed }) => ({ ip, port, allowed }));

const MAX_INGRESS_RULES = 2_000;

const checkIngress = (v: Violations, ingress: RequestConnectionRequest['ingress']): void => {
  const rules = ingress?.rules ?? [];
  v.check('ingress.rules', rules.length <= MAX_INGRESS_RULES, `must be at most ${MAX_INGRESS_RULES}`);
  for (const [index, { fromPort, toPort, sourceCidr }] of rules.slice(0, MAX_INGRESS_RULES).entries()) {
    const path = `ingress.rules[${index}]`;
    v.check(`${path}.to_port`, fromPort <= toPort && toPort <= 65_535, 'must be a port from from_port on');
    v.check(`${path}.source_cidr`, isCidr(sourceCidr), 'must be an IPv4 or IPv6 range');
  }
};

const toIngress = (ingress: RequestConnectionRequest['ingress']): Ingress | null =>
  ingress?.rules.map(({ allowed, fromPort, toPort, sourceCidr }) => ({ allowed, fromPort, toPort, sourceCidr })) ??
  null;

const toZones = (zones: RequestConnectionRequest['zones']): readonly RequestedZone[] =>
  zones.map(({ zoneId, eniId, ipv4Address, ipv6Address }) => {
    return { zoneId, eniId, ipv4: ipv4Address, ipv6: ipv6Address };
  });

const checkAdmission = (v: Violations, admission: RequestConnectionRequest['admission']): void => {
  if (!v.check('admission', admission !== undefined, 'is required') || !admission) return;
  checkId(v, 'admission.service_id', admission.serviceId, 'epsrv');
  checkAccountId(v, 'admission.service_account_id', admission.serviceAccountId);
  checkText(v, 'admission.service_name', admission.serviceName, MAX_SERVICE_NAME);
  checkName(v, 'admission.service_region', admission.serviceRegion);
  checkCount(v, 'admission.service_revision', admission.serviceRevision);
  checkEnum(v, 'admission.service_type', admission.serviceType);
  checkEnum(v, 'admission.payer', admission.payer);
  checkResources(v, 'admission.resources', admission.resources);
  checkBandwidth(v, 'admission.bandwidth_terms.connect_bandwidth', admission.bandwidthTerms?.connectBandwidth);
  const { seconds } = admission.approvalTtl ?? { seconds: 1n };
  v.check('admission.approval_ttl', seconds >= 1n && seconds <= MAX_APPROVAL_SECONDS, 'must be 1 s to 100 years');
};

export const toRequest = (request: RequestConnectionRequest): ConnectionCommand => {
  const { endpointId, admission } = request;
  check((v) => {
    checkId(v, 'endpoint_id', endpointId, 'ep');
    checkAccountId(v, 'account_id', request.accountId);
    checkId(v, 'vpc_id', request.vpcId, 'vpc');
    if (request.regionId !== undefined) checkName(v, 'region_id', request.regionId);
    checkActor(v, 'actor', request.actor);
    checkZones(v, request.zones);
    checkAdmission(v, admission);
    checkCustomDomains(v, request.customDomainNames);
    checkTargets(v, request.targets);
    checkIngress(v, request.ingress);
  });
  if (!admission) throw new Error('checked above');
  return {
    type: 'RequestConnection',
    data: {
      endpointId,
      endpointAccountId: request.accountId,
      vpcId: request.vpcId,
      endpointRegion: request.regionId ?? admission.serviceRegion,
      endpointType: enumName(EndpointType, admission.serviceType) ?? 'INTERFACE',
      serviceId: admission.serviceId,
      serviceName: admission.serviceName,
      serviceAccountId: admission.serviceAccountId,
      serviceRegion: admission.serviceRegion,
      serviceVersion: Number(admission.serviceRevision),
      payer: enumName(Payer, admission.payer) ?? 'ENDPOINT',
      customDomains: request.customDomainNames,
      zoneAffinity: request.zoneAffinity,
      bandwidthTerms: fromBandwidthTerms(admission.bandwidthTerms),
      targets: toTargets(request.targets),
      ingress: toIngress(request.ingress),
      autoAccept: admission.autoAccept,
      approvalSeconds: admission.approvalTtl ? Number(admission.approvalTtl.seconds) : null,
      zones: toZones(request.zones),
      resources: toResources(admission.resources),
    },
  };
};

export const toUpdate = (
  request: UpdateConnectionRequest,
): Extract<ConnectionCommand, { type: 'UpdateConnection' }> => {
  const { endpointRevision, zones, resources, securityLocked, actor, message } = request;
  check((v) => {
    checkId(v, 'endpoint_id', request.endpointId, 'ep');
    checkCount(v, 'endpoint_revision', endpointRevision);
    checkActor(v, 'actor', actor);
    checkZones(v, zones);
    checkResources(v, 'resources', resources);
    checkText(v, 'message', message, MAX_MESSAGE);
    checkCustomDomains(v, request.customDomainNames);
    checkTargets(v, request.targets);
    checkIngress(v, request.ingress);
  });
  return {
    type: 'UpdateConnection',
    data: {
      ...{ revision: Number(endpointRevision), securityLocked, actor, message },
      zones: toZones(zones),
      resources: toResources(resources),
      customDomains: request.customDomainNames,
      zoneAffinity: request.zoneAffinity,
      targets: toTargets(request.targets),
      ingress: toIngress(request.ingress),
    },
  };
};

export const toServiceFact = (request: RecordServiceFactRequest): ScopeFactsCommand => {
  const { fact, serviceRevision, actor, exceptAccountIds } = request;
  check((v) => {
    checkService(v, request);
    checkActor(v, 'actor', actor);
    v.check('fact', fact !== undefined, 'is required');
    checkText(v, 'message', request.message, MAX_MESSAGE);
    if (fact?.$case === 'userAdded') checkUser(v, 'user_added', fact.value);
    if (fact?.$case === 'userRemoved') checkUser(v, 'user_removed', fact.value);
    for (const [index, id] of exceptAccountIds.entries()) checkAccountId(v, `except_account_ids[${index}]`, id);
  });
  const revision = Number(serviceRevision);
  switch (fact?.$case) {
    case 'userAdded':
      return { type: 'ListServiceUser', data: { accountId: fact.value, revision, actor } };
    case 'userRemoved':
      return { type: 'UnlistServiceUser', data: { accountId: fact.value, exceptAccountIds, revision, actor } };
    case 'securityLocked': {
      const { message } = request;
      return { type: 'SetServiceLock', data: { locked: fact.value, revision, actor, message } };
    }
    default:
      return { type: 'AcceptWaitingConnections', data: { revision, actor } };
  }
};

const checkUser = (v: Violations, field: string, accountId: string): boolean =>
  v.check(field, accountId === '*' || isAccountId(accountId), 'must be 16 digits or *');
