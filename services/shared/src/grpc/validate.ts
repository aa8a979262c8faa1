import { isIP } from 'node:net';
import { type FieldViolation, InvalidRequest } from '../app/errors.ts';
import { type EnumName, enumName } from './enums.ts';

/** Collects everything that is wrong with a request, so that its caller mends it in one go. */
export type Violations = Readonly<{
  /** Records a violation unless the condition holds; says whether it did. */
  check: (field: string, condition: boolean, description: string) => boolean;
  /** @throws InvalidRequest */
  throwIfAny: () => void;
}>;

export const violations = (): Violations => {
  const found: FieldViolation[] = [];
  return {
    check: (field, condition, description) => {
      if (!condition) found.push({ field, description });
      return condition;
    },
    throwIfAny: () => {
      if (found.length > 0) throw new InvalidRequest(found);
    },
  };
};

export const checkId = (v: Violations, field: string, value: string, prefix: string): boolean =>
  v.check(field, isId(value, prefix), `must be ${prefix}- and 20 characters of [0-9a-z]`);

export const isId = (value: string, prefix: string): boolean =>
  value.startsWith(`${prefix}-`) && /^[0-9a-z]{20}$/.test(value.slice(prefix.length + 1));

export const checkAccountId = (v: Violations, field: string, value: string): boolean =>
  v.check(field, isAccountId(value), 'must be 16 digits');

export const isAccountId = (value: string): boolean => /^\d{16}$/.test(value);

/** A range of IPv4 or IPv6 addresses, which belong to no device (`%eth0`) of some machine. */
export const isCidr = (value: string): boolean => {
  const [, ip = '', length = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(value) ?? [];
  const family = isIP(ip);
  return family !== 0 && Number(length) <= (family === 6 ? 128 : 32);
};

/** May be left out; then a repeat is another request. */
export const checkRequestId = (v: Violations, value: string): boolean =>
  v.check('request_id', /^[\x20-\x7e]{0,64}$/.test(value), 'must be at most 64 printable ASCII characters');

/** NUL is the one character that PostgreSQL cannot keep. */
export const checkText = (v: Violations, field: string, value: string, maxLength: number): boolean =>
  v.check(field, !value.includes('\0'), 'must not contain NUL') &&
  v.check(field, [...value].length <= maxLength, `must have at most ${maxLength} characters`);

/** The ids of zones and of what their owners name themselves. */
export const checkName = (v: Violations, field: string, value: string): boolean =>
  v.check(field, /^[a-zA-Z0-9-]{1,64}$/.test(value), 'must be 1 to 64 characters of [a-zA-Z0-9-]');

/** May be left out where nobody in particular acts. */
export const checkActor = (v: Violations, field: string, value: string): boolean =>
  v.check(field, value === '' || isActor(value), 'must be user:<subject> or service:<name>');

export const isActor = (value: string): boolean => /^(user|service):[A-Za-z0-9._:@+-]{1,128}$/.test(value);

/** Larger numbers could not be kept exactly. */
export const checkCount = (v: Violations, field: string, value: bigint): boolean =>
  v.check(field, value <= BigInt(Number.MAX_SAFE_INTEGER), `must be at most ${Number.MAX_SAFE_INTEGER}`);

/** Of an endpoint, and so of whatever names zones of one. */
export const MAX_ZONES = 10;

/** A list of zones, at most so many as an endpoint has. */
export const checkZoneIds = (v: Violations, field: string, zoneIds: readonly string[]): void => {
  v.check(field, zoneIds.length <= MAX_ZONES, `must be at most ${MAX_ZONES}`);
  for (const [index, zoneId] of zoneIds.slice(0, MAX_ZONES).entries()) checkName(v, `${field}[${index}]`, zoneId);
};

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1_000;

/** The size to use. */
export const checkPageSize = (v: Violations, value: number): number => {
  v.check('page_size', value >= 0, 'must not be negative');
  return Math.min(value || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
};

/** A value that only a newer contract knows must not pass for one that was not said. */
export const checkEnum = (v: Violations, field: string, value: string): boolean =>
  v.check(field, value !== 'UNRECOGNIZED', 'is a value that is not known here');

/** Short names of the values that a list is filtered by. */
export const checkEnums = <E extends Readonly<Record<string, string>>>(
  v: Violations,
  field: string,
  enumeration: E,
  values: readonly E[keyof E][],
): EnumName<E>[] =>
  values.flatMap((value, index) => {
    const name = enumName(enumeration, value);
    v.check(`${field}[${index}]`, name !== undefined, 'is a value that is not known here');
    return name ?? [];
  });
