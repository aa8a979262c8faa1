import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { endpoint } from '../endpoint.decide.ts';
import type { EndpointCommand, EndpointEvent, EndpointZone, Resource } from '../endpoint.ts';

export const { given, at } = deciderSpec(endpoint);

export const CAROL = 'user:carol';
export const DAVE = 'user:dave';

export const zoneIn = (zone: string, eni = `eni-${zone}`): EndpointZone => ({
  ...{ zoneId: `zone-${zone}`, vswitchId: `vsw-${zone}`, eniId: eni, ipv4: `10.0.${zone.charCodeAt(0)}.4`, ipv6: '' },
});
export const resourceIn = (zone: string): Resource => ({
  ...{ resourceId: `nlb-${zone}`, zoneId: `zone-${zone}`, targets: [{ ip: '192.168.0.1', port: 80 }] },
  ...{ vpcId: '', proxyProtocol: false },
});

export const particulars = {
  endpointId: 'ep-1',
  accountId: '2'.repeat(16),
  endpointType: 'INTERFACE',
  vpcId: 'vpc-1',
  regionId: 'cn-hangzhou',
  zones: [zoneIn('a')],
  securityGroupIds: ['sg-1'],
  addressType: 'IPV4',
  description: 'to the database',
  protected: false,
  tags: [{ key: 'team', value: 'payments' }],
  policy: '',
  customDomains: null,
  zoneAffinity: false,
  targets: [],
  admission: {
    serviceId: 'epsrv-1',
    serviceName: 'com.privatelink.cn-hangzhou.epsrv-1',
    serviceAccountId: '1'.repeat(16),
    serviceRegion: 'cn-hangzhou',
    serviceVersion: 3,
    payer: 'ENDPOINT',
    autoAccept: true,
    approvalTtlMs: null,
    resources: [resourceIn('a')],
    bandwidthTerms: null,
  },
} as const;

export const reserved = { endpointId: 'ep-1', vpcId: 'vpc-1', serviceId: 'epsrv-1' };

export const create: EndpointCommand = { type: 'CreateEndpoint', data: { ...particulars, actor: CAROL } };
export const activate: EndpointCommand = { type: 'ActivateEndpoint', data: {} };
export const remove = (actor = DAVE, closingId = ''): EndpointCommand => ({
  type: 'DeleteEndpoint',
  data: { actor, closingId },
});
export const complete: EndpointCommand = { type: 'CompleteDeletion', data: {} };
export const abandon: EndpointCommand = { type: 'AbandonCreation', data: reserved };

type Data<T extends EndpointCommand['type']> = Extract<EndpointCommand, { type: T }>['data'];
export const update = (change: Partial<Data<'UpdateEndpoint'>>): EndpointCommand => ({
  type: 'UpdateEndpoint',
  data: {
    description: null,
    tags: null,
    protected: null,
    customDomains: null,
    zoneAffinity: null,
    addressType: null,
    actor: CAROL,
    ...change,
  },
});
export const addZone = (
  zone: string,
  {
    eni,
    requestedIpv4 = '',
    requestedIpv6 = '',
    actor = CAROL,
  }: Readonly<{ eni?: string; requestedIpv4?: string; requestedIpv6?: string; actor?: string }> = {},
): EndpointCommand => ({
  type: 'AddZone',
  data: { zone: zoneIn(zone, eni), requestedIpv4, requestedIpv6, resources: [resourceIn(zone)], actor },
});
export const removeZone = (
  zoneId: string,
  vswitchId = '',
  actor = CAROL,
  disabledZoneIds: readonly string[] = [],
): EndpointCommand => ({
  type: 'RemoveZone',
  data: { zoneId, vswitchId, disabledZoneIds, actor },
});
export const attach = (securityGroupId: string, attachmentId = `sga-${securityGroupId}`): EndpointCommand => ({
  type: 'AttachSecurityGroup',
  data: { securityGroupId, attachmentId, actor: CAROL },
});
export const detach = (securityGroupId: string): EndpointCommand => ({
  type: 'DetachSecurityGroup',
  data: { securityGroupId, actor: CAROL },
});
export const setPolicy = (policy: string): EndpointCommand => ({ type: 'SetPolicy', data: { policy, actor: CAROL } });
/** One time of having them: again is another one. */
export const domains = (reservationId: string, ...domainNames: readonly string[]) => ({ reservationId, domainNames });
/** With an address for each of these zones: again is another one. */
export const ipv6 = (reservationId: string, ...zones: readonly string[]) => ({
  reservationId,
  addresses: zones.map((zone) => ({ eniId: `eni-${zone}`, ipv6: `fd00::${reservationId.at(-1)}:${zone}` })),
});
export const lock = (message = 'abuse'): EndpointCommand => ({
  type: 'LockEndpoint',
  data: { message, actor: 'user:olga' },
});
export const unlock: EndpointCommand = { type: 'UnlockEndpoint', data: { actor: 'user:olga' } };
export const payments = (revision: number, ...sources: readonly string[]): EndpointCommand => ({
  type: 'RecordPayments',
  data: { revision, overdue: sources.map((source) => ({ source, message: 'invoice 7' })) },
});
export const confirm = (version: number): EndpointCommand => ({ type: 'CompleteChange', data: { version } });
export const inform = (version: number): EndpointCommand => ({
  type: 'RecordConnectionInformed',
  data: { version },
});
export const releasedParts = (...partIds: string[]): EndpointCommand => ({
  type: 'RecordPartsReleased',
  data: { partIds },
});
export const abandonPart = (partId: string): EndpointCommand => ({ type: 'AbandonPart', data: { partId } });

/** What commands lead to, each decided on what those before it led to. */
export const played = (...commands: readonly EndpointCommand[]): EndpointEvent[] => {
  const events: EndpointEvent[] = [];
  let state = endpoint.initial;
  for (const command of commands) {
    const decided = endpoint.decide(command, state, at);
    state = decided.reduce(endpoint.evolve, state);
    events.push(...decided);
  }
  return events;
};

/** Active, as of version 2, and after these. */
export const active = (...commands: readonly EndpointCommand[]): EndpointEvent[] =>
  played(create, activate, ...commands);

export const stateAfter = (...commands: readonly EndpointCommand[]) =>
  active(...commands).reduce(endpoint.evolve, endpoint.initial);
