import { InvalidFilter } from './invalid-filter.ts';

/** What a filter says, as written: nothing is known yet of the list that it is for. */
export type Filter =
  | Readonly<{ is: 'and' | 'or'; of: readonly Filter[] }>
  | Readonly<{ is: 'not'; of: Filter }>
  | Restriction;

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | ':';

export type Restriction = Readonly<{
  is: 'restriction';
  /** `tags.env` are two parts. */
  path: readonly string[];
  operator: Operator;
  /** Null for `*` without quotes: anything at all. */
  value: string | null;
  /** Where it begins, counted from 1, for whoever has to mend it. */
  at: number;
}>;

const MAX_LENGTH = 2_048;
const MAX_DEPTH = 32;
const MAX_RESTRICTIONS = 64;

const OPERATORS: readonly Operator[] = ['!=', '<=', '>=', '=', '<', '>', ':'];
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const KEY = /[A-Za-z0-9_-]+/y;
const BARE = /[^\s()"']+/y;
const KEYWORDS: readonly string[] = ['AND', 'OR', 'NOT'];

/**
 * Reads a filter by the rules of AIP-160: OR binds stronger than AND, as a search that lists what is wanted of each
 * thing does.
 *
 * @returns null for an empty one, which everything fulfils
 * @throws InvalidFilter
 */
export const parseFilter = (text: string): Filter | null => {
  if (text.length > MAX_LENGTH) throw new InvalidFilter(MAX_LENGTH + 1, `must have at most ${MAX_LENGTH} characters`);
  let index = 0;
  let restrictions = 0;

  const fail = (description: string, at = index): never => {
    throw new InvalidFilter(at + 1, description);
  };
  const skip = (): void => {
    while (/\s/.test(text[index] ?? '')) index++;
  };
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = index;
    const found = pattern.exec(text)?.[0];
    index += found?.length ?? 0;
    return found;
  };
  const takeWord = (word: string): boolean => {
    skip();
    const end = text[index + word.length] ?? ' ';
    if (!text.startsWith(word, index) || !/[\s("']/.test(end)) return false;
    index += word.length;
    return true;
  };
  const takeQuoted = (): string | undefined => {
    const quote = text[index];
    if (quote !== '"' && quote !== "'") return undefined;
    const start = index++;
    let value = '';
    for (;;) {
      const next = text[index++];
      if (next === undefined) return fail('this quote is never closed', start);
      if (next === quote) return value;
      if (next !== '\\') value += next;
      else value += text[index++] ?? fail('this quote is never closed', start);
    }
  };

  const readPath = (): readonly string[] => {
    const start = index;
    const name = take(NAME) ?? fail('a field is wanted here');
    if (KEYWORDS.includes(name)) fail(`${name} wants something before and after it`, start);
    const path = [name];
    while (text[index] === '.') {
      index++;
      path.push(
        takeQuoted() ?? take(KEY) ?? fail('a key is wanted after the dot, in quotes unless it is a simple word'),
      );
    }
    return path;
  };

  const readRestriction = (): Restriction => {
    if (++restrictions > MAX_RESTRICTIONS) fail(`at most ${MAX_RESTRICTIONS} comparisons can be made`);
    const start = index;
    const path = readPath();
    skip();
    const operator = OPERATORS.find((candidate) => text.startsWith(candidate, index));
    if (!operator) return fail(`one of ${OPERATORS.join(' ')} is wanted here`);
    index += operator.length;
    skip();
    const quoted = takeQuoted();
    const value = quoted ?? take(BARE) ?? fail('a value is wanted here');
    return {
      is: 'restriction',
      path,
      operator,
      value: quoted === undefined && value === '*' ? null : value,
      at: start + 1,
    };
  };

  const readTerm = (depth: number): Filter => {
    skip();
    if (depth > MAX_DEPTH) fail(`parentheses and NOT can be at most ${MAX_DEPTH} deep`);
    if (takeWord('NOT')) return { is: 'not', of: readTerm(depth + 1) };
    if (text[index] !== '(') return readRestriction();
    const start = index++;
    const inner = readAnd(depth + 1);
    skip();
    if (text[index] !== ')')
      fail(
        index < text.length ? 'AND, OR or ) is wanted here' : 'this is never closed',
        index < text.length ? index : start,
      );
    index++;
    return inner;
  };

  const readJoined =
    (is: 'and' | 'or', read: (depth: number) => Filter) =>
    (depth: number): Filter => {
      const parts = [read(depth)];
      while (takeWord(is.toUpperCase())) parts.push(read(depth));
      const [only] = parts;
      return parts.length === 1 && only ? only : { is, of: parts };
    };
  const readOr = readJoined('or', readTerm);
  const readAnd = readJoined('and', readOr);

  skip();
  if (index === text.length) return null;
  const filter = readAnd(0);
  skip();
  if (index < text.length) fail('AND or OR is wanted here');
  return filter;
};

/** A filter as text; read again, it is the same. */
export const printFilter = (filter: Filter): string => {
  switch (filter.is) {
    case 'restriction': {
      const [name = '', ...keys] = filter.path;
      const value = filter.value === null ? '*' : quote(filter.value);
      return `${[name, ...keys.map(quote)].join('.')} ${filter.operator} ${value}`;
    }
    case 'not':
      return `NOT ${isJoined(filter.of) ? `(${printFilter(filter.of)})` : printFilter(filter.of)}`;
    default: {
      const isLoose = (part: Filter): boolean => part.is === 'and' || (part.is === 'or' && filter.is === 'or');
      const parts = filter.of.map((part) => (isLoose(part) ? `(${printFilter(part)})` : printFilter(part)));
      return parts.join(` ${filter.is.toUpperCase()} `);
    }
  }
};

const isJoined = ({ is }: Filter): boolean => is === 'and' || is === 'or';
const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
