import { type Condition, faultsOfValues } from './conditions.ts';
import type { Policy, PolicyFault, Selection, Statement } from './policy.ts';

const MAX_LENGTH = 8_192;
const MAX_STATEMENTS = 50;
const MAX_FAULTS = 10;
const MAX_PATH = 128;

type Json = Readonly<Record<string, unknown>>;
/** Notes what is wrong at a path. */
type Fault = (path: string, description: string) => void;

/** With the same text for the same policy, whatever its spaces and the order of its keys. Faults instead, if any. */
export type ReadPolicy =
  | Readonly<{ policy: Policy; canonical: string; faults: readonly [] }>
  | Readonly<{ policy: null; faults: readonly PolicyFault[] }>;

export const readPolicy = (text: string): ReadPolicy => {
  const faults: PolicyFault[] = [];
  const fault: Fault = (path, description) => {
    // What is said in an answer is bounded, and its caller's own text may be no text.
    if (faults.length < MAX_FAULTS) faults.push({ path: path.slice(0, MAX_PATH).toWellFormed(), description });
  };
  const json = parse(text, fault);
  const policy = json === undefined ? [] : readDocument(json, fault);
  return faults.length > 0 ? { policy: null, faults } : { policy, canonical: canonicalOf(json), faults: [] };
};

const parse = (text: string, fault: Fault): unknown => {
  if (text.length > MAX_LENGTH) {
    fault('policy', `must have at most ${MAX_LENGTH} characters`);
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    fault('policy', 'must be JSON');
    return undefined;
  }
};

const readDocument = (json: unknown, fault: Fault): Policy => {
  const document = readObject(json, 'policy', ['Version', 'Statement'], fault);
  if (!document) return [];
  if (document['Version'] !== '1') fault('policy.Version', 'must be "1"');
  const said = document['Statement'];
  const statements = Array.isArray(said) ? said : [said];
  if (said === undefined || statements.length === 0 || statements.length > MAX_STATEMENTS) {
    fault('policy.Statement', `must be 1 to ${MAX_STATEMENTS} statements`);
    return [];
  }
  return statements.flatMap((statement: unknown, index) => {
    const path = Array.isArray(said) ? `policy.Statement[${index}]` : 'policy.Statement';
    return readStatement(statement, path, fault) ?? [];
  });
};

const FIELDS = ['Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Principal', 'Condition'];

const readStatement = (json: unknown, path: string, fault: Fault): Statement | undefined => {
  const said = readObject(json, path, FIELDS, fault);
  if (!said) return undefined;
  const effect = said['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') fault(`${path}.Effect`, 'must be Allow or Deny');
  return {
    effect: effect === 'Allow' ? 'Allow' : 'Deny',
    actions: readSelection(said, 'Action', path, fault),
    resources: readSelection(said, 'Resource', path, fault),
    principals: 'Principal' in said ? readPrincipals(said['Principal'], `${path}.Principal`, fault) : null,
    conditions: 'Condition' in said ? readConditions(said['Condition'], `${path}.Condition`, fault) : [],
  };
};

const readSelection = (said: Json, name: string, path: string, fault: Fault): Selection => {
  const negated = `Not${name}`;
  if (name in said === negated in said) {
    fault(path, `must have either ${name} or ${negated}`);
    return { patterns: [], isNegated: false };
  }
  const isNegated = negated in said;
  const key = isNegated ? negated : name;
  return { patterns: readTexts(said[key], `${path}.${key}`, fault), isNegated };
};

/** `*`, names, or names by their kind: `{"RAM": [...]}`. */
const readPrincipals = (json: unknown, path: string, fault: Fault): readonly string[] => {
  if (typeof json === 'string' || Array.isArray(json)) return readTexts(json, path, fault);
  const said = readObject(json, path, ['RAM', 'Service'], fault);
  const names = Object.entries(said ?? {}).flatMap(([kind, value]) => readTexts(value, `${path}.${kind}`, fault));
  if (said && Object.keys(said).length === 0) fault(path, 'must name somebody');
  return names;
};

const readConditions = (json: unknown, path: string, fault: Fault): readonly Condition[] => {
  const operators = readObject(json, path, null, fault) ?? {};
  return Object.entries(operators).flatMap(([operator, said]) => {
    const at = `${path}.${operator}`;
    if (!faultsOfValues(operator, [])) {
      fault(at, 'is not a condition operator');
      return [];
    }
    return Object.entries(readObject(said, at, null, fault) ?? {}).map(([key, value]) => {
      const values = readValues(value, `${at}.${key}`, fault);
      for (const [index, wrong] of faultsOfValues(operator, values)?.entries() ?? []) {
        if (wrong) fault(Array.isArray(value) ? `${at}.${key}[${index}]` : `${at}.${key}`, wrong);
      }
      return { operator, key, values };
    });
  });
};

/** `fields`: those that there are; null for any. */
const readObject = (json: unknown, path: string, fields: readonly string[] | null, fault: Fault): Json | undefined => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    fault(path, 'must be an object');
    return undefined;
  }
  const unknown = fields ? Object.keys(json).filter((key) => !fields.includes(key)) : [];
  for (const key of unknown) fault(`${path}.${key}`, `is not known: ${fields?.join(', ')} are`);
  return json as Json;
};

const readTexts = (json: unknown, path: string, fault: Fault): readonly string[] => {
  const isText = (item: unknown): item is string => typeof item === 'string' && item !== '';
  return readList(json, path, isText, 'must be a text that is not empty', fault);
};

/** Numbers and truth values may stand without quotes. */
const readValues = (json: unknown, path: string, fault: Fault): readonly string[] => {
  const isValue = (item: unknown): item is string | number | boolean =>
    typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean';
  return readList(json, path, isValue, 'must be a text, a number, true or false', fault).map(String);
};

/** One item may stand without brackets. */
const readList = <T>(
  json: unknown,
  path: string,
  isItem: (item: unknown) => item is T,
  description: string,
  fault: Fault,
): readonly T[] => {
  if (Array.isArray(json) && json.length === 0) fault(path, 'must not be empty');
  const items: readonly unknown[] = Array.isArray(json) ? json : [json];
  return items.filter((item, index): item is T => {
    const fits = isItem(item);
    if (!fits) fault(Array.isArray(json) ? `${path}[${index}]` : path, description);
    return fits;
  });
};

const canonicalOf = (json: unknown): string => JSON.stringify(sorted(json));

const sorted = (json: unknown): unknown => {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]));
};
