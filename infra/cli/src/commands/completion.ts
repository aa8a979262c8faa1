import { Argument, Command } from 'commander';
import type { Screen } from '../output/print.ts';
import { bashScript, fishScript, type Script, type Words, zshScript } from './completion-scripts.ts';

const scripts: Readonly<Record<string, Script>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

const HELP = `
In the start file of the shell:

  bash   eval "$(plctl completion bash)"
  zsh    eval "$(plctl completion zsh)"
  fish   plctl completion fish | source`;

/** A script that a shell completes our commands by; it asks nobody, so that it answers at once. */
export const completionCommand = ({ write }: Screen): Command =>
  new Command('completion')
    .description('Prints a script by which a shell completes commands and options.')
    .addArgument(new Argument('<shell>', 'whose').choices(Object.keys(scripts)))
    .addHelpText('after', HELP)
    .action((shell: string, _options, self: Command) => {
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
      write(scripts[shell]?.(paths, values) ?? '');
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
