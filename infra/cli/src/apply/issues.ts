import { z } from 'zod';

type Shape = Readonly<{
  properties?: Readonly<Record<string, Shape>>;
  items?: Shape;
  anyOf?: readonly Shape[];
  additionalProperties?: Shape | boolean;
}>;

/** What is wrong, and what is allowed instead. */
export const describeIssue = (issue: z.core.$ZodIssue, schema: z.ZodType): string => {
  if (issue.code === 'unrecognized_keys') {
    const known = allowedAt(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape, issue.path);
    return `${issue.path.length > 0 ? '' : 'it '}has no ${issue.keys.join(', ')}: it has ${known.join(', ')}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (issue.code === 'invalid_type') {
    const isAbsent = issue.input === undefined && /received undefined/.test(issue.message);
    return isAbsent ? `is missing: a ${issue.expected}` : `must be a ${issue.expected}`;
  }
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => describeIssue(inner, schema)).join('; ');
  if (issue.code === 'invalid_union') {
    const parts = issue.errors.flatMap((each) => each.slice(0, 1).map((inner) => describeIssue(inner, schema)));
    return [...new Set(parts)].join(', or ');
  }
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
  return issue.message.startsWith('must') ? issue.message : `is wrong: ${issue.message}`;
};

const unitOf = (origin: string): string => (origin === 'array' ? ' entries' : origin === 'string' ? ' characters' : '');

/** Names of the fields that a place in a document has. */
const allowedAt = (shape: Shape, path: readonly PropertyKey[]): readonly string[] => {
  let at: Shape | undefined = shape;
  for (const part of path) {
    const rest: Shape | undefined = typeof at?.additionalProperties === 'object' ? at.additionalProperties : undefined;
    at = typeof part === 'number' ? at?.items : (at?.properties?.[String(part)] ?? rest);
  }
  return Object.keys(at?.properties ?? at?.anyOf?.find(({ properties }) => properties)?.properties ?? {});
};
