import { isIPv4, isIPv6 } from 'node:net';
import {
  type DnsServiceServer,
  type DomainName,
  NameState,
  type PutNamesRequest,
  ResponseCode,
} from '@privatelink/proto/dns/v1/dns_service';
import type { Repository } from '@privatelink/shared/app/repository';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { enumName } from '@privatelink/shared/grpc/enums';
import { unary } from '@privatelink/shared/grpc/unary';
import {
  checkAccountId,
  checkCount,
  checkId,
  checkName,
  isId,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import type { NameSet, NameSetCommand, NameSetEvent } from '../name-set/name-set.ts';
import type { Ask } from '../server/ask.ts';
import type { View, VpcResolver } from '../server/vpc-resolvers.ts';
import type { ZoneFeed } from '../zone/zone-feed.ts';

export type DnsApiDeps = Readonly<{
  nameSets: Repository<NameSetCommand, NameSetEvent, NameSet>;
  feed: ZoneFeed;
  /** Asks what this process answers over DNS: to everybody, or in a VPC. */
  ask: (view: View | null) => Ask;
  /** Where the name servers of a VPC are. */
  resolversOf: (vpcId: string) => Promise<readonly VpcResolver[]>;
  /** All names are below it. */
  suffix: string;
}>;

const RECORD_TYPES = ['A', 'AAAA', 'SOA', 'NS'] as const;
const CODES = new Map<string, ResponseCode>([
  ['NOERROR', ResponseCode.NOERROR],
  ['NXDOMAIN', ResponseCode.NXDOMAIN],
  ['REFUSED', ResponseCode.REFUSED],
]);

export const dnsService = ({ nameSets, feed, ask, resolversOf, suffix }: DnsApiDeps): DnsServiceServer => ({
  lookupDomain: unary(async ({ domainName, recordType, vpcId, zoneId }, rpc) => {
    const v = violations();
    const type = RECORD_TYPES.find((known) => known === (recordType || 'A').toUpperCase());
    const name = domainName.replace(/\.$/, '');
    v.check('domain_name', isDomainName(name), 'must be a domain name of at most 253 characters');
    v.check('record_type', type !== undefined, `must be one of ${RECORD_TYPES.join(', ')}`);
    if (vpcId !== '') checkId(v, 'vpc_id', vpcId, 'vpc');
    if (zoneId !== '') checkName(v, 'zone_id', zoneId);
    v.check('vpc_id', vpcId !== '' || zoneId === '', 'is required with zone_id');
    v.throwIfAny();
    // Nobody learns whether a stranger's VPC is there, or what is in it.
    const isInside = maySee(feed.ownerOf(vpcId), rpc);
    const { rcode, records, ttl } = ask(isInside ? { vpcId, zoneId } : null)(name, type ?? 'A');
    return {
      responseCode: CODES.get(rcode) ?? ResponseCode.UNSPECIFIED,
      records: [...records].sort(),
      ttlSeconds: ttl,
    };
  }),

  listVpcResolvers: unary(async ({ vpcId }, rpc) => {
    const owner = isId(vpcId, 'vpc') ? feed.ownerOf(vpcId) : undefined;
    if (!maySee(owner, rpc)) {
      throw new Rejected<'VPC_NOT_FOUND'>('VPC_NOT_FOUND', { vpc_id: vpcId, field: 'vpc_id' });
    }
    return { resolvers: [...(await resolversOf(vpcId))] };
  }),

  putNames: unary(async (request, rpc) => {
    const { latest } = await nameSets.execute(request.endpointId, toCommand(request, suffix), rpc.command);
    // The caller is told when this process answers by it; the other replicas follow within milliseconds.
    await feed.reached(latest.position);
    return { generation: BigInt(latest.state.generation) };
  }),
});

/** Whether the caller may know of a VPC of this owner. */
const maySee = (owner: string | undefined, { caller, allows }: RpcContext): boolean =>
  owner !== undefined && allows(owner === caller.accountId ? ['owner'] : []);

const isDomainName = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => /^[a-zA-Z0-9_*-]{1,63}$/.test(label));

const MAX_NAMES = 100;
const MAX_ADDRESSES = 100;
const MAX_ZONES = 100;

/** Whatever is recorded is answered: what cannot be must not get that far. */
const checkDomainName = (v: Violations, path: string, name: DomainName, suffix: string): void => {
  const { domainName, ipv4Addresses, ipv6Addresses, private: isPrivate } = name;
  const isOurs = domainName.endsWith(`.${suffix}`);
  const where = isPrivate ? `elsewhere than below ${suffix}` : `below ${suffix}`;
  v.check(`${path}.domain_name`, isDomainName(domainName) && isOurs !== isPrivate, `must be a domain name ${where}`);
  const checkAll = (field: string, addresses: readonly string[], isAddress: (text: string) => boolean): void => {
    v.check(`${path}.${field}`, addresses.length <= MAX_ADDRESSES, `must be at most ${MAX_ADDRESSES}`);
    for (const [index, address] of addresses.slice(0, MAX_ADDRESSES).entries()) {
      v.check(`${path}.${field}[${index}]`, isAddress(address), 'must be an address of this family');
    }
  };
  checkAll('ipv4_addresses', ipv4Addresses, isIPv4);
  checkAll('ipv6_addresses', ipv6Addresses, (text) => isIPv6(text) && !text.includes('%'));
};

const checkZones = (v: Violations, zones: PutNamesRequest['zones']): void => {
  v.check('zones', zones.length <= MAX_ZONES, `must be at most ${MAX_ZONES}`);
  for (const [index, { zoneId, ipv4Address, ipv6Address }] of zones.slice(0, MAX_ZONES).entries()) {
    checkName(v, `zones[${index}].zone_id`, zoneId);
    v.check(`zones[${index}].ipv4_address`, isIPv4(ipv4Address), 'must be an IPv4 address');
    v.check(`zones[${index}].ipv6_address`, ipv6Address === '' || isIPv6(ipv6Address), 'must be an IPv6 address');
  }
};

const toCommand = (request: PutNamesRequest, suffix: string): NameSetCommand => {
  const v = violations();
  const state = enumName(NameState, request.state);
  checkId(v, 'endpoint_id', request.endpointId, 'ep');
  checkId(v, 'vpc_id', request.vpcId, 'vpc');
  checkAccountId(v, 'account_id', request.accountId);
  checkCount(v, 'generation', request.generation);
  checkCount(v, 'health_revision', request.healthRevision);
  v.check('state', state !== undefined, 'is required');
  v.check('names', request.names.length <= MAX_NAMES, `must be at most ${MAX_NAMES}`);
  for (const [index, name] of request.names.slice(0, MAX_NAMES).entries())
    checkDomainName(v, `names[${index}]`, name, suffix);
  checkZones(v, request.zones);
  v.throwIfAny();
  const zones = request.zones.map(({ zoneId, ipv4Address, ipv6Address }) => {
    return { zoneId, ipv4: ipv4Address, ipv6: ipv6Address };
  });
  const names = request.names.map(({ domainName, ipv4Addresses, ipv6Addresses, private: isPrivate }) => {
    return { domainName, ipv4Addresses, ipv6Addresses, isPrivate };
  });
  const { endpointId, vpcId, accountId, generation, healthRevision, zoneAffinity } = request;
  const order = { generation: Number(generation), healthRevision: Number(healthRevision) };
  const said = { ...order, endpointId, vpcId, accountId, names, zones, zoneAffinity };
  return { type: 'PutNames', data: { ...said, state: state ?? 'WITHDRAWN' } };
};
