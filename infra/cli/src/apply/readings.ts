import type { Answer } from '../call.ts';
import type { Json } from '../field-option.ts';
import { compact, entriesOf, pick, short } from './kind.ts';
import type { Fields, Thing } from './things.ts';

const OURS = 'privatelink/';

/** Labels, ours apart from the others. */
const tagsOf = (message: Fields): Readonly<{ tags: Fields; marks: Thing['marks'] }> => {
  const all = entriesOf(message['tags']).map(({ key, value }) => [String(key), String(value)] as const);
  return {
    tags: Object.fromEntries(all.filter(([key]) => !key.startsWith(OURS))),
    marks: Object.fromEntries(all.filter(([key]) => key.startsWith(OURS))),
  };
};

const said = (value: Json | undefined): Json | undefined => (value === '' || value === null ? undefined : value);

const limit = (bandwidth: Json | undefined): Json | undefined =>
  bandwidth === undefined || bandwidth === null ? undefined : pick(bandwidth as Fields, 'limit_mbps');

/** A VPC and everything in it. */
export const vpcThings = (account: string, answer: Answer): readonly Thing[] => {
  const vpc = answer['vpc'] as Fields;
  const revision = String(answer['revision']);
  const vpcId = String(vpc['vpc_id']);
  const thing = (kind: Thing['kind'], id: Json | undefined, message: Fields, fields: Fields): Thing => {
    const { tags, marks } = tagsOf(message);
    return { ...{ kind, account, id: String(id), marks, revision }, fields: { ...fields, tags } };
  };
  const ranges = (message: Fields): Fields =>
    compact({ ipv4_cidr: message['ipv4_cidr'], ipv6_cidr: said(message['ipv6_cidr']) });
  return [
    thing('Vpc', vpcId, vpc, { ...pick(vpc, 'region_id'), ...ranges(vpc) }),
    ...entriesOf(vpc['vswitches']).map((each) =>
      thing('VSwitch', each['vswitch_id'], each, { vpc_id: vpcId, ...pick(each, 'zone_id'), ...ranges(each) }),
    ),
    ...entriesOf(vpc['security_groups']).map((each) => {
      const rules = entriesOf(each['rules']).map((rule) => ({
        ...rule,
        policy: short('SECURITY_GROUP_POLICY', rule['policy']) ?? 'ALLOW',
      }));
      return thing('SecurityGroup', each['security_group_id'], each, {
        vpc_id: vpcId,
        rules: rules as unknown as Json,
      });
    }),
    ...entriesOf(vpc['route_tables']).map((each) => {
      // Those of a gateway endpoint come and go with it.
      const routes = entriesOf(each['routes']).filter((route) => String(route['next_hop']).startsWith('ep-'));
      return thing('RouteTable', each['route_table_id'], each, { vpc_id: vpcId, routes: routes as unknown as Json });
    }),
  ];
};

export const endpointServiceThing = (account: string, answer: Answer, users: readonly Answer[]): Thing => {
  const service = answer['endpoint_service'] as Fields;
  const { tags, marks } = tagsOf(service);
  const terms = service['bandwidth_terms'] as Fields | undefined;
  const regions = entriesOf(service['supported_regions']).filter(
    ({ status }) => short('SUPPORTED_REGION_STATUS', status) !== 'DELETING',
  );
  const others = users.filter((user) => user['account_id'] !== service['account_id']);
  return {
    ...{ kind: 'EndpointService', account, id: String(service['service_id']), marks },
    revision: String(answer['revision']),
    fields: compact({
      service_type: short('ENDPOINT_TYPE', service['service_type']),
      ...pick(service, 'description', 'auto_accept', 'zone_affinity'),
      payer: short('PAYER', service['payer']),
      address_type: short('ADDRESS_TYPE', service['address_type']),
      connect_bandwidth: limit(terms?.['connect_bandwidth']),
      tags,
      resources: entriesOf(service['resources']).map((resource) =>
        compact({
          ...resource,
          resource_type: short('RESOURCE_TYPE', resource['resource_type']),
          vpc_id: said(resource['vpc_id']),
        }),
      ) as unknown as Json,
      users: others.map((user) =>
        pick(user, 'account_id', 'auto_accept', 'max_connections', 'approval_ttl'),
      ) as unknown as Json,
      supported_regions: regions.map(({ region_id }) => region_id ?? null),
      custom_domains: entriesOf(service['custom_domains']).map(({ domain_name }) => domain_name ?? null),
    }),
  };
};

export const endpointThing = (account: string, answer: Answer): Thing => {
  const endpoint = answer['endpoint'] as Fields;
  const { tags, marks } = tagsOf(endpoint);
  const policy = said(endpoint['policy']);
  const targets = entriesOf(endpoint['targets']).map((target) => pick(target, 'ip', 'port'));
  return {
    ...{ kind: 'Endpoint', account, id: String(endpoint['endpoint_id']), marks },
    revision: String(answer['revision']),
    fields: compact({
      service: endpoint['service_id'],
      ...pick(endpoint, 'service_region'),
      endpoint_type: short('ENDPOINT_TYPE', endpoint['endpoint_type']),
      ...pick(endpoint, 'vpc_id', 'security_group_ids', 'description', 'protected'),
      zones: entriesOf(endpoint['zones']).map((zone) =>
        compact({
          ...pick(zone, 'vswitch_id', 'zone_id', 'ipv4_address'),
          ipv6_address: said(zone['ipv6_address']),
        }),
      ) as unknown as Json,
      tags,
      policy: policy === undefined ? undefined : (JSON.parse(String(policy)) as Json),
      address_type: short('ADDRESS_TYPE', endpoint['address_type']),
      ...pick(endpoint, 'custom_domain_enabled', 'zone_affinity'),
      targets: targets.length > 0 ? (targets as unknown as Json) : undefined,
    }),
  };
};

export const connectionThing = (account: string, answer: Answer): Thing => {
  const connection = answer['connection'] as Fields;
  const enabled = entriesOf(connection['zones']).filter((zone) => zone['enabled'] === true);
  return {
    ...{ kind: 'Acceptance', account, id: String(connection['connection_id']), marks: {} },
    revision: String(answer['revision']),
    fields: compact({
      connection_id: connection['connection_id'],
      decision: short('DECISION', connection['decision']),
      expire_time: said(connection['expire_time']),
      zone_ids: enabled.map(({ zone_id }) => zone_id ?? null),
      bandwidth: limit(connection['bandwidth']),
    }),
  };
};
