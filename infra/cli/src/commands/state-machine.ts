import { Argument, Command } from 'commander';
import { stringify } from 'yaml';
import { stateMachines } from '../../../state-machines.ts';
import type { Format, Screen } from '../output/print.ts';

/** What may become of something, by the table that the services themselves move by. */
export const stateMachineCommand = ({ write }: Screen): Command =>
  new Command('state-machine')
    .description('What may become of a connection, an endpoint, a service: the table that the services move by.')
    .addArgument(new Argument('<name>', 'of what').choices(Object.keys(stateMachines)))
    .action((name: string, _, self: Command) => {
      const { output } = self.optsWithGlobals<{ output: Format }>();
      const machine = stateMachines[name];
      if (!machine) throw new Error(`there is no state machine ${name}`);
      if (output === 'json') write(`${JSON.stringify(machine, null, 2)}\n`);
      else if (output === 'yaml') write(stringify(machine));
      else for (const { from, on, to, because } of machine.rows) write(`${lineOf(from, on, to, because)}\n`);
    });

const lineOf = (from: readonly (string | null)[], on: string, to: string, because: string): string =>
  `${from.map((status) => status ?? '(none)').join(', ')} -> ${to}\n    on ${on}: ${because}`;
