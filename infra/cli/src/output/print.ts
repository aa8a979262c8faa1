import type { DescMessage } from '@bufbuild/protobuf';
import { stringify } from 'yaml';
import type { Answer } from '../call.ts';
import { previewLines } from './preview.ts';
import { details, isEmpty, type Row, table } from './table.ts';

export const formats = ['table', 'json', 'yaml'] as const;
export type Format = (typeof formats)[number];

export type Screen = Readonly<{ width: number; write: (text: string) => void }>;

/** What a list repeats, or what a reply is mainly about. */
const mainField = (message: DescMessage) =>
  message.fields.find((field) => field.fieldKind === 'list' && field.message) ??
  message.fields.find((field) => field.fieldKind === 'message' && field.name !== 'preview');

/** A reply as the caller wants it; of a dry run, to people, what it would do. */
export const print = (format: Format, message: DescMessage, answer: Answer, { width, write }: Screen): void => {
  write(
    format === 'json'
      ? `${JSON.stringify(answer, null, 2)}\n`
      : format === 'yaml'
        ? stringify(answer)
        : textOf(message, answer, width),
  );
};

const textOf = (message: DescMessage, answer: Answer, width: number): string => {
  const lines = answer['preview'] ? previewLines(answer['preview'] as Row, width) : replyLines(message, answer, width);
  return lines.map((line) => `${line}\n`).join('');
};

const replyLines = (message: DescMessage, answer: Answer, width: number): readonly string[] => {
  const main = mainField(message);
  const value = main && (answer[main.name] ?? null);
  if (!main?.message || value === null || value === undefined) return details(message, withoutTokens(answer), width);
  if (!Array.isArray(value)) return details(main.message, value as Row, width);
  const more = answer['next_page_token'];
  const isPage = more !== undefined;
  // What a list is not, such as an explanation, is shown whole.
  if (!isPage) return details(message, withoutTokens(answer), width);
  if (value.length === 0) return ['(none)'];
  return [...table(main.message, value as Row[], width), ...(more ? [`more: --page-token ${more}`] : [])];
};

const withoutTokens = (answer: Answer): Row =>
  Object.fromEntries(Object.entries(answer).filter(([name]) => name !== 'consistency_token'));

/** A message of a stream: on one line, but for YAML. */
export const printEvent = (format: Format, message: DescMessage, answer: Answer, { write }: Screen): void => {
  if (format === 'yaml') write(`---\n${stringify(answer)}`);
  else write(`${format === 'json' ? JSON.stringify(answer) : eventLine(message, answer)}\n`);
};

/** For people: what it is about and in what state; or all that it says. */
const eventLine = (message: DescMessage, answer: Answer): string => {
  const said = message.fields.filter(({ name }) => !isEmpty(answer[name]));
  const parts = said.map((field) => {
    const value = answer[field.name] ?? null;
    if (!field.message || Array.isArray(value)) return field.name.replaceAll('_', ' ');
    const [, line = ''] = table(field.message, [value as Row], Number.POSITIVE_INFINITY);
    return field.name === 'connection' ? line : `${field.name} ${pairsOf(field.message, value as Row)}`;
  });
  return parts.join('  ');
};

const pairsOf = (message: DescMessage, value: Row): string =>
  message.fields.map(({ name }) => `${name.replaceAll('_', ' ')} ${[value[name]].flat().join(' ')}`).join(', ');
