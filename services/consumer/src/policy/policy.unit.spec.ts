import { describe, expect, it } from 'vitest';
import { evaluate, type PolicyRequest } from './evaluate.ts';
import { readPolicy } from './read-policy.ts';
import { matchesPattern } from './wildcard.ts';

const statement = { Effect: 'Allow', Action: 'oss:Get*', Resource: 'acs:oss:*:*:logs/*' };
const policyOf = (...statements: object[]): string => JSON.stringify({ Version: '1', Statement: statements });
const faultsOf = (text: string) => readPolicy(text).faults.map(({ path }) => path);

const request = (change: Partial<PolicyRequest> = {}): PolicyRequest => ({
  ...{ action: 'oss:GetObject', resource: 'acs:oss:cn-hangzhou:1:logs/today', principal: '', context: {}, ...change },
});
const decide = (text: string, change: Partial<PolicyRequest> = {}) => {
  const { policy, faults } = readPolicy(text);
  if (!policy) throw new Error(JSON.stringify(faults));
  return evaluate(policy, request(change));
};
const decision = (text: string, change: Partial<PolicyRequest> = {}) => decide(text, change).decision;

describe('a pattern', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['?', '', false],
    ['?', '🙂', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abbcd', false],
    ['*ab', 'aab', true],
    ['a?c*', 'abc', true],
    ['a.c', 'abc', false],
    ['**a**', 'bab', true],
    ['A', 'a', false],
  ])('%j and %j: %s', (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
  });

  it('is matched at once, however many stars it has', () => {
    const started = performance.now();
    expect(matchesPattern(`${'*a'.repeat(1_000)}b`, 'a'.repeat(2_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('a policy that is none', () => {
  it.each([
    ['', 'policy'],
    ['x', 'policy'],
    [`"${'x'.repeat(8_192)}"`, 'policy'],
    ['null', 'policy'],
    ['[]', 'policy'],
    ['{"Version":"1","Statement":[]}', 'policy.Statement'],
    ['{"Version":"1"}', 'policy.Statement'],
    [JSON.stringify({ Version: '2', Statement: [statement] }), 'policy.Version'],
    [JSON.stringify({ Version: 1, Statement: statement }), 'policy.Version'],
    [JSON.stringify({ Statement: statement }), 'policy.Version'],
    [JSON.stringify({ Version: '1', Statement: statement, Id: 'x' }), 'policy.Id'],
    [policyOf(statement, 'x' as never), 'policy.Statement[1]'],
    [policyOf({ ...statement, Effect: 'allow' }), 'policy.Statement[0].Effect'],
    [JSON.stringify({ Version: '1', Statement: { ...statement, Effect: 1 } }), 'policy.Statement.Effect'],
    [policyOf({ ...statement, Sid: 'x' }), 'policy.Statement[0].Sid'],
    [policyOf({ ...statement, NotAction: 'x' }), 'policy.Statement[0]'],
    [policyOf({ Effect: 'Allow', Action: '*' }), 'policy.Statement[0]'],
    [policyOf({ ...statement, Action: [] }), 'policy.Statement[0].Action'],
    [policyOf({ ...statement, Action: '' }), 'policy.Statement[0].Action'],
    [policyOf({ ...statement, Action: ['a', 1] }), 'policy.Statement[0].Action[1]'],
    [policyOf({ ...statement, Resource: null }), 'policy.Statement[0].Resource'],
    [policyOf({ ...statement, Principal: {} }), 'policy.Statement[0].Principal'],
    [policyOf({ ...statement, Principal: { AWS: '*' } }), 'policy.Statement[0].Principal.AWS'],
    [policyOf({ ...statement, Principal: { RAM: [1] } }), 'policy.Statement[0].Principal.RAM[0]'],
    [policyOf({ ...statement, Condition: [] }), 'policy.Statement[0].Condition'],
    [policyOf({ ...statement, Condition: { StringIs: { k: 'v' } } }), 'policy.Statement[0].Condition.StringIs'],
    [policyOf({ ...statement, Condition: { constructor: { k: 'v' } } }), 'policy.Statement[0].Condition.constructor'],
    [
      policyOf({ ...statement, Condition: { NullIfExists: { k: 'true' } } }),
      'policy.Statement[0].Condition.NullIfExists',
    ],
    [policyOf({ ...statement, Condition: { Bool: 'x' } }), 'policy.Statement[0].Condition.Bool'],
    [policyOf({ ...statement, Condition: { Bool: { k: 'yes' } } }), 'policy.Statement[0].Condition.Bool.k'],
    [policyOf({ ...statement, Condition: { Bool: { k: [] } } }), 'policy.Statement[0].Condition.Bool.k'],
    [policyOf({ ...statement, Condition: { Null: { k: ['true', 'x'] } } }), 'policy.Statement[0].Condition.Null.k[1]'],
    [
      policyOf({ ...statement, Condition: { NumericLessThan: { k: '1e3' } } }),
      'policy.Statement[0].Condition.NumericLessThan.k',
    ],
    [
      policyOf({ ...statement, Condition: { DateEquals: { k: 'today' } } }),
      'policy.Statement[0].Condition.DateEquals.k',
    ],
    [
      policyOf({ ...statement, Condition: { IpAddress: { k: '10.0.0.1/8' } } }),
      'policy.Statement[0].Condition.IpAddress.k',
    ],
  ])('says where: %s', (text, path) => {
    expect(faultsOf(text)).toEqual([path]);
  });

  it('names everything that is wrong with it, up to a measure', () => {
    const wrong = policyOf({ Effect: 'x', Action: 1, Resource: '' }, { Effect: 'y', Action: '*', Resource: '*' });
    const [first, second] = ['policy.Statement[0]', 'policy.Statement[1]'];
    expect(faultsOf(wrong)).toEqual([`${first}.Effect`, `${first}.Action`, `${first}.Resource`, `${second}.Effect`]);
    expect(faultsOf(policyOf(...Array(40).fill({})))).toHaveLength(10);
    const [path = ''] = faultsOf(
      JSON.stringify({ Version: '1', Statement: statement, [`\ud800${'x'.repeat(999)}`]: 1 }),
    );
    expect(path.length).toBe(128);
    expect(path.isWellFormed()).toBe(true);
  });
});

describe('the canonical text', () => {
  it('is the same whatever the order of the keys and the spaces', () => {
    const one = readPolicy('{"Version": "1", "Statement": [{"Effect":"Deny", "Action":"*", "Resource":["b","a"]}]}');
    const other = readPolicy('{"Statement":[{"Resource":["b","a"],"Action":"*","Effect":"Deny"}],"Version":"1"}');
    expect(one).toMatchObject({
      canonical: '{"Statement":[{"Action":"*","Effect":"Deny","Resource":["b","a"]}],"Version":"1"}',
    });
    expect(other).toEqual(one);
  });

  it('keeps keys that the language has too', () => {
    const text =
      '{"Statement":[{"Action":"*","Condition":{"Bool":{"__proto__":"true"}},"Effect":"Deny","Resource":"*"}],"Version":"1"}';
    expect(readPolicy(text)).toMatchObject({ canonical: text });
  });
});

describe('evaluation', () => {
  it('allows what a statement allows, denies the rest, and what one denies above all', () => {
    const deny = { Effect: 'Deny', Action: '*', Resource: '*/secret' };
    expect(decide(policyOf(statement))).toEqual({ decision: 'ALLOWED', statement: 0 });
    expect(decide(policyOf(statement), { action: 'oss:PutObject' })).toEqual({
      decision: 'DENIED_BY_DEFAULT',
      statement: undefined,
    });
    const resource = 'acs:oss:cn-hangzhou:1:logs/secret';
    expect(decide(policyOf(statement, deny), { resource })).toEqual({ decision: 'EXPLICITLY_DENIED', statement: 1 });
    expect(decide(policyOf(statement, deny, statement))).toEqual({ decision: 'ALLOWED', statement: 0 });
  });

  it('takes a statement alone, lists, and what is not meant', () => {
    expect(decision(JSON.stringify({ Version: '1', Statement: statement }))).toBe('ALLOWED');
    const both = { Effect: 'Allow', Action: ['oss:Put*', 'OSS:getobject'], Resource: ['x', '*'] };
    expect(decision(policyOf(both))).toBe('ALLOWED');
    const not = { Effect: 'Allow', NotAction: ['oss:Put*', 'oss:Delete*'], NotResource: '*/secret' };
    expect(decision(policyOf(not))).toBe('ALLOWED');
    expect(decision(policyOf(not), { action: 'oss:PutObject' })).toBe('DENIED_BY_DEFAULT');
    expect(decision(policyOf(not), { resource: 'a/secret' })).toBe('DENIED_BY_DEFAULT');
    expect(decision(policyOf({ ...statement, Resource: 'ACS:OSS:*' }))).toBe('DENIED_BY_DEFAULT');
  });

  it('asks who asks', () => {
    const paula = 'acs:ram::1000000000000001:user/paula';
    const by = (Principal: unknown) => policyOf({ ...statement, Principal });
    expect(decision(by('*'))).toBe('ALLOWED');
    expect(decision(by({ RAM: ['x', 'acs:ram::1000000000000001:*'] }), { principal: paula })).toBe('ALLOWED');
    expect(decision(by([paula]), { principal: 'acs:ram::1000000000000001:user/peter' })).toBe('DENIED_BY_DEFAULT');
    expect(decision(by({ Service: 'oss.aliyuncs.com' }))).toBe('DENIED_BY_DEFAULT');
  });
});

describe('a condition', () => {
  const holds = (condition: object, context: Record<string, string>): boolean =>
    decision(policyOf({ ...statement, Condition: condition }), { context }) === 'ALLOWED';

  it.each([
    ['StringEquals', 'a', 'a', true],
    ['StringEquals', 'a', 'A', false],
    ['StringEquals', 'a*', 'ab', false],
    ['StringEqualsIgnoreCase', 'a', 'A', true],
    ['StringNotEquals', 'a', 'b', true],
    ['StringNotEquals', ['a', 'b'], 'b', false],
    ['StringNotEqualsIgnoreCase', 'a', 'A', false],
    ['StringLike', ['x', 'a?*'], 'ab', true],
    ['StringLike', 'a?*', 'a', false],
    ['StringLikeIgnoreCase', 'A*', 'ab', true],
    ['StringNotLike', 'a*', 'ab', false],
    ['StringNotLikeIgnoreCase', 'A*', 'ab', false],
    ['NumericEquals', 10, '10.0', true],
    ['NumericEquals', '10', 'ten', false],
    ['NumericNotEquals', ['1', '2'], '3', true],
    ['NumericNotEquals', ['1', '2'], '2', false],
    ['NumericLessThan', '10', '9', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericGreaterThan', '10', '11', true],
    ['NumericGreaterThan', '10', '10', false],
    ['NumericGreaterThanEquals', '-1.5', '-1.5', true],
    ['DateEquals', '2026-01-01', '2026-01-01T00:00:00Z', true],
    ['DateNotEquals', '2026-01-01', '2026-01-01T08:00:00+08:00', false],
    ['DateLessThan', '2026-01-01T00:00:00Z', '2025-12-31T23:59:59.999Z', true],
    ['DateGreaterThan', '2026-01-01', '2026-01-01', false],
    ['DateGreaterThanEquals', '2026-01-01', '2026-01-01', true],
    ['DateLessThanEquals', '2026-01-01', 'soon', false],
    ['Bool', true, 'TRUE', true],
    ['Bool', 'false', 'true', false],
    ['IpAddress', ['192.168.0.1', '10.0.0.0/8'], '10.200.0.1', true],
    ['IpAddress', '10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['IpAddress', '10.0.0.0/8', 'fd00::1', false],
    ['IpAddress', 'fd00::/8', 'fd12::1', true],
    ['IpAddress', '10.0.0.0/8', '10.0.0.0/8', false],
    ['NotIpAddress', '10.0.0.0/8', '11.0.0.1', true],
    ['NotIpAddress', '10.0.0.0/8', '10.0.0.1', false],
    ['NotIpAddress', '10.0.0.0/8', 'nowhere', true],
    ['Null', 'false', '', true],
    ['Null', 'true', '', false],
  ])('%s %j of %j: %s', (operator, wanted, given, expected) => {
    expect(holds({ [operator]: { key: wanted } }, { key: given })).toBe(expected);
    if (operator !== 'Null') expect(holds({ [`${operator}IfExists`]: { key: wanted } }, { key: given })).toBe(expected);
  });

  it.each([
    ['StringEquals', 'a', false],
    ['StringNotEquals', 'a', true],
    ['NumericLessThan', '1', false],
    ['DateNotEquals', '2026-01-01', true],
    ['Bool', 'false', false],
    ['IpAddress', '0.0.0.0/0', false],
    ['NotIpAddress', '0.0.0.0/0', true],
    ['Null', 'true', true],
    ['Null', 'false', false],
  ])('%s without its key: %s', (operator, wanted, expected) => {
    for (const key of ['key', 'toString', '__proto__']) {
      const condition = JSON.parse(
        JSON.stringify({ [operator]: {} }).replace('{}', `{"${key}":${JSON.stringify(wanted)}}`),
      );
      expect(holds(condition, { other: 'x' })).toBe(expected);
    }
    if (operator !== 'Null') expect(holds({ [`${operator}IfExists`]: { key: wanted } }, {})).toBe(true);
  });

  it('holds when all its keys and operators hold', () => {
    const condition = { StringEquals: { a: '1', b: '2' }, Bool: { c: 'true' } };
    expect(holds(condition, { a: '1', b: '2', c: 'true' })).toBe(true);
    for (const key of ['a', 'b', 'c']) expect(holds(condition, { a: '1', b: '2', c: 'true', [key]: 'x' })).toBe(false);
  });
});
