import { describe, expect, it } from 'vitest';
import { boundTargets } from './security-groups.ts';
import { initialVpc, type SecurityGroupRule, type Vpc } from './vpc.ts';

const rule = (change: Partial<SecurityGroupRule> = {}): SecurityGroupRule => ({
  ...{ policy: 'ALLOW', protocol: 'tcp', fromPort: 0, toPort: 65_535, sourceCidr: '0.0.0.0/0', priority: 10 },
  ...change,
});
const vpcWith = (groups: Readonly<Record<string, readonly SecurityGroupRule[]>>): Vpc => ({
  ...initialVpc,
  securityGroups: Object.fromEntries(Object.entries(groups).map(([id, rules]) => [id, { rules, tags: [] }])),
});
const TARGET = { ip: '10.0.1.5', port: 5432 };
const isAllowed = (...rules: readonly SecurityGroupRule[]): boolean =>
  boundTargets(vpcWith({ 'sg-1': rules }), ['sg-1'], [TARGET]).every(({ allowed }) => allowed);

describe('what security groups make of a target', () => {
  it('nothing goes where no rule lets it', () => {
    expect(isAllowed()).toBe(false);
    expect(isAllowed(rule())).toBe(true);
    expect(boundTargets(vpcWith({}), ['sg-1', 'constructor'], [TARGET])).toEqual([{ ...TARGET, allowed: false }]);
  });

  it('a rule is about ports, addresses and TCP', () => {
    expect(isAllowed(rule({ fromPort: 5432, toPort: 5432 }))).toBe(true);
    expect(isAllowed(rule({ fromPort: 5433 }))).toBe(false);
    expect(isAllowed(rule({ toPort: 5431 }))).toBe(false);
    expect(isAllowed(rule({ sourceCidr: '10.0.1.0/24' }))).toBe(true);
    expect(isAllowed(rule({ sourceCidr: '10.0.2.0/24' }))).toBe(false);
    expect(isAllowed(rule({ sourceCidr: '::/0' }))).toBe(false);
    expect(isAllowed(rule({ protocol: 'udp' }))).toBe(false);
    expect(isAllowed(rule({ protocol: 'all' }))).toBe(true);
  });

  it('the lowest priority decides, and among equals DENY', () => {
    expect(isAllowed(rule({ priority: 1 }), rule({ policy: 'DENY', priority: 2 }))).toBe(true);
    expect(isAllowed(rule({ priority: 2 }), rule({ policy: 'DENY', priority: 1 }))).toBe(false);
    expect(isAllowed(rule(), rule({ policy: 'DENY' }))).toBe(false);
  });

  it('all groups count together', () => {
    const vpc = vpcWith({ 'sg-1': [rule({ toPort: 80 })], 'sg-2': [rule({ fromPort: 5432 })] });
    const targets = [TARGET, { ip: '10.0.1.5', port: 80 }, { ip: '10.0.1.5', port: 443 }];
    const allowedBy = (...ids: readonly string[]) => boundTargets(vpc, ids, targets).map(({ allowed }) => allowed);
    expect(allowedBy('sg-1')).toEqual([false, true, false]);
    expect(allowedBy('sg-1', 'sg-2')).toEqual([true, true, false]);
  });
});
