import { Argument, Command } from 'commander';
import type { Screen } from '../output/print.ts';

/** What may follow the commands given so far: more commands and options, and what an option takes. */
type Words = Readonly<{ next: readonly string[]; values: Readonly<Record<string, readonly string[]>> }>;

/** A script that a shell completes our commands by; it asks nobody, so that it answers at once. */
export const completionCommand = ({ write }: Screen): Command =>
  new Command('completion')
    .description('Prints a script by which bash completes commands and options.')
    .addArgument(new Argument('<shell>', 'eval "$(plctl completion bash)" in its start file').choices(['bash']))
    .action((_shell: string, _options, self: Command) => {
      const root = self.parent ?? self;
      const general = wordsOf(root, []);
      const everywhere = general.next.filter((word) => word.startsWith('-'));
      const paths = pathsOf(root, '').map(([path, command]): [string, Words] => [path, wordsOf(command, everywhere)]);
      const values = paths.flatMap(([path, words]) =>
        Object.entries({ ...general.values, ...words.values }).map(([option, all]): [string, readonly string[]] => [
          `${path} ${option}`.trim(),
          all,
        ]),
      );
      write(script(paths, values));
    });

const pathsOf = (command: Command, path: string): [string, Command][] => [
  [path, command],
  ...command.commands.flatMap((child) => pathsOf(child, `${path} ${child.name()}`.trim())),
];

const wordsOf = (command: Command, general: readonly string[]): Words => {
  const options = command.options.flatMap(({ long }) => long ?? []);
  return {
    next: [...new Set([...command.commands.map((child) => child.name()), ...options, ...general])],
    values: Object.fromEntries(
      command.options.flatMap(({ long, argChoices }) => (long && argChoices ? [[long, argChoices]] : [])),
    ),
  };
};

const entries = (all: readonly (readonly [string, readonly string[]])[]): string =>
  all.map(([key, words]) => `  ["plctl${key && ` ${key}`}"]="${words.join(' ')}"`).join('\n');

/** `path` is made of those words that are commands: what options take is none. */
const script = (
  paths: readonly [string, Words][],
  values: readonly (readonly [string, readonly string[]])[],
): string => `typeset -A _plctl_words=(
${entries(paths.map(([path, { next }]) => [path, next]))}
)
typeset -A _plctl_values=(
${entries(values)}
)
_plctl() {
  local path=plctl at word
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    [[ $word != -* && " \${_plctl_words[$path]} " == *" $word "* ]] && path="$path $word"
  done
  local words=\${_plctl_values["$path \${COMP_WORDS[COMP_CWORD - 1]}"]:-\${_plctl_words[$path]}}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _plctl plctl
`;
