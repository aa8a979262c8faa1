import { ConnectionSide } from '@privatelink/proto/broker/v1/connection';
import {
  absent,
  consistencyTokenRow,
  type Expected,
  eachAccounts,
  nobody,
  noField,
  ownersToRead,
  pageTokenRow,
  type Row,
  type Rows,
  STALE,
  services,
  stale,
  staleAlsoToOperators,
} from './row.ts';
import { accounts, type Scene, ZONE } from './scene.ts';

const ofConnection = (field: 'connectionId' | 'endpointId', say: object, expected: Row['expected']): Row => ({
  field,
  say: (_scene, id) => ({ [field]: id, ...say }),
  real: (scene) => scene.endpointId,
  absent: absent.endpoint,
  expected,
});

const ofService = (say: object, expected: Row['expected'], isIn?: Row['isIn']): Row => ({
  field: 'serviceId',
  say: (_scene, serviceId) => ({ serviceId, ...say }),
  real: (scene) => scene.serviceId,
  absent: absent.service,
  expected,
  ...(isIn && { isIn }),
});

/** Whose pause it is: who is neither side must say it, a side may say its own. */
const ofPauses = (say: object, done: Expected): readonly Row[] => {
  const bySides = { ...nobody, owner: done, counterpart: done, stranger: 'NOT_FOUND' } as const;
  return [
    ofConnection('connectionId', say, { ...bySides, operator: 'INVALID_ARGUMENT' }),
    ofConnection(
      'connectionId',
      { ...say, side: ConnectionSide.PROVIDER },
      { ...bySides, counterpart: 'INVALID_ARGUMENT', operator: done },
    ),
  ];
};

const LIMITED = { trafficControlMode: 'TRAFFIC_CONTROL_MODE_BANDWIDTH_LIMIT', limitMbps: 100 };
const LIST = 'broker.listConnections';
const EVENTS = 'broker.listConnectionEvents';
const listed = (response: object, { endpointId }: Scene): boolean =>
  (response as { connections: readonly { connectionId: string }[] }).connections.some(
    ({ connectionId }) => connectionId === endpointId,
  );
const watched = (response: object, { endpointId }: Scene): boolean =>
  (response as { connection?: { connectionId: string } }).connection?.connectionId === endpointId;
const all = { operator: 'OK', viewer: 'OK', service: 'OK' };
const bothSides: Row['expected'] = { ...ownersToRead, counterpart: 'OK', service: 'OK' };
const shown: Row['expected'] = {
  ...{ owner: 'FULL', counterpart: 'FULL', stranger: 'EMPTY', billing: nobody.billing },
  ...{ operator: 'FULL', viewer: 'FULL', service: 'FULL' },
};
const EXPLAIN = 'broker.explainReachability';
const explained: Row['expected'] = { ...shown, service: nobody.service };
const isFound = (response: object): boolean =>
  (response as { obstacles: readonly { reason: string }[] }).obstacles.every(
    ({ reason }) => reason !== 'OBSTACLE_REASON_SERVICE_NOT_FOUND',
  );
const notTheirs = {
  ...{ counterpart: 'INVALID_ARGUMENT', stranger: 'INVALID_ARGUMENT' },
  ...{ operator: 'INVALID_ARGUMENT', viewer: 'INVALID_ARGUMENT', service: 'INVALID_ARGUMENT' },
};

/** Billing knows scopes, not owners: what there is and what there is not are all the same to it. */
const ofScope = ($case: 'resourceId' | 'accountId', real: string, none: string): Row => ({
  field: `scope.${$case}`,
  say: (_scene, value) => ({
    source: `matrix-${$case.toLowerCase()}`,
    sequence: 1n,
    scope: { scope: { $case, value } },
  }),
  ...{ real: () => real, absent: none, expected: { ...nobody, billing: 'OK', operator: 'OK' } },
});
const scopes = [
  ofScope('resourceId', `ep-${'2'.repeat(20)}`, absent.endpoint),
  ofScope('accountId', '8'.repeat(16), absent.account),
];

const snapshot = ({ serviceId, serviceName }: Scene) => ({
  ...{ serviceId, serviceName, serviceAccountId: accounts.P, serviceRevision: 1n, serviceRegion: 'cn-hangzhou' },
  ...{
    serviceType: 'ENDPOINT_TYPE_INTERFACE',
    payer: 'PAYER_ENDPOINT',
    autoAccept: false,
    resources: [],
    customDomains: [],
  },
});
const zones = [{ zoneId: ZONE, eniId: `eni-${'0'.repeat(20)}`, ipv4Address: '10.0.1.9', ipv6Address: '' }];
const requested: Row = {
  field: 'endpointId',
  say: (scene, endpointId) => ({
    ...{ endpointId, accountId: accounts.C, vpcId: absent.vpc, zones, admission: snapshot(scene), actor: 'user:carl' },
  }),
  real: (scene) => scene.endpointId,
  absent: absent.endpoint,
  expected: services('OK'),
};

export const brokerRows: Rows = {
  'broker.getConnection': [ofConnection('connectionId', {}, bothSides)],
  'broker.getConnectionTraffic': [ofConnection('connectionId', {}, bothSides)],
  [LIST]: [
    noField(() => ({}), shown, listed),
    ofService({}, shown, listed),
    pageTokenRow(LIST, { ...nobody, owner: 'OK', ...notTheirs }),
    consistencyTokenRow(LIST, { ...eachAccounts('OK'), ...all }),
  ],
  'broker.watchConnections': [
    { ...ofConnection('connectionId', {}, shown), isIn: watched },
    ofService({}, shown, watched),
  ],
  [EVENTS]: [
    ofConnection('connectionId', {}, bothSides),
    // The connection is what a stranger does not find, whatever the token.
    pageTokenRow(EVENTS, { ...nobody, owner: 'OK', ...notTheirs, stranger: 'NOT_FOUND' }),
  ],
  [EXPLAIN]: [
    ofConnection('endpointId', {}, { ...bothSides, service: nobody.service }),
    {
      field: 'service',
      say: (_scene, service, party) => ({ service, accountId: accounts[party] }),
      real: (scene) => scene.serviceId,
      absent: absent.service,
      expected: explained,
      isIn: isFound,
    },
    {
      field: 'service by name',
      say: (_scene, service, party) => ({ service, accountId: accounts[party] }),
      real: (scene) => scene.serviceName,
      absent: `com.privatelink.cn-hangzhou.${absent.service}`,
      expected: explained,
      isIn: isFound,
    },
    // Of the service's owner, and of the account itself.
    {
      field: 'accountId',
      say: ({ serviceId }, accountId) => ({ service: serviceId, accountId }),
      real: () => accounts.C,
      absent: absent.account,
      expected: explained,
      isIn: isFound,
    },
  ],
  'broker.acceptConnection': [ofConnection('connectionId', STALE, staleAlsoToOperators)],
  'broker.rejectConnection': [ofConnection('connectionId', STALE, staleAlsoToOperators)],
  // Nothing is paused, and the service's zones are not touched.
  'broker.resumeConnection': ofPauses({}, 'OK'),
  'broker.pauseConnection': ofPauses(STALE, 'ABORTED'),
  'broker.replaceZoneResource': [
    ofConnection('connectionId', { ...STALE, zoneId: ZONE, resourceId: 'nlb-1' }, stale),
    {
      field: 'resourceId',
      say: ({ endpointId }, resourceId) => ({ ...STALE, connectionId: endpointId, zoneId: ZONE, resourceId }),
      real: () => 'nlb-1',
      absent: 'nlb-0',
      expected: stale,
    },
  ],
  'broker.setConnectionBandwidth': [ofConnection('connectionId', { ...STALE, bandwidth: LIMITED }, stale)],
  'broker.enableZoneConnection': [ofConnection('connectionId', { ...STALE, zoneId: ZONE }, staleAlsoToOperators)],
  'broker.disableZoneConnection': [ofConnection('connectionId', { ...STALE, zoneId: ZONE }, staleAlsoToOperators)],
  'broker.reportPaymentOverdue': scopes,
  'broker.reportPaymentSettled': scopes,
  'broker.requestConnection': [
    requested,
    {
      ...requested,
      field: 'accountId',
      say: (scene, accountId) => ({ ...requested.say(scene, scene.endpointId, 'P'), accountId }),
      real: () => accounts.S,
      absent: absent.account,
    },
    {
      ...requested,
      field: 'vpcId',
      say: (scene, vpcId) => ({ ...requested.say(scene, scene.endpointId, 'P'), vpcId }),
      real: ({ networks }) => networks.S.vpcId,
      absent: absent.vpc,
    },
  ],
  // Of a revision that is past: nothing changes; a connection that is not there is no secret to a service.
  'broker.updateConnection': [ofConnection('endpointId', { zones, endpointRevision: 0n }, services('OK'))],
  // Never the real one, which would be deleted: to a service both are the same.
  'broker.deleteConnection': [
    { ...ofConnection('endpointId', {}, services('OK')), real: () => `ep-${'3'.repeat(20)}` },
  ],
  // Refused, since connections are up.
  'broker.closeService': [ofService({ serviceRevision: 0n, force: false }, services('OK'))],
  'broker.closeResource': [
    ofService({ zoneId: ZONE, resourceId: 'nlb-0', serviceRevision: 0n }, services('OK')),
    {
      field: 'resourceId',
      say: ({ serviceId }, resourceId) => ({ serviceId, resourceId, zoneId: ZONE, serviceRevision: 0n }),
      real: () => 'nlb-1',
      absent: 'nlb-0',
      expected: services('OK'),
    },
  ],
  'broker.recordServiceFact': [
    ofService({ fact: { $case: 'userAdded', value: accounts.C }, serviceRevision: 0n }, services('OK')),
    {
      field: 'exceptAccountIds',
      say: ({ serviceId }, accountId) => ({
        ...{ serviceId, serviceRevision: 0n, exceptAccountIds: [accountId] },
        fact: { $case: 'userRemoved', value: absent.account },
      }),
      real: () => accounts.C,
      absent: absent.account,
      expected: services('OK'),
    },
  ],
  'broker.watchZone': [noField(() => ({ zoneId: 'zone-of-nobody', agent: 'matrix' }), services('OK'))],
  // Of a generation that is past: nothing changes, whether there is such a connection or not.
  'broker.reportForwarding': [
    ofConnection('connectionId', { zoneId: ZONE, state: 'FORWARDING_STATE_READY' }, services('OK')),
  ],
  // As it is known: nothing changes.
  'broker.reportZoneHealth': [ofConnection('connectionId', { zoneId: ZONE, healthy: true }, services('OK'))],
  // The first report of a meter, which counts nothing.
  'broker.reportTraffic': [
    {
      field: 'meterId',
      say: (_scene, meterId) => ({ zoneId: 'zone-of-nobody', meterId }),
      real: () => 'meter-1',
      absent: 'meter-0',
      expected: services('OK'),
    },
  ],
};
