import { expect, test } from 'vitest';
import { messageOf, tellsOfError } from './log-line.ts';

test('the message of a record names the error it carries', () => {
  expect(messageOf(JSON.stringify({ level: 60, msg: 'stopping', err: { message: 'disk full' } }))).toBe(
    'stopping: disk full',
  );
  expect(messageOf(JSON.stringify({ level: 30, msg: 'serving' }))).toBe('serving');
  expect(messageOf('  {not json ')).toBe('{not json');
});

test.each([
  ["Error: Cannot find module '/x/main.ts'", true],
  ['TypeError [ERR_X]: no', true],
  [JSON.stringify({ level: 60, msg: 'bad configuration' }), true],
  [JSON.stringify({ level: 'fatal', msg: 'zoneFeed failed' }), true],
  [JSON.stringify({ level: 'warn', msg: 'trying again' }), false],
  ['[7] 2026/11/25 21:00:00 [FTL] JetStream failed', true],
  ['FATAL:  data directory is damaged', true],
  ['broker: NATS at 127.0.0.1:7422 cannot be used: Authorization Violation', true],
  ['LOG:  database system is ready to accept connections', false],
  ['    at node:internal/main:12', false],
  ['Node.js v24.21.0', false],
  ["  code: 'ERR_MODULE_NOT_FOUND'", false],
  [JSON.stringify({ level: 30, msg: 'serving' }), false],
])('%s tells of an error: %s', (text, expected) => {
  expect(tellsOfError(text)).toBe(expected);
});
