import type { Json } from '../../field-option.ts';
import { pick } from '../kind.ts';
import type { Fields } from '../things.ts';

/** A thing of the modelled world. */
export type Row = { [field: string]: Json };

export const tagsOf = (request: Fields): Json => ((request['tags'] as Fields | undefined)?.['tags'] ?? []) as Json;

export const list = (thing: Row, field: string): Row[] => thing[field] as unknown as Row[];
const put = (thing: Row, field: string, entries: readonly Json[]): void => {
  thing[field] = entries as Json;
};
const without = (thing: Row, field: string, isIt: (entry: Row) => boolean): void =>
  put(
    thing,
    field,
    list(thing, field).filter((entry) => !isIt(entry)),
  );

const plainly = (thing: Row, request: Fields, ...fields: readonly string[]): void => {
  Object.assign(thing, pick(request, ...fields), request['tags'] === undefined ? {} : { tags: tagsOf(request) });
};

/** What calls do to the thing whose id stands in a field of their request. */
export const changers: Readonly<Record<string, readonly [id: string, (thing: Row, request: Fields) => void]>> = {
  UpdateEndpointService: [
    'service_id',
    (thing, request) => plainly(thing, request, 'description', 'zone_affinity', 'address_type'),
  ],
  SetAutoAccept: ['service_id', (thing, request) => plainly(thing, request, 'auto_accept')],
  AttachResource: [
    'service_id',
    (thing, request) =>
      put(thing, 'resources', [
        ...list(thing, 'resources'),
        { auto_allocated: true, ...(request['resource'] as Fields) },
      ]),
  ],
  UpdateResource: [
    'service_id',
    (thing, request) => {
      for (const each of list(thing, 'resources'))
        if (each['resource_id'] === request['resource_id']) Object.assign(each, pick(request, 'auto_allocated'));
    },
  ],
  DetachResource: [
    'service_id',
    (thing, request) => without(thing, 'resources', (each) => each['resource_id'] === request['resource_id']),
  ],
  AddServiceUser: [
    'service_id',
    (thing, request) => {
      without(thing, 'users', (each) => each['account_id'] === request['account_id']);
      put(thing, 'users', [
        ...list(thing, 'users'),
        pick(request, 'account_id', 'auto_accept', 'max_connections', 'approval_ttl'),
      ]);
    },
  ],
  RemoveServiceUser: [
    'service_id',
    (thing, request) => without(thing, 'users', (each) => each['account_id'] === request['account_id']),
  ],
  DeclareCustomDomain: [
    'service_id',
    (thing, request) => put(thing, 'custom_domains', [...list(thing, 'custom_domains'), pick(request, 'domain_name')]),
  ],
  RemoveCustomDomain: [
    'service_id',
    (thing, request) => without(thing, 'custom_domains', (each) => each['domain_name'] === request['domain_name']),
  ],
  AddSupportedRegion: [
    'service_id',
    (thing, request) =>
      put(thing, 'supported_regions', [...list(thing, 'supported_regions'), pick(request, 'region_id')]),
  ],
  RemoveSupportedRegion: [
    'service_id',
    (thing, request) => without(thing, 'supported_regions', (each) => each['region_id'] === request['region_id']),
  ],
  UpdateEndpoint: [
    'endpoint_id',
    (thing, request) => plainly(thing, request, 'description', 'protected', 'zone_affinity'),
  ],
  AttachSecurityGroup: [
    'endpoint_id',
    (thing, request) =>
      put(thing, 'security_group_ids', [
        ...(list(thing, 'security_group_ids') as Json[]),
        request['security_group_id'] ?? null,
      ]),
  ],
  DetachSecurityGroup: [
    'endpoint_id',
    (thing, request) =>
      put(
        thing,
        'security_group_ids',
        (list(thing, 'security_group_ids') as Json[]).filter((id) => id !== request['security_group_id']),
      ),
  ],
  AddEndpointZone: [
    'endpoint_id',
    (thing, request) => put(thing, 'zones', [...list(thing, 'zones'), request['zone'] ?? null]),
  ],
  RemoveEndpointZone: [
    'endpoint_id',
    (thing, request) => without(thing, 'zones', (each) => each['vswitch_id'] === request['vswitch_id']),
  ],
  AddRoute: [
    'route_table_id',
    (thing, request) => put(thing, 'routes', [...list(thing, 'routes'), pick(request, 'destination_cidr', 'next_hop')]),
  ],
  RemoveRoute: [
    'route_table_id',
    (thing, request) => without(thing, 'routes', (each) => each['destination_cidr'] === request['destination_cidr']),
  ],
  AcceptConnection: ['connection_id', (thing) => Object.assign(thing, { decision: 'DECISION_ACCEPTED' })],
  RejectConnection: ['connection_id', (thing) => Object.assign(thing, { decision: 'DECISION_REJECTED' })],
};
