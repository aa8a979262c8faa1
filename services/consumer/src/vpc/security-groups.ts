import { hasAddress } from './cidr.ts';
import { entryOf, registeredCidr, type SecurityGroupRule, type Target, type Vpc } from './vpc.ts';

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
  const rules = securityGroupIds.flatMap((id) => entryOf(ledger.securityGroups, id)?.rules ?? []);
  return targets.map((target) => {
    const about = rules.filter((rule) => isAbout(rule, target));
    const first = Math.min(...about.map(({ priority }) => priority));
    const deciding = about.filter(({ priority }) => priority === first);
    const allowed = deciding.length > 0 && deciding.every(({ policy }) => policy === 'ALLOW');
    return { ip: target.ip, port: target.port, allowed };
  });
};

/** What is forwarded is TCP. */
const isAbout = ({ protocol, fromPort, toPort, sourceCidr }: SecurityGroupRule, { ip, port }: Target): boolean =>
  protocol !== 'udp' &&
  port >= fromPort &&
  port <= toPort &&
  !sourceCidr.includes(':') &&
  hasAddress(registeredCidr(sourceCidr, 4), ip);
