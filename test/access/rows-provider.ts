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
import { accounts, resource, type Scene, ZONE } from './scene.ts';

const ofService = (say: object, expected: Row['expected']): Row => ({
  field: 'serviceId',
  say: (_scene, serviceId, party) => ({ requestId: `matrix-${party}`, serviceId, ...say }),
  real: (scene) => scene.serviceId,
  absent: absent.service,
  expected,
});

/** Whose account it is says nothing: the service is what may be foreign. */
const ofAccount = (): Row => ({
  field: 'accountId',
  say: ({ serviceId }, accountId) => ({ serviceId, accountId, ...STALE }),
  real: () => accounts.C,
  absent: absent.account,
  expected: stale,
});

const LIST = 'provider.listEndpointServices';
const USERS = 'provider.listServiceUsers';
const RESOURCES = 'provider.listResources';
const VISIBLE = 'provider.listVisibleServices';
const listed = (response: object, { serviceId }: Scene): boolean =>
  (response as { endpointServices: readonly { serviceId: string }[] }).endpointServices.some(
    (service) => service.serviceId === serviceId,
  );
const all = { operator: 'OK', viewer: 'OK', service: 'OK' };
const notTheirs = { counterpart: 'INVALID_ARGUMENT', stranger: 'INVALID_ARGUMENT' };
const others = { operator: 'INVALID_ARGUMENT', viewer: 'INVALID_ARGUMENT' };

/** One that nothing else is tried on. */
const ofClosedService = (say: object, expected: Row['expected']): Row => ({
  ...ofService(say, expected),
  real: (scene) => scene.closedServiceId,
});
const operators = { ...nobody, operator: 'OK' };

const admit = { endpointType: 'ENDPOINT_TYPE_INTERFACE', zoneIds: [ZONE] };
const newEndpoint = `ep-${'1'.repeat(20)}`;

export const providerRows: Rows = {
  'provider.createEndpointService': [
    noField((_scene, _id, party) => ({ requestId: `matrix-${party}`, resources: [resource('nlb-9')] }), {
      ...eachAccounts('OK'),
    }),
  ],
  'provider.getEndpointService': [
    ofService({}, { ...ownersToRead, counterpart: 'OK', service: 'OK' }),
    {
      field: 'serviceId by name',
      say: (_scene, serviceId) => ({ serviceId }),
      real: (scene) => scene.serviceName,
      absent: `com.privatelink.cn-hangzhou.${absent.service}`,
      expected: { ...ownersToRead, counterpart: 'OK', service: 'OK' },
    },
    {
      field: 'serviceId closed',
      say: (_scene, serviceId) => ({ serviceId }),
      real: (scene) => scene.closedServiceId,
      absent: absent.service,
      expected: { ...ownersToRead, service: 'OK' },
    },
  ],
  [LIST]: [
    noField(
      () => ({}),
      {
        ...{ owner: 'FULL', counterpart: 'EMPTY', stranger: 'EMPTY', billing: nobody.billing },
        ...{ operator: 'FULL', viewer: 'FULL', service: 'FULL' },
      },
      listed,
    ),
    pageTokenRow(LIST, { ...nobody, owner: 'OK', ...notTheirs, ...others, service: 'INVALID_ARGUMENT' }),
    consistencyTokenRow(LIST, { ...eachAccounts('OK'), ...all }),
  ],
  [VISIBLE]: [
    noField(() => ({}), { ...nobody, owner: 'FULL', counterpart: 'FULL', stranger: 'EMPTY' }, listed),
    pageTokenRow(VISIBLE, { ...nobody, owner: 'OK', ...notTheirs }),
    consistencyTokenRow(VISIBLE, eachAccounts('OK')),
  ],
  'provider.updateEndpointService': [ofService({ description: 'mine', ...STALE }, stale)],
  'provider.deleteEndpointService': [ofService({ force: true, ...STALE }, staleAlsoToOperators)],
  'provider.attachResource': [ofService({ resource: resource('nlb-3'), ...STALE }, stale)],
  'provider.detachResource': [
    ofService({ resourceId: 'nlb-1', zoneId: ZONE, ...STALE }, stale),
    {
      field: 'resourceId',
      say: ({ serviceId }, resourceId) => ({ serviceId, resourceId, zoneId: ZONE, ...STALE }),
      real: () => 'nlb-1',
      absent: 'nlb-0',
      expected: stale,
    },
  ],
  'provider.updateResource': [
    ofService({ resourceId: 'nlb-1', zoneId: ZONE, autoAllocated: false, ...STALE }, stale),
    {
      field: 'resourceId',
      say: ({ serviceId }, resourceId) => ({ serviceId, resourceId, zoneId: ZONE, ...STALE }),
      real: () => 'nlb-1',
      absent: 'nlb-0',
      expected: stale,
    },
  ],
  [RESOURCES]: [
    ofService({}, { ...ownersToRead, service: 'OK' }),
    pageTokenRow(RESOURCES, { ...ownersOwn('OK'), ...others, service: 'INVALID_ARGUMENT' }),
  ],
  'provider.addServiceUser': [ofService({ accountId: absent.account, ...STALE }, stale), ofAccount()],
  'provider.removeServiceUser': [ofService({ accountId: accounts.C, ...STALE }, stale), ofAccount()],
  [USERS]: [
    ofService({}, ownersToRead),
    // The service is what a stranger does not find, whatever the token.
    pageTokenRow(USERS, { ...ownersOwn('OK'), ...others }),
  ],
  'provider.setAutoAccept': [ofService({ autoAccept: false, ...STALE }, stale)],
  'provider.declareCustomDomain': [ofService({ domainName: 'db.example.com', ...STALE }, stale)],
  'provider.verifyCustomDomain': [ofService({ domainName: 'db.example.com', ...STALE }, stale)],
  'provider.removeCustomDomain': [ofService({ domainName: 'db.example.com', ...STALE }, stale)],
  'provider.addSupportedRegion': [ofService({ regionId: 'cn-shanghai', ...STALE }, stale)],
  'provider.removeSupportedRegion': [ofService({ regionId: 'cn-shanghai', force: true, ...STALE }, stale)],
  'provider.setPlatformAccount': [
    {
      field: 'accountId',
      say: (_scene, accountId, party) => ({ requestId: `matrix-${party}`, accountId, platform: false }),
      real: () => accounts.S,
      absent: absent.account,
      expected: operators,
    },
  ],
  'provider.getProviderAccount': [
    {
      field: 'accountId',
      say: (_scene, accountId) => ({ accountId }),
      real: () => accounts.P,
      absent: absent.account,
      expected: ownersToRead,
    },
  ],
  'provider.lockEndpointService': [ofClosedService({ message: 'matrix' }, operators)],
  'provider.unlockEndpointService': [ofClosedService({}, operators)],
  // To the broker everything is told: what its caller may know of it, the broker knows.
  'provider.explainAdmission': [
    {
      field: 'service',
      say: (_scene, service) => ({ service, accountId: accounts.S }),
      real: (scene) => scene.serviceId,
      absent: absent.service,
      expected: services('OK'),
    },
    {
      field: 'accountId',
      say: ({ serviceId }, accountId) => ({ service: serviceId, accountId }),
      real: () => accounts.S,
      absent: absent.account,
      expected: services('OK'),
    },
  ],
  'provider.admitEndpoint': [
    {
      field: 'service',
      say: (_scene, service) => ({ service, endpointId: newEndpoint, accountId: absent.account, ...admit }),
      real: (scene) => scene.serviceId,
      absent: absent.service,
      expected: services('NOT_FOUND'),
    },
    {
      field: 'endpointId',
      say: ({ serviceId }, endpointId) => ({ service: serviceId, endpointId, accountId: accounts.C, ...admit }),
      real: (scene) => scene.endpointId,
      absent: newEndpoint,
      expected: services('OK'),
    },
    {
      field: 'accountId',
      say: ({ serviceId }, accountId) => ({ service: serviceId, endpointId: newEndpoint, accountId, ...admit }),
      real: () => accounts.S,
      absent: absent.account,
      expected: services('NOT_FOUND'),
    },
  ],
  'provider.releaseAdmission': [
    {
      field: 'serviceId',
      say: (_scene, serviceId) => ({ serviceId, endpointId: absent.endpoint }),
      real: (scene) => scene.serviceId,
      absent: absent.service,
      expected: services('OK'),
    },
    {
      field: 'endpointId',
      say: ({ serviceId }, endpointId) => ({ serviceId, endpointId }),
      real: () => newEndpoint,
      absent: absent.endpoint,
      expected: services('OK'),
    },
  ],
  'provider.confirmServiceTeardown': [ofService({ serviceRevision: 1n, connectionCount: 0n }, services('OK'))],
};
