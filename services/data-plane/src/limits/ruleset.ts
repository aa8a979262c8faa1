import { isIPv6 } from 'node:net';
import type { Limit } from './limits.ts';

/** Of a network namespace: the key of a map's element, as `nft` reads it, and the limit that it leads to. */
export type Rules = ReadonlyMap<string, RuleLimit>;
type RuleLimit = Readonly<{ name: string; bytesPerSecond: number }>;

const BYTES_PER_MBIT = 125_000;

/**
 * One limit for each direction, to which all addresses and ports of the interface lead. Its name says how much it is:
 * the kernel changes none that there is.
 */
export const rulesOf = (limits: readonly Limit[]): Rules =>
  new Map(
    limits.flatMap(({ connectionId, mbps, binds }) =>
      binds.flatMap(({ host, port }) =>
        (['in', 'out'] as const).map((direction): [string, RuleLimit] => [
          `${direction}${isIPv6(host) ? 6 : 4} { ${host} . ${port}`,
          { name: `${connectionId}/${mbps}/${direction}`, bytesPerSecond: mbps * BYTES_PER_MBIT },
        ]),
      ),
    ),
  );

/** Replaces whatever the table is, in one transaction; every limit begins anew. */
export const replacement = (table: string, rules: Rules): string => {
  const without = `table inet ${table}\ndelete table inet ${table}\n`;
  return rules.size === 0 ? without : `${without}${skeleton(table)}${changes(table, new Map(), rules)}`;
};

/** What leads from some rules to others in one transaction; what stays the same is not touched. Empty: nothing does. */
export const changes = (table: string, from: Rules, to: Rules): string => {
  const leads = (rules: Rules, key: string, name: string): boolean => rules.get(key)?.name === name;
  const elements = (verb: 'add' | 'delete', some: Rules, others: Rules): readonly string[] =>
    [...some].flatMap(([key, { name }]) => {
      if (leads(others, key, name)) return [];
      const [map, element] = key.split(' { ');
      return [`${verb} element inet ${table} ${map} { ${element} : "${name}" }\n`];
    });
  const [before, after] = [limitsOf(from), limitsOf(to)];
  return [
    ...elements('delete', from, to),
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `delete limit inet ${table} ${name}\n`),
    ...[...after]
      .filter(([name]) => !before.has(name))
      .map(([name, rate]) => `add limit inet ${table} ${name} { rate over ${rate} bytes/second; }\n`),
    ...elements('add', to, from),
  ].join('');
};

const limitsOf = (rules: Rules): ReadonlyMap<string, number> =>
  new Map([...rules.values()].map(({ name, bytesPerSecond }) => [name, bytesPerSecond]));

/** What goes beyond its limit is lost, and its sender slows down. One look for each packet, however many limits there are. */
const skeleton = (table: string): string => `table inet ${table} {
  map in4 { type ipv4_addr . inet_service : limit; }
  map in6 { type ipv6_addr . inet_service : limit; }
  map out4 { type ipv4_addr . inet_service : limit; }
  map out6 { type ipv6_addr . inet_service : limit; }
  chain input {
    type filter hook input priority filter; policy accept;
    limit name ip daddr . tcp dport map @in4 drop
    limit name ip6 daddr . tcp dport map @in6 drop
  }
  chain output {
    type filter hook output priority filter; policy accept;
    limit name ip saddr . tcp sport map @out4 drop
    limit name ip6 saddr . tcp sport map @out6 drop
  }
}
`;
