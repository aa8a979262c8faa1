#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { applyCommand, diffCommand, exportCommand } from './commands/apply.ts';
import { completionCommand } from './commands/completion.ts';
import { doctorCommand } from './commands/doctor.ts';
import { eventsCommand } from './commands/events.ts';
import { explainCommand } from './commands/explain.ts';
import { natsUserCommand } from './commands/nats-user.ts';
import { stateMachineCommand } from './commands/state-machine.ts';
import { timelineCommand } from './commands/timeline.ts';
import { tokenCommand } from './commands/token.ts';
import { traceCommand } from './commands/trace.ts';
import { EX_IOERR, EX_USAGE, failureOf } from './failure.ts';
import { formats } from './output/print.ts';
import { addRpcCommands } from './rpc-command.ts';
import { secondsUpTo } from './seconds.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const MAX_TIMEOUT_SECONDS = 3_600;
const screen = {
  width: process.stdout.columns || Number(process.env['COLUMNS']) || 160,
  write: (text: string) => void process.stdout.write(text),
};
const many = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

const EXAMPLES = `
Examples:
  plctl apply -f examples/two-accounts.yaml
  plctl --account 1000000000000001 connection list --watch
  plctl --account 1000000000000001 connection accept ep-... --message welcome
  plctl timeline ep-...
  plctl explain 3000000000000003 epsrv-...

Each command, noun and verb says the rest: plctl connection accept --help`;

const program = new Command('plctl')
  .description('PrivateLink from the command line: each call of the contract is a noun and a verb.')
  .version(version)
  .addOption(new Option('-o, --output <format>', 'how replies are shown').choices(formats).default('table'))
  .option('--account <id>', 'act for this account, 16 digits; without one you are an operator')
  .addOption(new Option('--role <name>', 'act in this role; repeatable').argParser(many))
  .option('--token <jwt>', 'a token, instead of one by the development key (also PLCTL_TOKEN)')
  .option('--profile <name>', 'a profile of the configuration')
  .option('--config <file>', 'the configuration (also PLCTL_CONFIG; default ~/.config/plctl.yaml)')
  .option('--data-dir <directory>', 'of the development system, where its addresses and key are')
  .addOption(
    new Option('--timeout <seconds>', 'how long a call may take')
      .argParser(secondsUpTo(MAX_TIMEOUT_SECONDS))
      .default(10),
  )
  .showSuggestionAfterError()
  .exitOverride();

for (const command of [
  ...[applyCommand, diffCommand, exportCommand, explainCommand, timelineCommand, eventsCommand, traceCommand],
  ...[natsUserCommand, stateMachineCommand, doctorCommand, tokenCommand, completionCommand],
])
  program.addCommand(command(screen).helpGroup('Commands:'));
addRpcCommands(program, screen);
program.addHelpText('after', EXAMPLES);
for (const command of allOf(program)) command.copyInheritedSettings(program).configureHelp({ helpWidth: screen.width });

function* allOf(command: Command): Iterable<Command> {
  yield command;
  for (const child of command.commands) yield* allOf(child);
}

// Whoever reads our output may stop reading it, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EX_IOERR));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EX_USAGE;
  else {
    const { line, exitCode } = failureOf(error);
    process.stderr.write(`plctl: ${line}\n`);
    process.exitCode = exitCode;
  }
}
