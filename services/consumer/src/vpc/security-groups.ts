import { hasAddress } from './cidr.ts';
import { entryOf, registeredCidr, type SecurityGroupRule, type Target, type Vpc } from './vpc.ts';

/** A rule about TCP connections from the VPC: the first one that is about one decides, and without any it is refused. */
export type IngressRule = Readonly<{ allowed: boolean; fromPort: number; toPort: number; sourceCidr: string }>;

/** What these groups, together, let in: the lowest priority first, DENY before ALLOW. */
export const ingressOf = (ledger: Vpc, securityGroupIds: readonly string[]): readonly IngressRule[] => {
  const rules = rulesOf(ledger, securityGroupIds).filter(isTcp);
  const ordered = rules.toSorted((a, b) => a.priority - b.priority || (a.policy > b.policy ? -1 : 1));
  const seen = new Set<string>();
  return ordered.flatMap(({ policy, fromPort, toPort, sourceCidr }) => {
    // Whatever an equal rule decides has been decided.
    const about = `${fromPort}-${toPort} ${sourceCidr}`;
    if (seen.has(about)) return [];
    seen.add(about);
    return [{ allowed: policy === 'ALLOW', fromPort, toPort, sourceCidr }];
  });
};

const rulesOf = (ledger: Vpc, securityGroupIds: readonly string[]): readonly SecurityGroupRule[] =>
  securityGroupIds.flatMap((id) => entryOf(ledger.securityGroups, id)?.rules ?? []);

/** A target, and whether security groups let connections to it out. */
export type BoundedTarget = Target & Readonly<{ allowed: boolean }>;

/**
 * What the rules of these groups, together, make of targets: of those that are about one the lowest priority decides,
 * DENY before ALLOW; where none is, nothing goes there.
 */
export const boundTargets = (
  ledger: Vpc,
  securityGroupIds: readonly string[],
  targets: readonly Target[],
): readonly BoundedTarget[] => {
  const rules = rulesOf(ledger, securityGroupIds);
  return targets.map((target) => {
    const about = rules.filter((rule) => isAbout(rule, target));
    const first = Math.min(...about.map(({ priority }) => priority));
    const deciding = about.filter(({ priority }) => priority === first);
    const allowed = deciding.length > 0 && deciding.every(({ policy }) => policy === 'ALLOW');
    return { ip: target.ip, port: target.port, allowed };
  });
};

/** What is forwarded is TCP. */
const isTcp = ({ protocol }: SecurityGroupRule): boolean => protocol !== 'udp';

const isAbout = (rule: SecurityGroupRule, { ip, port }: Target): boolean => {
  const { fromPort, toPort, sourceCidr } = rule;
  return (
    isTcp(rule) &&
    port >= fromPort &&
    port <= toPort &&
    !sourceCidr.includes(':') &&
    hasAddress(registeredCidr(sourceCidr, 4), ip)
  );
};
