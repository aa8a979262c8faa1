import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { type Json, shortValue } from '../field-option.ts';

export type Row = Readonly<{ [field: string]: Json }>;

const GAP = '  ';
/** Of a table; what one message says is shown whole. */
const MAX_CELL = 60;
const WHOLE = Number.POSITIVE_INFINITY;

/** Rows of one kind of message, with as many of its columns as fit; what every row leaves empty has none. */
export const table = (
  message: DescMessage,
  rows: readonly Row[],
  width: number,
  maxCell = MAX_CELL,
): readonly string[] => {
  const columns = message.fields
    .filter(isPlain)
    .map((field) => ({ field, cells: rows.map((row) => cell(field, row[field.name], maxCell)) }))
    .filter(({ cells }) => cells.some((text) => text !== ''));
  const shown: string[][] = [];
  let used = 0;
  for (const { field, cells } of columns.toSorted((a, b) => rank(a.field) - rank(b.field))) {
    const column = [heading(field), ...cells];
    const columnWidth = Math.max(...column.map((text) => text.length));
    // The first one is shown however narrow the terminal is.
    if (shown.length > 0 && used + GAP.length + columnWidth > width) continue;
    used += (shown.length > 0 ? GAP.length : 0) + columnWidth;
    shown.push(column.map((text) => text.padEnd(columnWidth)));
  }
  return ['', ...rows]
    .map((_, index) => index)
    .map((line) =>
      shown
        .map((column) => column[line])
        .join(GAP)
        .trimEnd(),
    );
};

/** One message, a line for each field that says something, whole; what is in it stands below it. */
export const details = (message: DescMessage, value: Row, width: number, indent = ''): readonly string[] => {
  const said = message.fields.filter((field) => !isEmpty(value[field.name]));
  const longest = Math.max(0, ...said.map((field) => heading(field).length));
  return said.flatMap((field) => {
    const given = value[field.name] ?? null;
    if (isPlain(field))
      return wrapped(`${indent}${heading(field).padEnd(longest)}${GAP}`, cell(field, given, WHOLE), width);
    const below = `${indent}${GAP}`;
    if (Array.isArray(given) && field.message)
      return [`${indent}${heading(field)}`, ...listed(field.message, given as Row[], width, below)];
    if (field.message && !Array.isArray(given) && !field.message.typeName.startsWith('google.')) {
      return [`${indent}${heading(field)}`, ...details(field.message, given as Row, width, below)];
    }
    return [`${indent}${heading(field).padEnd(longest)}${GAP}${JSON.stringify(given)}`];
  });
};

/** What is left for words at least, or else they are not worth wrapping. */
const MIN_TEXT = 20;

/** Words that do not fit into the width go on below the first of them. */
export const wrapped = (start: string, text: string, width: number): readonly string[] => {
  const room = width - start.length;
  if (text.length <= room || room < MIN_TEXT) return [start + text];
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, index) => (index === 0 ? start : ' '.repeat(start.length)) + line);
};

/** As a table where it fits without a loss, else one after the other. */
const listed = (message: DescMessage, rows: readonly Row[], width: number, indent: string): readonly string[] => {
  const isFlat = rows.every((row) => message.fields.every((field) => isPlain(field) || isEmpty(row[field.name])));
  const lines = table(message, rows, Number.POSITIVE_INFINITY, WHOLE).map((line) => indent + line);
  if (isFlat && lines.every((line) => line.length <= width)) return lines;
  return rows.flatMap((row) =>
    details(message, row, width, `${indent}${GAP}`).map((line, index) =>
      index === 0 ? `${indent}- ${line.trimStart()}` : line,
    ),
  );
};

/** What is looked for first comes first: which, in what state, everything else, since when. */
const rank = ({ name, number, enum: values }: DescField): number => {
  if (number === 1) return 0;
  if (name === 'type' || (values !== undefined && /status$|^decision$/.test(name))) return 1;
  return /time$/.test(name) ? 3 : 2;
};

const TEXTS = ['google.protobuf.Timestamp', 'google.protobuf.Duration'];

/** What fits into a cell: scalars, enums, times, and lists of texts. */
const isPlain = ({ fieldKind, message, listKind }: DescField & { listKind?: string }): boolean => {
  if (fieldKind === 'message') return TEXTS.includes(message?.typeName ?? '');
  return fieldKind === 'scalar' || fieldKind === 'enum' || (fieldKind === 'list' && listKind !== 'message');
};

const heading = ({ name }: DescField): string => name.replaceAll('_', ' ').toUpperCase();

export const isEmpty = (value: Json | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  value === '0' ||
  value === 0 ||
  (Array.isArray(value) && value.length === 0);

const cell = (field: DescField, value: Json | undefined, most: number): string => {
  if (value === undefined || isEmpty(value)) return '';
  const text = Array.isArray(value) ? value.map((each) => plain(field, each as Json)).join(' ') : plain(field, value);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
};

const plain = (field: DescField, value: Json): string => {
  if (field.enum && typeof value === 'string')
    return shortValue(field.enum.name, value)
      .replaceAll('-', '_')
      .toUpperCase()
      .replace(/^UNSPECIFIED$/, '');
  if (field.message?.typeName === TEXTS[0])
    return String(value)
      .replace('T', ' ')
      .replace(/\.\d+Z$|Z$/, '');
  return value === true ? 'yes' : String(value);
};
