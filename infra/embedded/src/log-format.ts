import { styleText } from 'node:util';
import { parseRecord, tellsOfError } from './log-line.ts';

export type LogMode = 'pretty' | 'json' | 'file';

const levels: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};
const colours = ['cyan', 'magenta', 'green', 'yellow', 'blue', 'cyanBright', 'magentaBright', 'greenBright'] as const;
/** What the prefix says already, or nobody reads. */
const silentKeys = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'service', 'instance', 'name', 'v']);

/** `time level [name] message key=value` for people. */
export function prettyLine(name: string, text: string, { colour }: { readonly colour: boolean }): string {
  const record = parseRecord(text);
  const level = levels[Number(record?.['level'] ?? levelOf(text))] ?? 'INFO';
  const time = new Date(typeof record?.['time'] === 'number' ? record['time'] : Date.now()).toISOString().slice(11, 23);
  const paint = (style: Parameters<typeof styleText>[0], part: string) =>
    colour && part !== '' ? styleText(style, part, { validateStream: false }) : part;
  return [
    paint('dim', time),
    paint(levelStyle(level), level.padEnd(5)),
    paint(colourOf(name), `[${name}]`),
    ...(record ? [String(record['msg'] ?? ''), paint('dim', details(record))] : [text]),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** One JSON line: what a program wrote as JSON is passed on, anything else becomes the message of a record. */
export const jsonLine = (name: string, text: string): string =>
  parseRecord(text) ? text : JSON.stringify({ level: levelOf(text), time: Date.now(), instance: name, msg: text });

/** The level of a line that names none in our way. */
const levelOf = (text: string): number => (tellsOfError(text) ? 50 : 30);

const levelStyle = (level: string) =>
  level === 'ERROR' || level === 'FATAL' ? 'red' : level === 'WARN' ? 'yellow' : 'dim';

const colourOf = (name: string) =>
  colours[[...name].reduce((sum, char) => sum + char.charCodeAt(0), 0) % colours.length] ?? 'cyan';

function details(record: Record<string, unknown>): string {
  return Object.entries(record)
    .filter(([key]) => !silentKeys.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
