import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const plctl = fileURLToPath(new URL('../main.ts', import.meta.url));
const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** How each shell is asked what it offers for the last of some words, one in a line. */
const shells: Readonly<
  Record<string, Readonly<{ flags: readonly string[]; ask: (words: readonly string[]) => string }>>
> = {
  bash: {
    flags: [],
    ask: (words) =>
      `COMP_WORDS=(plctl ${quoted(words)}); COMP_CWORD=${words.length}; _plctl; printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  zsh: {
    flags: ['-f'],
    // Outside of its line editor zsh has no compadd; what it would keep begins with the word so far.
    ask: (words) => `
      compadd() { shift; print -l -- \${(M)@:#\${words[CURRENT]}*} }
      words=(plctl ${quoted(words)}); CURRENT=${words.length + 1}; _plctl`,
  },
  fish: {
    flags: ['--no-config'],
    ask: (words) => `complete -C '${['plctl', ...words].join(' ')}'`,
  },
};

const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

describe.each(Object.entries(shells))('%s', (shell, { flags, ask }) => {
  const { stdout: script } = spawnSync(process.execPath, [plctl, 'completion', shell], { encoding: 'utf8' });
  it.skipIf(!isThere(shell)).each([
    { words: ['endpoint-serv'], expected: ['endpoint-service'] },
    { words: ['connection', 'acc'], expected: ['accept'] },
    { words: ['connection', 'list', '--stat'], expected: ['--status'] },
    { words: ['connection', 'list', '--status', 'connected', '--stu'], expected: ['--stuck'] },
    { words: ['--output', ''], expected: ['table', 'json', 'yaml'] },
    { words: ['--account', '1000000000000001', 'connection', 'list', '--output', 'j'], expected: ['json'] },
    { words: ['nothing-such', '--acc'], expected: ['--account'] },
  ])('completes $words to $expected', async ({ words, expected }) => {
    const { stdout } = await run(shell, [...flags, '-c', `${script}\n${ask(words)}`]);
    expect(stdout.trim().split('\n').toSorted()).toEqual(expected.toSorted());
  });
});
