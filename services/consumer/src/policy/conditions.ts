import { type Cidr, isInside, parseAddress, parseCidr } from '../vpc/cidr.ts';
import { matchesPattern } from './wildcard.ts';

export type Condition = Readonly<{ operator: string; key: string; values: readonly string[] }>;

/** What is known of a request by key, for example `acs:SourceIp`. */
export type RequestContext = Readonly<Record<string, string>>;

type Operator = Readonly<{
  /** What its values must be; undefined where any text will do. */
  expects?: Readonly<{ isValid: (value: string) => boolean; description: string }>;
  holds: (wanted: string, given: string) => boolean;
  isNegated: boolean;
}>;

type Test = Omit<Operator, 'isNegated'>;

const ifExists = /^(.+)IfExists$/;

const withoutCase =
  (test: Test['holds']): Test['holds'] =>
  (wanted, given) =>
    test(wanted.toLowerCase(), given.toLowerCase());

const equal = (wanted: unknown, given: unknown): boolean => wanted === given;

const compared = (
  read: (text: string) => number | undefined,
  description: string,
  holds: (given: number, wanted: number) => boolean,
): Test => ({
  expects: { isValid: (value) => read(value) !== undefined, description },
  holds: (wanted, given) => {
    const [a, b] = [read(given), read(wanted)];
    return a !== undefined && b !== undefined && holds(a, b);
  },
});

const readNumber = (text: string): number | undefined =>
  /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined;

const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;
const readDate = (text: string): number | undefined => {
  const at = DATE.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
};

const readRange = (text: string): Cidr | undefined => {
  const address = parseAddress(text);
  if (address) return { family: address.family, first: address.value, prefix: address.family === 4 ? 32 : 128 };
  const cidr = parseCidr(text, text.includes(':') ? 6 : 4);
  return typeof cidr === 'string' ? undefined : cidr;
};

/** An IPv4 address may come in the form that IPv6 has for it. */
const readAddress = (text: string): Cidr | undefined => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  return parseAddress(text) && readRange(mapped ?? text);
};

const isBoolean = { isValid: (value: string) => /^(true|false)$/i.test(value), description: 'must be true or false' };

const comparisons: Readonly<Record<string, (given: number, wanted: number) => boolean>> = {
  LessThan: (given, wanted) => given < wanted,
  LessThanEquals: (given, wanted) => given <= wanted,
  GreaterThan: (given, wanted) => given > wanted,
  GreaterThanEquals: (given, wanted) => given >= wanted,
};

const both = (name: string, negatedName: string, test: Test): readonly (readonly [string, Operator])[] => [
  [name, { ...test, isNegated: false }],
  [negatedName, { ...test, isNegated: true }],
];

const numbers = (
  kind: string,
  read: (text: string) => number | undefined,
  description: string,
): readonly (readonly [string, Operator])[] => [
  ...both(`${kind}Equals`, `${kind}NotEquals`, compared(read, description, equal)),
  ...Object.entries(comparisons).map(
    ([name, holds]) => [`${kind}${name}`, { ...compared(read, description, holds), isNegated: false }] as const,
  ),
];

const operators = new Map<string, Operator>([
  ...both('StringEquals', 'StringNotEquals', { holds: equal }),
  ...both('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', { holds: withoutCase(equal) }),
  ...both('StringLike', 'StringNotLike', { holds: matchesPattern }),
  ...both('StringLikeIgnoreCase', 'StringNotLikeIgnoreCase', { holds: withoutCase(matchesPattern) }),
  ...numbers('Numeric', readNumber, 'must be a number'),
  ...numbers('Date', readDate, 'must be a date, or a date and time with its zone, of ISO 8601'),
  ['Bool', { expects: isBoolean, holds: withoutCase(equal), isNegated: false }],
  ...both('IpAddress', 'NotIpAddress', {
    expects: { isValid: (value) => readRange(value) !== undefined, description: 'must be an IP address or range' },
    holds: (wanted, given) => {
      const [range, address] = [readRange(wanted), readAddress(given)];
      return range !== undefined && address !== undefined && isInside(address, range);
    },
  }),
]);

const operatorOf = (name: string): Operator | undefined => operators.get(ifExists.exec(name)?.[1] ?? name);

/** Undefined for an operator that there is not; else what is wrong with each value, in their order. */
export const faultsOfValues = (operator: string, values: readonly string[]): readonly (string | null)[] | undefined => {
  const expects = operator === 'Null' ? isBoolean : operatorOf(operator)?.expects;
  if (operator !== 'Null' && !operatorOf(operator)) return undefined;
  return values.map((value) => (expects && !expects.isValid(value) ? expects.description : null));
};

/**
 * Several values are alternatives, and a negated operator holds when none of them does. Without the key a negated
 * operator holds, and another one does not; with `IfExists` any does.
 */
export const conditionHolds = ({ operator, key, values }: Condition, context: RequestContext): boolean => {
  const given = Object.hasOwn(context, key) ? context[key] : undefined;
  if (operator === 'Null') return values.some((value) => (value.toLowerCase() === 'true') === (given === undefined));
  const known = operatorOf(operator);
  if (!known) throw new Error(`a policy with the condition ${operator} was let in`);
  if (given === undefined) return known.isNegated || ifExists.test(operator);
  return values.some((wanted) => known.holds(wanted, given)) !== known.isNegated;
};
