import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasAddress } from './cidr.ts';
import { boundTargets, ingressOf } from './security-groups.ts';
import { initialVpc, registeredCidr, type SecurityGroupRule, type Vpc } from './vpc.ts';

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

describe('what security groups let in', () => {
  it('is in the order in which it counts, and about TCP', () => {
    const vpc = vpcWith({
      'sg-1': [rule({ priority: 5 }), rule({ priority: 5, policy: 'DENY', sourceCidr: '10.0.9.0/24' })],
      'sg-2': [rule({ priority: 1, fromPort: 80, toPort: 80 }), rule({ protocol: 'udp', policy: 'DENY', priority: 1 })],
    });
    expect(ingressOf(vpc, ['sg-1', 'sg-2', 'constructor'])).toEqual([
      { allowed: true, fromPort: 80, toPort: 80, sourceCidr: '0.0.0.0/0' },
      { allowed: false, fromPort: 0, toPort: 65_535, sourceCidr: '10.0.9.0/24' },
      { allowed: true, fromPort: 0, toPort: 65_535, sourceCidr: '0.0.0.0/0' },
    ]);
    expect(ingressOf(vpc, [])).toEqual([]);
  });

  it('means of whoever comes what the same rules mean of a target', () => {
    const anyRule = fc.record({
      policy: fc.constantFrom('ALLOW', 'DENY'),
      protocol: fc.constantFrom('tcp', 'udp', 'all'),
      fromPort: fc.constantFrom(0, 80),
      toPort: fc.constantFrom(80, 443),
      sourceCidr: fc.constantFrom('0.0.0.0/0', '10.0.0.0/16', '10.0.1.0/24', '10.0.1.5/32', '::/0'),
      priority: fc.integer({ min: 1, max: 3 }),
    }) as fc.Arbitrary<SecurityGroupRule>;
    const rules = fc.array(anyRule, { maxLength: 6 });
    const port = fc.constantFrom(79, 80, 443);
    fc.assert(
      fc.property(rules, rules, fc.constantFrom('10.0.1.5', '10.0.2.5', '192.0.2.1'), port, (one, other, ip, at) => {
        const vpc = vpcWith({ 'sg-1': one, 'sg-2': other });
        const deciding = ingressOf(vpc, ['sg-1', 'sg-2']).find(
          ({ fromPort, toPort, sourceCidr }) =>
            fromPort <= at &&
            at <= toPort &&
            !sourceCidr.includes(':') &&
            hasAddress(registeredCidr(sourceCidr, 4), ip),
        );
        const [bounded] = boundTargets(vpc, ['sg-1', 'sg-2'], [{ ip, port: at }]);
        expect(deciding?.allowed ?? false).toBe(bounded?.allowed);
      }),
    );
  });
});
