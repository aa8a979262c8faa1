import {
  absent,
  consistencyTokenRow,
  eachAccounts,
  nobody,
  noField,
  ownersOwn,
  ownersToRead,
  pageTokenRow,
  type Row,
  type Rows,
  STALE,
  services,
  stale,
  staleAlsoToOperators,
} from './row.ts';
import { type Party, type Scene, VSWITCH_CIDR, ZONE } from './scene.ts';

const ofVpc = (say: object, expected: Row['expected']): Row => ({
  field: 'vpcId',
  say: (_scene, vpcId, party) => ({ requestId: `matrix-${party}`, vpcId, ...say }),
  real: (scene) => scene.networks.C.vpcId,
  absent: absent.vpc,
  expected,
});

const ofEndpoint = (say: object, expected: Row['expected']): Row => ({
  field: 'endpointId',
  say: (_scene, endpointId) => ({ endpointId, ...say }),
  real: (scene) => scene.endpointId,
  absent: absent.endpoint,
  expected,
});

/** On an endpoint that is foreign to all but its owner: what else is named there. */
const onEndpoint = (
  field: string,
  {
    real,
    absent: absentId,
    as = (id) => ({ [field]: id }),
  }: Pick<Row, 'real' | 'absent'> & { as?: (id: string) => object },
): Row => ({
  ...{ field, real, absent: absentId, expected: stale },
  say: ({ endpointId }, id) => ({ endpointId, ...as(id), ...STALE }),
});

const ofVSwitch = { real: ({ networks }: Scene) => networks.C.vswitchId, absent: absent.vswitch };
const ofGroup = { real: ({ networks }: Scene) => networks.C.securityGroupId, absent: absent.securityGroup };
const zoneIn = (vswitchId: string) => ({ zone: { zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' } });
const operators = { ...nobody, operator: 'OK' };
const ofIdleEndpoint = (say: object): Row => ({ ...ofEndpoint(say, operators), real: (scene) => scene.idleEndpointId });

/** In the caller's own VPC: what is in another one is not there, and what is not there is gone already. */
const inOwnVpc = (field: string, real: Row['real'], absentId: string, owner: string): Row => ({
  field,
  say: ({ networks }, id, party) => ({
    requestId: `matrix-${party}-${field}`,
    vpcId: networks[party].vpcId,
    [field]: id,
  }),
  ...{ real, absent: absentId, expected: { ...eachAccounts('OK'), owner } },
});

/** A route of the owner's to an endpoint that takes none, with one thing named otherwise; what it is for the owner. */
const route = (field: 'vpcId' | 'routeTableId' | 'nextHop', owner: string, others: string): Row => ({
  field,
  say: ({ networks, endpointId }, id, party) => ({
    requestId: `matrix-${party}-${field}`,
    vpcId: networks[party].vpcId,
    routeTableId: networks[field === 'vpcId' ? 'C' : party].routeTableId,
    destinationCidr: '0.0.0.0/0',
    nextHop: endpointId,
    [field]: id,
  }),
  real: ({ networks: { C }, endpointId }) => ({ ...C, nextHop: endpointId })[field],
  absent: { vpcId: absent.vpc, routeTableId: absent.routeTable, nextHop: absent.endpoint }[field],
  expected: { ...eachAccounts(others), owner },
});
const withoutHop = (row: Row): Row => ({
  ...row,
  say: (...args) => {
    const { nextHop: _none, ...said } = row.say(...args) as { nextHop: string };
    return said;
  },
});

/** An endpoint of the caller's, all of it its own but for one thing. */
const creation = ({ serviceId, networks }: Scene, party: Party, field: string) => {
  const { vpcId, vswitchId, securityGroupId } = networks[party];
  const zones = [{ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' }];
  const own = { service: serviceId, vpcId, zones, securityGroupIds: [securityGroupId] };
  return { requestId: `matrix-${party}-${field}`, endpointType: 'ENDPOINT_TYPE_INTERFACE', description: '', ...own };
};

const ofGateway = (say: object, expected: Row['expected']): Row => ({
  field: 'gatewayEndpointId',
  say: (_scene, gatewayEndpointId) => ({ gatewayEndpointId, ...say }),
  real: (scene) => scene.gatewayEndpointId,
  absent: absent.gateway,
  expected,
});
/** All of it the caller's own but for one thing, which for the owner is taken. */
const gatewayIn = (field: 'vpcId' | 'routeTableIds', owner: string): Row => ({
  field,
  say: ({ networks }, id, party) => ({
    ...{ requestId: `matrix-${party}-${field}`, vpcId: networks[party].vpcId, serviceName: 'com.example.oss' },
    routeTableIds: [networks.C.routeTableId],
    [field]: field === 'vpcId' ? id : [id],
  }),
  real: ({ networks: { C } }) => (field === 'vpcId' ? C.vpcId : C.routeTableId),
  absent: field === 'vpcId' ? absent.vpc : absent.routeTable,
  expected: ownersOwn(owner),
});

const GATEWAYS = 'consumer.listGatewayEndpoints';
const listedGateway = (response: object, { gatewayEndpointId }: Scene): boolean =>
  (response as { gatewayEndpoints: readonly { gatewayEndpointId: string }[] }).gatewayEndpoints.some(
    (one) => one.gatewayEndpointId === gatewayEndpointId,
  );
const LIST = 'consumer.listEndpoints';
const VPCS = 'consumer.listVpcs';
const listed = (response: object, { endpointId }: Scene): boolean =>
  (response as { endpoints: readonly { endpointId: string }[] }).endpoints.some((one) => one.endpointId === endpointId);
const listedVpc = (response: object, { networks }: Scene): boolean =>
  (response as { vpcs: readonly { vpcId: string }[] }).vpcs.some(({ vpcId }) => vpcId === networks.C.vpcId);
const notTheirs = {
  ...{ counterpart: 'INVALID_ARGUMENT', stranger: 'INVALID_ARGUMENT' },
  ...{ operator: 'INVALID_ARGUMENT', viewer: 'INVALID_ARGUMENT' },
};
const shown = {
  ...{ owner: 'FULL', counterpart: 'EMPTY', stranger: 'EMPTY', operator: 'FULL', viewer: 'FULL' },
  ...{ billing: nobody.billing, service: nobody.service },
};

export const consumerRows: Rows = {
  'consumer.registerVpc': [
    noField((_scene, _id, party) => ({ requestId: `matrix-${party}`, ipv4Cidr: '10.9.0.0/16' }), eachAccounts('OK')),
  ],
  'consumer.getVpc': [ofVpc({}, ownersToRead)],
  [VPCS]: [
    noField(() => ({}), shown, listedVpc),
    pageTokenRow(VPCS, { ...nobody, owner: 'OK', ...notTheirs }),
    consistencyTokenRow(VPCS, { ...eachAccounts('OK'), operator: 'OK', viewer: 'OK' }),
  ],
  'consumer.deregisterVpc': [ofVpc(STALE, stale)],
  'consumer.registerVSwitch': [ofVpc({ zoneId: ZONE, ipv4Cidr: VSWITCH_CIDR }, ownersOwn('FAILED_PRECONDITION'))],
  'consumer.deregisterVSwitch': [
    ofVpc({ vswitchId: absent.vswitch }, ownersOwn('OK')),
    inOwnVpc('vswitchId', ({ networks }) => networks.C.vswitchId, absent.vswitch, 'FAILED_PRECONDITION'),
  ],
  'consumer.registerSecurityGroup': [ofVpc({}, ownersOwn('OK'))],
  'consumer.deregisterSecurityGroup': [
    ofVpc({ securityGroupId: absent.securityGroup }, ownersOwn('OK')),
    inOwnVpc(
      'securityGroupId',
      ({ networks }) => networks.C.securityGroupId,
      absent.securityGroup,
      'FAILED_PRECONDITION',
    ),
  ],
  'consumer.registerRouteTable': [ofVpc({}, ownersOwn('OK'))],
  'consumer.deregisterRouteTable': [
    ofVpc({ routeTableId: absent.routeTable }, ownersOwn('OK')),
    inOwnVpc('routeTableId', ({ networks }) => networks.S.routeTableId, absent.routeTable, 'OK'),
  ],
  'consumer.addRoute': [
    route('vpcId', 'FAILED_PRECONDITION', 'NOT_FOUND'),
    route('routeTableId', 'FAILED_PRECONDITION', 'NOT_FOUND'),
    route('nextHop', 'FAILED_PRECONDITION', 'NOT_FOUND'),
  ],
  'consumer.removeRoute': [
    withoutHop(route('vpcId', 'OK', 'NOT_FOUND')),
    withoutHop(route('routeTableId', 'OK', 'OK')),
  ],
  'consumer.createEndpoint': [
    {
      field: 'service',
      say: (scene, service, party) => ({ ...creation(scene, party, 'service'), service }),
      real: (scene) => scene.serviceName,
      absent: `com.privatelink.cn-hangzhou.${absent.service}`,
      expected: { ...ownersOwn('OK'), counterpart: 'OK' },
    },
    {
      field: 'service closed',
      say: (scene, service, party) => ({ ...creation(scene, party, 'closed'), service }),
      real: (scene) => scene.closedServiceId,
      absent: absent.service,
      // P is on the whitelist of its own service.
      expected: { ...ownersOwn('NOT_FOUND'), counterpart: 'OK' },
    },
    {
      field: 'vpcId',
      say: (scene, vpcId, party) => ({ ...creation(scene, party, 'vpc'), vpcId }),
      real: ({ networks }) => networks.C.vpcId,
      absent: absent.vpc,
      expected: ownersOwn('OK'),
    },
    {
      field: 'zones.vswitchId',
      say: (scene, vswitchId, party) => ({
        ...creation(scene, party, 'vswitch'),
        zones: [{ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' }],
      }),
      real: ({ networks }) => networks.C.vswitchId,
      absent: absent.vswitch,
      expected: ownersOwn('OK'),
    },
    {
      field: 'securityGroupIds',
      say: (scene, id, party) => ({ ...creation(scene, party, 'group'), securityGroupIds: [id] }),
      real: ({ networks }) => networks.C.securityGroupId,
      absent: absent.securityGroup,
      expected: ownersOwn('OK'),
    },
  ],
  'consumer.getEndpoint': [ofEndpoint({}, { ...ownersToRead, service: 'OK' })],
  [LIST]: [
    noField(() => ({}), { ...shown, service: 'FULL' }, listed),
    {
      field: 'serviceId',
      say: (_scene, serviceId) => ({ serviceId }),
      real: (scene) => scene.serviceId,
      absent: absent.service,
      isIn: listed,
      expected: { ...shown, service: 'FULL' },
    },
    pageTokenRow(LIST, { ...nobody, owner: 'OK', ...notTheirs, service: 'INVALID_ARGUMENT' }),
    consistencyTokenRow(LIST, { ...eachAccounts('OK'), operator: 'OK', viewer: 'OK', service: 'OK' }),
  ],
  'consumer.updateEndpoint': [ofEndpoint({ description: 'mine', ...STALE }, stale)],
  'consumer.addEndpointZone': [
    ofEndpoint({ ...zoneIn(absent.vswitch), ...STALE }, stale),
    onEndpoint('zone.vswitchId', { ...ofVSwitch, as: zoneIn }),
  ],
  'consumer.removeEndpointZone': [ofEndpoint({ zoneId: ZONE, ...STALE }, stale), onEndpoint('vswitchId', ofVSwitch)],
  'consumer.attachSecurityGroup': [
    ofEndpoint({ securityGroupId: absent.securityGroup, ...STALE }, stale),
    onEndpoint('securityGroupId', ofGroup),
  ],
  'consumer.detachSecurityGroup': [
    ofEndpoint({ securityGroupId: absent.securityGroup, ...STALE }, stale),
    onEndpoint('securityGroupId', ofGroup),
  ],
  'consumer.setEndpointPolicy': [ofEndpoint({ policy: '', ...STALE }, stale)],
  'consumer.evaluatePolicy': [
    ofEndpoint({ action: 'oss:GetObject', resource: '*' }, { ...ownersToRead, counterpart: 'OK', service: 'OK' }),
  ],
  'consumer.createGatewayEndpoint': [gatewayIn('vpcId', 'OK'), gatewayIn('routeTableIds', 'ALREADY_EXISTS')],
  'consumer.getGatewayEndpoint': [ofGateway({}, ownersToRead)],
  [GATEWAYS]: [
    noField(() => ({}), shown, listedGateway),
    {
      field: 'vpcId',
      say: (_scene, vpcId) => ({ vpcId }),
      real: (scene) => scene.networks.C.vpcId,
      absent: absent.vpc,
      isIn: listedGateway,
      expected: shown,
    },
    pageTokenRow(GATEWAYS, { ...nobody, owner: 'OK', ...notTheirs }),
    consistencyTokenRow(GATEWAYS, { ...eachAccounts('OK'), operator: 'OK', viewer: 'OK' }),
  ],
  'consumer.setGatewayEndpointPolicy': [ofGateway({ policy: '', ...STALE }, stale)],
  'consumer.deleteGatewayEndpoint': [ofGateway(STALE, stale)],
  'consumer.lockEndpoint': [ofIdleEndpoint({ message: 'matrix' })],
  'consumer.unlockEndpoint': [ofIdleEndpoint({})],
  'consumer.confirmConnectionUpdated': [ofEndpoint({ endpointRevision: 0n }, services('OK'))],
  'consumer.deleteEndpoint': [ofEndpoint(STALE, staleAlsoToOperators)],
  'consumer.confirmConnectionDeleted': [ofEndpoint({}, services('FAILED_PRECONDITION'))],
  'consumer.settleEndpointCreation': [ofEndpoint({}, services('OK'))],
};
