import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const plctl = fileURLToPath(new URL('../main.ts', import.meta.url));
const { stdout: script } = await run(process.execPath, [plctl, 'completion', 'bash']);

/** What bash offers for the last of these words. */
const offered = async (...words: readonly string[]): Promise<readonly string[]> => {
  const line = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(plctl ${line}); COMP_CWORD=${words.length}; _plctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', `${script}${ask}`]);
  return stdout.trim().split('\n');
};

it.each([
  { words: ['endpoint-serv'], expected: ['endpoint-service'] },
  { words: ['connection', 'acc'], expected: ['accept'] },
  { words: ['connection', 'list', '--stat'], expected: ['--status'] },
  { words: ['connection', 'list', '--status', 'connected', '--stu'], expected: ['--stuck'] },
  { words: ['--output', ''], expected: ['table', 'json', 'yaml'] },
  { words: ['--account', '1000000000000001', 'connection', 'list', '--output', 'j'], expected: ['json'] },
  { words: ['nothing-such', '--acc'], expected: ['--account'] },
])('bash completes $words to $expected', async ({ words, expected }) => {
  expect(await offered(...words)).toEqual(expected);
});
