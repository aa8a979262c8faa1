import type { Json } from '../../field-option.ts';
import { canonicalAddress, compact, entriesOf, entryChanges, type Kind, type Labels, pick } from '../kind.ts';
import type { Call, Fields } from '../things.ts';

const withTags = (labels: Labels): Fields => ({ tags: { tags: labels as unknown as Json } });

const ranges = (fields: Fields): Fields =>
  compact({
    ...fields,
    ipv4_cidr: fields['ipv4_cidr'],
    ipv6_cidr: canonicalAddress(fields['ipv6_cidr']),
  });

export const vpc: Kind = {
  immutable: ['region_id', 'ipv4_cidr', 'ipv6_cidr', 'tags'],
  keyed: {},
  changeable: {},
  canonical: ranges,
  create: (_name, fields, labels) => [
    { rpc: 'RegisterVpc', request: { ...pick(fields, 'region_id', 'ipv4_cidr', 'ipv6_cidr'), ...withTags(labels) } },
  ],
  change: () => [],
  remove: ({ id }) => [{ rpc: 'DeregisterVpc', request: { vpc_id: id } }],
};

const inVpc = ({ fields }: Readonly<{ fields: Fields }>): Fields => pick(fields, 'vpc_id');

export const vswitch: Kind = {
  immutable: ['vpc_id', 'zone_id', 'ipv4_cidr', 'ipv6_cidr', 'tags'],
  keyed: {},
  changeable: {},
  canonical: ranges,
  create: (_name, fields, labels) => [
    {
      rpc: 'RegisterVSwitch',
      request: { ...pick(fields, 'vpc_id', 'zone_id', 'ipv4_cidr', 'ipv6_cidr'), ...withTags(labels) },
    },
  ],
  change: () => [],
  remove: (thing) => [{ rpc: 'DeregisterVSwitch', request: { ...inVpc(thing), vswitch_id: thing.id } }],
};

/** As the ledger keeps them: by priority, the given order among equals. */
const byPriority = (a: Fields, b: Fields): number => Number(a['priority']) - Number(b['priority']);

export const securityGroup: Kind = {
  immutable: ['vpc_id', 'rules', 'tags'],
  keyed: {},
  changeable: {},
  canonical: (fields) => ({
    ...fields,
    rules: entriesOf(fields['rules'])
      .map((rule) => compact({ ...rule, source_cidr: canonicalAddress(rule['source_cidr']) }))
      .toSorted(byPriority) as unknown as Json,
  }),
  create: (_name, fields, labels) => {
    const rules = entriesOf(fields['rules']).map(({ policy, ...rule }) => ({
      ...rule,
      policy: `SECURITY_GROUP_POLICY_${String(policy)}`,
    }));
    return [
      {
        rpc: 'RegisterSecurityGroup',
        request: { ...pick(fields, 'vpc_id'), rules: rules as unknown as Json, ...withTags(labels) },
      },
    ];
  },
  change: () => [],
  remove: (thing) => [{ rpc: 'DeregisterSecurityGroup', request: { ...inVpc(thing), security_group_id: thing.id } }],
};

const addRoute = (table: Fields, route: Fields): Call => ({ rpc: 'AddRoute', request: { ...table, ...route } });
const removeRoute = (table: Fields, route: Fields): Call => ({
  rpc: 'RemoveRoute',
  request: { ...table, ...pick(route, 'destination_cidr') },
});

export const routeTable: Kind = {
  immutable: ['vpc_id', 'tags'],
  keyed: { routes: (route) => String(route['destination_cidr']) },
  changeable: { routes: 'all' },
  canonical: (fields) => ({
    ...fields,
    ...(fields['routes'] !== undefined && {
      routes: entriesOf(fields['routes']).map((route) =>
        compact({ ...route, destination_cidr: canonicalAddress(route['destination_cidr']) }),
      ) as unknown as Json,
    }),
  }),
  create: (name, fields, labels) => [
    { rpc: 'RegisterRouteTable', request: { ...pick(fields, 'vpc_id'), ...withTags(labels) } },
    ...entriesOf(fields['routes']).map((route) =>
      addRoute({ ...pick(fields, 'vpc_id'), route_table_id: `ref:${name}` }, route),
    ),
  ],
  change: (thing, differences) => {
    const table = { ...inVpc(thing), route_table_id: thing.id };
    const { added, changed, removed } = entryChanges(differences, 'routes');
    return [
      ...[...removed, ...changed].map((route) => removeRoute(table, route)),
      ...[...changed, ...added].map((route) => addRoute(table, route)),
    ];
  },
  remove: (thing) => {
    const table = { ...inVpc(thing), route_table_id: thing.id };
    const routes = entriesOf(thing.fields['routes']).map((route) => removeRoute(table, route));
    return [...routes, { rpc: 'DeregisterRouteTable', request: table }];
  },
};
