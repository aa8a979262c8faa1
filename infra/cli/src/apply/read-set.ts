import { readFileSync } from 'node:fs';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import type { Json } from '../field-option.ts';
import { BadFile } from './failures.ts';
import { describeIssue } from './issues.ts';
import { headerSchema, schemas } from './schema.ts';
import { type Declared, type DeclaredSet, type Fields, type KindName, kindNames, referenced } from './things.ts';

export type AccountOf = Readonly<{ account: string } | { profile: string }>;
export type ReadSet = DeclaredSet & Readonly<{ accountOf: ReadonlyMap<string, AccountOf> }>;

/** A document with where it is. */
type Placed = Readonly<{ file: string; index: number; document: Document; lines: LineCounter; value: Fields }>;
type Header = Readonly<{ at: Placed; value: z.infer<typeof headerSchema> }>;

/** What a field that refers may refer to. */
const REFERENCES: Readonly<Record<string, KindName>> = {
  vpc_id: 'Vpc',
  vswitch_id: 'VSwitch',
  security_group_ids: 'SecurityGroup',
  service: 'EndpointService',
  next_hop: 'Endpoint',
  connection_id: 'Endpoint',
};

/**
 * Reads what files declare, which is one set.
 *
 * @param fallback whose everything is where neither a document nor a file says
 * @throws BadFile with every problem of every file
 */
export const readSet = (files: readonly string[], fallback: string): ReadSet => {
  const problems: string[] = [];
  const report = (at: Placed, path: readonly PropertyKey[], text: string): void => {
    problems.push(`${place(at, path)}: ${path.length > 0 ? `${pathText(path)} ` : ''}${text}`);
  };
  const placed = files.flatMap((file) => documentsOf(file, problems));
  const headers = placed.filter(({ value }) => !('kind' in value)).flatMap((at) => readHeader(at, report));
  const set = headers[0]?.value.set;
  for (const { at, value } of headers.slice(1))
    if (value.set !== set) report(at, ['set'], `must be ${set}, as in the first file`);
  if (set === undefined && problems.length === 0) problems.push(`${files.join(', ')}: no document says its \`set\``);

  const accountOf = new Map<string, AccountOf>();
  for (const { value } of headers)
    for (const [name, account] of Object.entries(value.accounts ?? {}))
      accountOf.set(name, typeof account === 'string' ? { account } : account);
  const owner = headers.find(({ value }) => value.account !== undefined)?.value.account ?? fallback;

  const found = placed
    .filter(({ value }) => 'kind' in value)
    .flatMap((at) => {
      const read = readDocument(at, report);
      if (!read) return [];
      const account = read.account ?? owner;
      const isKnown = accountOf.has(account) || /^\d{16}$/.test(account);
      const known = ['16 digits', ...accountOf.keys()].join(', ');
      if (!isKnown && read.account !== undefined) report(at, ['account'], `must be one of ${known}`);
      else if (!isKnown) report(at, [], `needs an account: one of ${known}`);
      else if (!accountOf.has(account)) accountOf.set(account, { account });
      return [{ at, declared: { ...read.declared, account, fields: withAccounts(read.declared.fields, accountOf) } }];
    });
  checkNames(found, report);
  if (problems.length > 0) throw new BadFile(problems);
  const declared = found.map((each) => each.declared);
  return { set: set ?? '', accounts: [...accountOf.keys()], declared, accountOf };
};

type Report = (at: Placed, path: readonly PropertyKey[], text: string) => void;

const documentsOf = (file: string, problems: string[]): readonly Placed[] => {
  const lines = new LineCounter();
  const documents = parseAllDocuments(textOf(file), { lineCounter: lines });
  if ('empty' in documents) return [];
  return documents.flatMap((document, index) => {
    const [error] = document.errors;
    if (error) {
      problems.push(`${file}:${error.linePos?.[0].line ?? 1} (document ${index + 1}): ${error.message.split('\n')[0]}`);
      return [];
    }
    const value = aliasSafe(document, file, index, problems);
    if (value === null) return [];
    const at = { file, index, document, lines, value: value as Fields };
    if (typeof value === 'object' && !Array.isArray(value)) return [at];
    problems.push(`${place(at, [])}: must be a mapping`);
    return [];
  });
};

/** Aliases that blow a small file up to a large one are refused by the library. */
const aliasSafe = (document: Document, file: string, index: number, problems: string[]): unknown => {
  try {
    return document.toJS();
  } catch (error) {
    problems.push(`${file} (document ${index + 1}): ${(error as Error).message}`);
    return null;
  }
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new BadFile([`${file}: cannot be read: ${(error as Error).message}`]);
  }
};

const readHeader = (at: Placed, report: Report): readonly Header[] => {
  const read = headerSchema.safeParse(at.value);
  if (read.success) return [{ at, value: read.data }];
  if (!('set' in at.value))
    report(at, [], `has neither a \`kind\`, which is one of ${kindNames.join(', ')}, nor a \`set\``);
  else for (const issue of read.error.issues) report(at, issue.path, describeIssue(issue, headerSchema));
  return [];
};

const readDocument = (at: Placed, report: Report) => {
  const kind = kindNames.find((each) => each === at.value['kind']);
  if (!kind) {
    report(at, ['kind'], `must be one of ${kindNames.join(', ')}`);
    return null;
  }
  const read = schemas[kind].safeParse(at.value);
  if (!read.success) {
    for (const issue of read.error.issues) report(at, issue.path, describeIssue(issue, schemas[kind]));
    return null;
  }
  const { kind: _kind, name, account, id = '', ...fields } = { id: undefined, ...read.data };
  return { account, declared: { kind, name, id, fields: fields as unknown as Fields } };
};

/** Users of a service by the names that the file has for accounts. */
const withAccounts = (fields: Fields, accountOf: ReadonlyMap<string, AccountOf>): Fields => {
  const { users } = fields;
  if (!Array.isArray(users)) return fields;
  return {
    ...fields,
    users: (users as readonly Fields[]).map((user) => {
      const known = accountOf.get(String(user['account_id']));
      return known && 'account' in known ? { ...user, account_id: known.account } : user;
    }) as unknown as Json,
  };
};

type Found = Readonly<{ at: Placed; declared: Declared }>;

/** Names are there once, and what is referred to is there, of the kind that is wanted, and no circle. */
const checkNames = (found: readonly Found[], report: Report): void => {
  const byName = new Map<string, Found>();
  for (const each of found) {
    const before = byName.get(each.declared.name);
    if (before) report(each.at, ['name'], `${each.declared.name} is taken: ${place(before.at, ['name'])}`);
    else byName.set(each.declared.name, each);
  }
  for (const { at, declared } of found)
    for (const [path, name] of referencesOf(at.value, [])) {
      const wanted = REFERENCES[String(path.findLast((part) => typeof part === 'string'))];
      const kind = byName.get(name)?.declared.kind;
      const names = found.filter((each) => each.declared.kind === wanted).map((each) => each.declared.name);
      if (kind === undefined || kind !== wanted)
        report(
          at,
          path,
          `ref:${name} is no ${wanted ?? 'reference'} of the set: there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ') || 'none'}`,
        );
      else if (name === declared.name) report(at, path, 'refers to itself');
    }
};

const referencesOf = (
  value: Json,
  path: readonly PropertyKey[],
): readonly (readonly [readonly PropertyKey[], string])[] => {
  if (Array.isArray(value)) return value.flatMap((each: Json, index) => referencesOf(each, [...path, index]));
  if (value !== null && typeof value === 'object')
    return Object.entries(value).flatMap(([key, each]) => referencesOf(each as Json, [...path, key]));
  const name = referenced(value);
  return name === null ? [] : [[path, name]];
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${String(part)}`)).join('');

/** `file:line (document n)`: of the innermost part that is there. */
const place = ({ file, index, document, lines }: Placed, path: readonly PropertyKey[]): string => {
  let node: unknown = document.contents;
  for (let length = path.length; length > 0; length--) {
    node = document.getIn(path.slice(0, length), true);
    if (node !== undefined && node !== null) break;
    node = document.contents;
  }
  const range = (node as { range?: readonly number[] } | null)?.range;
  return `${file}:${range ? lines.linePos(range[0] ?? 0).line : 1} (document ${index + 1})`;
};
