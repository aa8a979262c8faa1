import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, type PolicyRequest } from './evaluate.ts';
import { readPolicy } from './read-policy.ts';
import { matchesPattern } from './wildcard.ts';

const pattern = fc.constantFrom('*', 'a', 'b', 'a*', '?', '*b', 'ab');
const name = fc.constantFrom('', 'a', 'b', 'ab', 'abb', 'c');
const some = <T>(item: fc.Arbitrary<T>) => fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }));
const numbers = fc.constantFrom('1', '2', '3');
const condition = fc.oneof(
  fc.tuple(fc.constantFrom('StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLikeIfExists'), some(pattern)),
  fc.tuple(fc.constantFrom('NumericEquals', 'NumericNotEquals', 'NumericLessThanIfExists'), some(numbers)),
  fc.tuple(fc.constant('Null'), some(fc.constantFrom('true', 'false'))),
  fc.tuple(fc.constantFrom('IpAddress', 'NotIpAddress'), some(fc.constantFrom('10.0.0.0/8', '10.0.0.1', '::/0'))),
);
const statementWith = (effect: fc.Arbitrary<'Allow' | 'Deny'>) =>
  fc
    .record({
      effect,
      action: fc.tuple(fc.constantFrom('Action', 'NotAction'), some(pattern)),
      resource: fc.tuple(fc.constantFrom('Resource', 'NotResource'), some(pattern)),
      principal: fc.option(some(pattern)),
      condition: fc.option(fc.tuple(condition, fc.constantFrom('k', 'l'))),
    })
    .map(({ effect: Effect, action, resource, principal, condition: said }) => ({
      Effect,
      ...Object.fromEntries([action, resource]),
      ...(principal !== null && { Principal: principal }),
      ...(said !== null && { Condition: { [said[0][0]]: { [said[1]]: said[0][1] } } }),
    }));
const statement = statementWith(fc.constantFrom('Allow', 'Deny'));
const statements = fc.array(statement, { minLength: 1, maxLength: 5 });
const request: fc.Arbitrary<PolicyRequest> = fc.record({
  action: name,
  resource: name,
  principal: name,
  context: fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('a', 'ab', '1', '2', '10.0.0.1', 'fd00::1')),
});

const decide = (said: readonly object[], asked: PolicyRequest) => {
  const { policy, faults } = readPolicy(JSON.stringify({ Version: '1', Statement: said }));
  if (!policy) throw new Error(JSON.stringify(faults));
  return evaluate(policy, asked).decision;
};
const insert = <T>(list: readonly T[], at: number, item: T): T[] => list.toSpliced(at % (list.length + 1), 0, item);

describe('over all policies and requests', () => {
  it('a statement more that denies never widens', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(statements, statementWith(fc.constant('Deny')), fc.nat(), request, (before, deny, at, asked) => {
        const [first, then] = [decide(before, asked), decide(insert(before, at, deny), asked)];
        if (first !== 'ALLOWED') expect(then).not.toBe('ALLOWED');
        if (first === 'EXPLICITLY_DENIED') expect(then).toBe('EXPLICITLY_DENIED');
        seen.add(`${first} ${then}`);
      }),
      { numRuns: 1_000 },
    );
    // Otherwise nothing was denied that was allowed before.
    expect([...seen]).toContain('ALLOWED EXPLICITLY_DENIED');
  });

  it('a statement more that allows never narrows', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(statements, statementWith(fc.constant('Allow')), fc.nat(), request, (before, allow, at, asked) => {
        const [first, then] = [decide(before, asked), decide(insert(before, at, allow), asked)];
        if (first !== 'DENIED_BY_DEFAULT') expect(then).toBe(first);
        else expect(then).not.toBe('EXPLICITLY_DENIED');
        seen.add(`${first} ${then}`);
      }),
      { numRuns: 1_000 },
    );
    expect([...seen]).toContain('DENIED_BY_DEFAULT ALLOWED');
  });

  it('their order means nothing', () => {
    const shuffled = statements.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, request, ([list, other], asked) => {
        expect(decide(other, asked)).toBe(decide(list, asked));
      }),
      { numRuns: 1_000 },
    );
  });

  it('the canonical text is the same policy, and its own canonical text', () => {
    fc.assert(
      fc.property(statements, request, (list, asked) => {
        const read = readPolicy(JSON.stringify({ Statement: list, Version: '1' }));
        if (!read.policy) throw new Error('refused');
        const again = readPolicy(read.canonical);
        expect(again).toEqual(read);
        expect(evaluate(again.policy ?? [], asked)).toEqual(evaluate(read.policy, asked));
      }),
    );
  });
});

it('a pattern matches what the regular expression of the same meaning matches', () => {
  const character = fc.constantFrom('a', 'b', '*', '?', '.');
  const texts = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 }).map((list) => list.join(''));
  const patterns = fc.array(character, { maxLength: 8 }).map((list) => list.join(''));
  fc.assert(
    fc.property(patterns, texts, (said, text) => {
      const meaning = said.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      expect(matchesPattern(said, text)).toBe(new RegExp(`^${meaning}$`).test(text));
    }),
    { numRuns: 2_000 },
  );
});

it('whatever is said to be a policy, it is one or its faults are named', () => {
  const key = fc.constantFrom(
    'Version',
    'Statement',
    'Effect',
    'Action',
    'Resource',
    'Principal',
    'Condition',
    'Bool',
    '__proto__',
  );
  const json = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('1', 'Allow', '*', '', null, 1, true),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(key, tie('node'), { maxKeys: 4 }),
    ),
  })).node;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        json.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const read = readPolicy(text);
        if (read.policy) expect(readPolicy(read.canonical)).toEqual(read);
        else expect(read.faults.length).toBeGreaterThan(0);
        for (const { path, description } of read.faults) {
          expect(path).toMatch(/^policy/);
          expect(description).not.toBe('');
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
