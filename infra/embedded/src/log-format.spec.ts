import { expect, test } from 'vitest';
import { jsonLine, prettyLine } from './log-format.ts';

const record = JSON.stringify({
  level: 40,
  time: 1_800_000_000_123,
  msg: 'slow',
  instance: 'dns-1',
  ms: 7,
  tags: ['a'],
});

test('a record becomes time, level, name, message and what else it holds', () => {
  expect(prettyLine('dns-1', record, { colour: false })).toBe('08:00:00.123 WARN  [dns-1] slow ms=7 tags=["a"]');
});

test('a line that is not a record is shown as it is', () => {
  expect(prettyLine('nats', '[1] [INF] Server is ready', { colour: false })).toMatch(
    /^[\d:.]{12} INFO {2}\[nats\] \[1\] \[INF\] Server is ready$/,
  );
});

test('an error that is not a record is shown as one', () => {
  expect(prettyLine('postgres', 'FATAL:  damaged', { colour: false })).toContain(' ERROR [postgres] FATAL:  damaged');
  expect(JSON.parse(jsonLine('postgres', 'FATAL:  damaged'))).toMatchObject({ level: 50 });
});

test('colours are only there when asked for', () => {
  const escapeCode = String.fromCharCode(27);
  expect(prettyLine('dns-1', record, { colour: true })).toContain(escapeCode);
  expect(prettyLine('dns-1', record, { colour: false })).not.toContain(escapeCode);
});

test('as JSON a record passes unchanged and other lines become records', () => {
  expect(jsonLine('dns-1', record)).toBe(record);
  expect(JSON.parse(jsonLine('nats', 'hello'))).toMatchObject({ level: 30, instance: 'nats', msg: 'hello' });
});
