import { domainToASCII } from 'node:url';
import type { Json } from '../../field-option.ts';
import {
  bandwidthFrom,
  canonicalAddress,
  compact,
  entriesOf,
  entryChanges,
  full,
  type Kind,
  pick,
  tagsRequest,
} from '../kind.ts';
import type { Call, Difference, Fields, Thing } from '../things.ts';

/** As many as a service may be created with. */
const RESOURCES_AT_CREATION = 10;

const resourceRequest = ({ resource_type, auto_allocated: _later, ...resource }: Fields): Fields => ({
  ...resource,
  resource_type: full('RESOURCE_TYPE', resource_type) ?? null,
});

const resourceKey = (resource: Fields): string => `${String(resource['zone_id'])}/${String(resource['resource_id'])}`;

const attach = (serviceId: string, resource: Fields): Call => ({
  rpc: 'AttachResource',
  request: { service_id: serviceId, resource: resourceRequest(resource) },
});
/** What is attached is allocated to new endpoints at first. */
const allocation = (serviceId: string, resource: Fields): Call => ({
  rpc: 'UpdateResource',
  request: { service_id: serviceId, ...pick(resource, 'resource_id', 'zone_id', 'auto_allocated') },
});
const withheld = (resource: Fields): boolean => resource['auto_allocated'] === false;

const addUser = (serviceId: string, { account_id, ...terms }: Fields): Call => ({
  rpc: 'AddServiceUser',
  request: {
    service_id: serviceId,
    account_id: account_id ?? null,
    // What is not said of a user holds no term.
    ...Object.fromEntries(Object.entries(terms).filter(([, term]) => term !== null)),
  },
});
const ofRegion = (rpc: 'AddSupportedRegion' | 'RemoveSupportedRegion', serviceId: string, region: Fields): Call => ({
  rpc,
  request: { service_id: serviceId, ...pick(region, 'region_id') },
});
const declareDomain = (serviceId: string, { domain_name }: Fields): Call => ({
  rpc: 'DeclareCustomDomain',
  request: { service_id: serviceId, domain_name: domain_name ?? null },
});

const plainUpdate = ({ id, marks }: Thing, differences: readonly Difference[]): readonly Call[] => {
  const fields = Object.fromEntries(differences.map(({ field, after }) => [field, after])) as Fields;
  const request = compact({
    ...pick(fields, 'description', 'zone_affinity'),
    address_type: full('ADDRESS_TYPE', fields['address_type']),
    connect_bandwidth: bandwidthFrom(fields['connect_bandwidth']),
    tags: fields['tags'] && tagsRequest(fields['tags'] as Fields, marks),
  });
  return Object.keys(request).length > 0
    ? [{ rpc: 'UpdateEndpointService', request: { service_id: id, ...request } }]
    : [];
};

/** A term that is not said is none. */
const withTerms = (user: Fields): Fields => ({
  ...pick(user, 'account_id'),
  auto_accept: user['auto_accept'] ?? null,
  max_connections: user['max_connections'] ?? null,
  approval_ttl: user['approval_ttl'] ?? null,
});

export const endpointService: Kind = {
  immutable: ['service_type', 'payer'],
  keyed: {
    resources: resourceKey,
    users: (user) => String(user['account_id']),
    custom_domains: (domain) => String(domain['domain_name']),
    supported_regions: (region) => String(region['region_id']),
  },
  changeable: { resources: ['auto_allocated'], users: 'all' },
  canonical: (fields) => ({
    ...fields,
    ...(fields['resources'] !== undefined && {
      resources: entriesOf(fields['resources']).map((resource) => ({
        ...resource,
        targets: entriesOf(resource['targets']).map((target) =>
          compact({ ...target, ip: canonicalAddress(target['ip']) }),
        ) as unknown as Json,
      })) as unknown as Json,
    }),
    ...(fields['users'] !== undefined && {
      users: entriesOf(fields['users']).map(withTerms) as unknown as Json,
    }),
    ...(fields['supported_regions'] !== undefined && {
      supported_regions: (fields['supported_regions'] as readonly Json[]).map((id) => ({ region_id: id })),
    }),
    ...(fields['custom_domains'] !== undefined && {
      custom_domains: (fields['custom_domains'] as readonly Json[]).map((domain) => ({
        domain_name: canonicalDomain(String(domain)),
      })),
    }),
  }),
  create: (name, fields, labels) => {
    const self = `ref:${name}`;
    const resources = entriesOf(fields['resources']);
    const create = compact({
      ...pick(fields, 'description', 'auto_accept', 'zone_affinity'),
      service_type: full('ENDPOINT_TYPE', fields['service_type']),
      payer: full('PAYER', fields['payer']),
      address_type: full('ADDRESS_TYPE', fields['address_type']),
      connect_bandwidth: bandwidthFrom(fields['connect_bandwidth']),
      resources: resources.slice(0, RESOURCES_AT_CREATION).map(resourceRequest) as unknown as Json,
      tags: labels as unknown as Json,
    });
    return [
      { rpc: 'CreateEndpointService', request: create },
      ...resources.slice(RESOURCES_AT_CREATION).map((resource) => attach(self, resource)),
      ...resources.filter(withheld).map((resource) => allocation(self, resource)),
      ...entriesOf(fields['users']).map((user) => addUser(self, user)),
      ...entriesOf(fields['custom_domains']).map((domain) => declareDomain(self, domain)),
      ...entriesOf(fields['supported_regions']).map((region) => ofRegion('AddSupportedRegion', self, region)),
    ];
  },
  change: (thing, differences) => {
    const { id } = thing;
    const resources = entryChanges(differences, 'resources');
    const users = entryChanges(differences, 'users');
    const domains = entryChanges(differences, 'custom_domains');
    const regions = entryChanges(differences, 'supported_regions');
    const autoAccept = differences.find(({ field }) => field === 'auto_accept');
    return [
      ...plainUpdate(thing, differences),
      ...(autoAccept
        ? [{ rpc: 'SetAutoAccept', request: { service_id: id, auto_accept: autoAccept.after ?? false } }]
        : []),
      ...resources.added.map((resource) => attach(id, resource)),
      ...[...resources.added.filter(withheld), ...resources.changed].map((resource) => allocation(id, resource)),
      ...resources.removed.map((resource) => ({
        rpc: 'DetachResource',
        request: { service_id: id, ...pick(resource, 'resource_id', 'zone_id') },
      })),
      ...[...users.added, ...users.changed].map((user) => addUser(id, user)),
      ...users.removed.map((user) => ({
        rpc: 'RemoveServiceUser',
        request: { service_id: id, ...pick(user, 'account_id') },
      })),
      ...regions.added.map((region) => ofRegion('AddSupportedRegion', id, region)),
      ...regions.removed.map((region) => ofRegion('RemoveSupportedRegion', id, region)),
      ...domains.added.map((domain) => declareDomain(id, domain)),
      ...domains.removed.map((domain) => ({
        rpc: 'RemoveCustomDomain',
        request: { service_id: id, ...pick(domain, 'domain_name') },
      })),
    ];
  },
  remove: ({ id }) => [{ rpc: 'DeleteEndpointService', request: { service_id: id } }],
};

const canonicalDomain = (text: string): string => {
  const [, star = '', rest = ''] = /^(\*\.)?(.*?)\.?$/.exec(text) ?? [];
  return `${star}${domainToASCII(rest) || rest}`;
};
