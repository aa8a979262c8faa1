import { type DescField, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { InvalidArgumentError, Option } from 'commander';
import { commentOf } from './contract.ts';

export type Json = null | boolean | number | string | readonly Json[] | Readonly<{ [key: string]: Json }>;

/** `connection_id` is `--connection-id`; what is repeated has the name of one: `zones` is `--zone`. */
export const flagOf = ({ name, fieldKind }: DescField): string => {
  const one = fieldKind === 'list' ? name.replace(/(?<=s)es$|s$/, '') : name;
  return `--${one.replaceAll('_', '-')}`;
};

/** How a field of a request is given on the command line, and how it is read into protobuf's JSON. */
export const optionFor = (field: DescField): Option => {
  const isFlag = kindOf(field) === ScalarType.BOOL;
  const isRepeated = field.fieldKind === 'list' || field.fieldKind === 'map';
  const shape = isFlag && !isRepeated ? flagShape(field) : ` <${placeholder(field)}>`;
  const option = new Option(`${flagOf(field)}${shape}`, [commentOf(field), ...further(field)].join(' '));
  if (isFlag && !isRepeated) return shape === '' ? option : option.argParser(booleanValue);
  if (!isRepeated) return option.argParser((text: string) => read(field, text));
  return option.argParser((text: string, before: readonly Json[] | undefined) => [
    ...(before ?? []),
    read(field, text),
  ]);
};

/** Where not to say it is something else than `false`, that can be said. */
const flagShape = ({ presence }: DescField): string =>
  presence === FeatureSet_FieldPresence.EXPLICIT ? ' [true|false]' : '';

/** What else may be said of an option: its values, what is in it, and whether there may be several. */
const further = (field: DescField): readonly string[] => {
  const isMessage = placeholder(field) === 'field=value';
  return [
    ...(field.enum ? [`One of ${shortValues(field).join(', ')}.`] : []),
    ...(isMessage ? [`JSON, or some of ${field.message?.fields.map(({ name }) => name).join(', ')}.`] : []),
    ...(field.fieldKind === 'list' || field.fieldKind === 'map' ? ['Repeatable.'] : []),
  ];
};

/** Several values of one option as the field holds them. */
export const fieldValue = (field: DescField, given: Json): Json =>
  field.fieldKind === 'map' ? Object.assign({}, ...(given as readonly object[])) : given;

type Kind = ScalarType | 'message' | 'enum';

const kindOf = (field: DescField): Kind => {
  if (field.message) return 'message';
  if (field.enum) return 'enum';
  return field.fieldKind === 'map' ? ScalarType.STRING : (field.scalar ?? ScalarType.STRING);
};

const NUMBERS: readonly Kind[] = [ScalarType.INT32, ScalarType.UINT32, ScalarType.INT64, ScalarType.UINT64];

const placeholder = (field: DescField): string => {
  if (field.fieldKind === 'map') return 'key=value';
  if (field.message?.typeName === 'google.protobuf.Timestamp') return 'time';
  if (field.message?.typeName === 'google.protobuf.Duration') return 'seconds';
  if (field.message) return 'field=value';
  if (field.enum) return 'value';
  return NUMBERS.includes(kindOf(field)) ? 'number' : 'text';
};

const read = (field: DescField, text: string): Json => {
  if (field.fieldKind === 'map') return pairs(text);
  if (field.enum) return enumValue(field, text);
  if (field.message) return messageValue(field, text);
  const kind = kindOf(field);
  if (kind === ScalarType.BOOL) return booleanValue(text);
  if (NUMBERS.includes(kind) && !/^-?\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return text;
};

const booleanValue = (text: string): boolean => {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('must be true or false.');
  return text === 'true';
};

/** `CONNECTION_STATUS_CONNECTED` is `connected`. */
export const shortValue = (enumName: string, value: string): string => {
  const prefix = `${enumName.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`;
  return value.replace(prefix, '').toLowerCase().replaceAll('_', '-');
};

const shortValues = (field: DescField): readonly string[] =>
  (field.enum?.values ?? [])
    .filter(({ number }) => number !== 0)
    .map(({ name }) => shortValue(field.enum?.name ?? '', name));

const enumValue = (field: DescField, text: string): string => {
  const wanted = text.toLowerCase().replaceAll('_', '-');
  const known = field.enum?.values.find(
    ({ name }) => name === text || shortValue(field.enum?.name ?? '', name) === wanted,
  );
  if (!known) throw new InvalidArgumentError(`must be one of ${shortValues(field).join(', ')}.`);
  return known.name;
};

/** JSON, or `field=value,field=value` for what is flat. */
const messageValue = (field: DescField, text: string): Json => {
  const { typeName = '', fields = [] } = field.message ?? {};
  if (typeName === 'google.protobuf.Duration') return /^\d+(\.\d+)?$/.test(text) ? `${text}s` : text;
  if (typeName.startsWith('google.protobuf.')) return text;
  if (/^\s*[[{]/.test(text)) return jsonValue(text);
  const value: Record<string, Json> = {};
  for (const [name, part] of Object.entries(pairs(text))) {
    const known = fields.find((candidate) => candidate.name === name || candidate.name === name.replaceAll('-', '_'));
    if (!known) throw new InvalidArgumentError(`has no ${name}: it has ${fields.map((each) => each.name).join(', ')}.`);
    value[known.name] = known.fieldKind === 'list' ? [read(known, part)] : read(known, part);
  }
  return value;
};

const jsonValue = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new InvalidArgumentError(`is no JSON: ${(error as Error).message}.`);
  }
};

const pairs = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split(',').map((part) => {
      const at = part.indexOf('=');
      if (at < 1) throw new InvalidArgumentError('must be name=value, several of them separated by commas.');
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    }),
  );
