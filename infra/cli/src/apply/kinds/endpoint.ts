import type { Json } from '../../field-option.ts';
import { canonicalAddress, compact, entriesOf, entryChanges, full, type Kind, pick, tagsRequest } from '../kind.ts';
import type { Call, Difference, Fields, Thing } from '../things.ts';

const policyText = (policy: Json | undefined): string | undefined =>
  policy === undefined ? undefined : JSON.stringify(policy);

const plainUpdate = ({ id, marks }: Thing, differences: readonly Difference[]): readonly Call[] => {
  const fields = Object.fromEntries(differences.map(({ field, after }) => [field, after])) as Fields;
  const request = compact({
    ...pick(fields, 'description', 'protected', 'custom_domain_enabled', 'zone_affinity'),
    address_type: full('ADDRESS_TYPE', fields['address_type']),
    tags: fields['tags'] && tagsRequest(fields['tags'] as Fields, marks),
  });
  return [
    ...(Object.keys(request).length > 0 ? [{ rpc: 'UpdateEndpoint', request: { endpoint_id: id, ...request } }] : []),
    ...(fields['policy'] === undefined
      ? []
      : [{ rpc: 'SetEndpointPolicy', request: { endpoint_id: id, policy: policyText(fields['policy']) ?? '' } }]),
  ];
};

/** An endpoint keeps a zone and a group at any time, and has one interface in each zone: what goes and what comes. */
const zoneChanges = (id: string, differences: readonly Difference[], kept: number): readonly Call[] => {
  const { added, removed } = entryChanges(differences, 'zones');
  const adding = added.map((zone) => ({ rpc: 'AddEndpointZone', request: { endpoint_id: id, zone } }));
  const removing = removed.map((zone) => ({
    rpc: 'RemoveEndpointZone',
    request: { endpoint_id: id, ...pick(zone, 'zone_id', 'vswitch_id') },
  }));
  return kept === 0 ? [...adding, ...removing] : [...removing, ...adding];
};

const groupChanges = (id: string, differences: readonly Difference[]): readonly Call[] => {
  const { added, removed } = entryChanges(differences, 'security_group_ids');
  return [
    ...added.map((group) => ({
      rpc: 'AttachSecurityGroup',
      request: { endpoint_id: id, ...pick(group, 'security_group_id') },
    })),
    ...removed.map((group) => ({
      rpc: 'DetachSecurityGroup',
      request: { endpoint_id: id, ...pick(group, 'security_group_id') },
    })),
  ];
};

/** The last label of a service's name is its id. */
const serviceId = (service: string): string => service.slice(service.lastIndexOf('.') + 1);

export const endpoint: Kind = {
  immutable: ['service', 'service_region', 'endpoint_type', 'vpc_id', 'targets'],
  keyed: {
    zones: (zone) => String(zone['vswitch_id']),
    security_group_ids: (group) => String(group['security_group_id']),
  },
  changeable: {},
  canonical: (fields) => ({
    ...fields,
    ...(fields['service'] !== undefined && { service: serviceId(String(fields['service'])) }),
    ...(fields['zones'] !== undefined && {
      zones: entriesOf(fields['zones']).map((zone) =>
        compact({ ...zone, ipv6_address: canonicalAddress(zone['ipv6_address']) }),
      ) as unknown as Json,
    }),
    ...(fields['security_group_ids'] !== undefined && {
      security_group_ids: (fields['security_group_ids'] as readonly Json[]).map((id) => ({ security_group_id: id })),
    }),
  }),
  create: (_name, fields, labels) => [
    {
      rpc: 'CreateEndpoint',
      request: compact({
        ...pick(fields, 'service', 'service_region', 'vpc_id', 'zones', 'description', 'protected'),
        ...pick(fields, 'custom_domain_enabled', 'zone_affinity', 'targets'),
        security_group_ids: entriesOf(fields['security_group_ids']).map((group) => group['security_group_id'] ?? null),
        endpoint_type: full('ENDPOINT_TYPE', fields['endpoint_type']),
        address_type: full('ADDRESS_TYPE', fields['address_type']),
        policy: policyText(fields['policy']),
        tags: labels as unknown as Json,
      }),
    },
  ],
  change: (thing, differences) => {
    const there = entriesOf(thing.fields['zones']).length;
    const kept = there - entryChanges(differences, 'zones').removed.length;
    return [
      ...plainUpdate(thing, differences),
      ...groupChanges(thing.id, differences),
      ...zoneChanges(thing.id, differences, kept),
    ];
  },
  remove: ({ id }) => [{ rpc: 'DeleteEndpoint', request: { endpoint_id: id } }],
};
