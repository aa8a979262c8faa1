import { z } from 'zod';
import type { KindName } from './things.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const name = z.string().regex(NAME, 'must be 1 to 63 characters of [a-z0-9-]');
const text = z.string();
const description = z.string().max(256).describe('Free text.');
const tags = z
  .record(z.string().regex(/^(?!privatelink\/)/, 'must not begin with privatelink/'), z.string())
  .describe('Labels, besides those by which the set finds it again.');
const idOr = (kind: KindName) => text.min(1).describe(`An id, or \`ref:\` and the name of a ${kind} of the set.`);
const port = z.number().int().min(0).max(65_535);
const cidr = (what: string) => text.describe(what);

const common = {
  name: name.describe('Unique in the set; another name is another thing.'),
  account: text
    .optional()
    .describe('A key of `accounts`, or 16 digits; the `account` of the first document if absent.'),
  id: text.optional().describe('Of a thing that is there already: it is changed, and never pruned.'),
};

const vpc = z.strictObject({
  kind: z.literal('Vpc'),
  ...common,
  region_id: text.optional().describe('That of the services when absent.'),
  ipv4_cidr: cidr('IPv4 range, prefix length 8 to 28.'),
  ipv6_cidr: cidr('IPv6 range, prefix length 48 to 64.').optional(),
  tags: tags.optional(),
});

const vswitch = z.strictObject({
  kind: z.literal('VSwitch'),
  ...common,
  vpc_id: idOr('Vpc'),
  zone_id: text,
  ipv4_cidr: cidr('IPv4 range, prefix length 16 to 29.'),
  ipv6_cidr: cidr('IPv6 range, prefix length 64.').optional(),
  tags: tags.optional(),
});

const rule = z.strictObject({
  policy: z.enum(['ALLOW', 'DENY']).default('ALLOW'),
  protocol: z.enum(['tcp', 'udp', 'all']).default('all'),
  from_port: port.default(0),
  to_port: port.default(65_535),
  source_cidr: cidr('Who is at the far end.'),
  priority: z.number().int().min(1).max(100).default(1).describe('Lower wins.'),
});

const securityGroup = z.strictObject({
  kind: z.literal('SecurityGroup'),
  ...common,
  vpc_id: idOr('Vpc'),
  rules: z.array(rule).default([]),
  tags: tags.optional(),
});

const routeTable = z.strictObject({
  kind: z.literal('RouteTable'),
  ...common,
  vpc_id: idOr('Vpc'),
  routes: z.array(z.strictObject({ destination_cidr: cidr('Destinations.'), next_hop: idOr('Endpoint') })).optional(),
  tags: tags.optional(),
});

const target = z.strictObject({ ip: text, port });
const bandwidth = z
  .strictObject({ limit_mbps: z.number().int().min(0).describe('0 for no limit.') })
  .describe('In Mbit/s.');
const addressType = z.enum(['IPV4', 'DUAL_STACK']);
const endpointType = z.enum(['INTERFACE', 'GATEWAY_LOAD_BALANCER', 'REVERSE']);

const resource = z.strictObject({
  resource_id: text,
  resource_type: z.enum(['NLB', 'CLB', 'ALB', 'GWLB', 'EGRESS_SOURCE']),
  zone_id: text,
  targets: z.array(target).min(1),
  vpc_id: idOr('Vpc').optional(),
  proxy_protocol: z.boolean().optional(),
  auto_allocated: z.boolean().optional(),
});

const user = z.strictObject({
  account_id: text.describe('16 digits, a key of `accounts`, or `*`.'),
  auto_accept: z.boolean().optional(),
  max_connections: z.number().int().min(0).optional(),
  approval_ttl: z
    .string()
    .regex(/^\d+s$/, 'must be seconds, such as 3600s')
    .optional(),
});

const endpointService = z.strictObject({
  kind: z.literal('EndpointService'),
  ...common,
  service_type: endpointType.optional(),
  description: description.optional(),
  auto_accept: z.boolean().optional(),
  payer: z.enum(['ENDPOINT', 'ENDPOINT_SERVICE']).optional(),
  address_type: addressType.optional(),
  zone_affinity: z.boolean().optional(),
  connect_bandwidth: bandwidth.optional(),
  tags: tags.optional(),
  resources: z.array(resource).optional(),
  users: z.array(user).optional().describe('Who is on the whitelist besides the owner.'),
  supported_regions: z.array(text).optional().describe('Other regions from which it takes endpoints.'),
  custom_domains: z.array(text).optional().describe('Declared, not verified: see `plctl custom-domain verify`.'),
});

const zone = z.strictObject({
  vswitch_id: idOr('VSwitch'),
  zone_id: text.optional(),
  ipv4_address: text.optional(),
  ipv6_address: text.optional(),
});

const endpoint = z.strictObject({
  kind: z.literal('Endpoint'),
  ...common,
  service: text.min(1).describe('An id, the name by which consumers find it, or `ref:` and a name in the set.'),
  service_region: text.optional().describe('Region of the service; that of the VPC when absent.'),
  endpoint_type: endpointType.optional(),
  vpc_id: idOr('Vpc'),
  zones: z.array(zone).min(1).max(10),
  security_group_ids: z.array(idOr('SecurityGroup')).max(10).optional(),
  description: description.optional(),
  protected: z.boolean().optional(),
  tags: tags.optional(),
  policy: z.record(z.string(), z.unknown()).optional().describe('In RAM policy language.'),
  address_type: addressType.optional(),
  custom_domain_enabled: z.boolean().optional(),
  zone_affinity: z.boolean().optional(),
  targets: z.array(target).max(20).optional(),
});

const { id: _isItsEndpoints, ...named } = common;
const acceptance = z.strictObject({
  kind: z.literal('Acceptance'),
  ...named,
  connection_id: idOr('Endpoint'),
  decision: z.enum(['ACCEPTED', 'REJECTED']),
  message: z.string().max(256).optional().describe('Said with a decision; not compared.'),
  expire_time: z.iso.datetime({ offset: true }).optional(),
  zone_ids: z.array(text).optional().describe('Zones that are switched on; all of them when absent.'),
  bandwidth: bandwidth.optional(),
});

export const schemas = {
  Vpc: vpc,
  VSwitch: vswitch,
  SecurityGroup: securityGroup,
  RouteTable: routeTable,
  EndpointService: endpointService,
  Endpoint: endpoint,
  Acceptance: acceptance,
} as const satisfies Record<KindName, z.ZodType>;

const account = z.union([
  z.string().regex(/^\d{16}$/, 'must be 16 digits'),
  z.strictObject({ profile: text.describe('A profile of ~/.config/plctl.yaml.') }),
]);

export const headerSchema = z.strictObject({
  set: name.describe('What all of this belongs to: things that are declared no more are found by it.'),
  account: text.optional().describe('Whose everything is that names no account.'),
  accounts: z.record(name, account).optional(),
});

/** As editors read it: of each document of a file. */
export const jsonSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A document of a file for plctl apply',
  anyOf: [headerSchema, ...Object.values(schemas)].map((schema) => {
    const { $schema: _dialect, ...shape } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    return shape;
  }),
});
