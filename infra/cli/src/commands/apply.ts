import { createInterface } from 'node:readline/promises';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { execute } from '../apply/execute.ts';
import { exported } from '../apply/export.ts';
import { invokeFor } from '../apply/invoke.ts';
import { readSet } from '../apply/read-set.ts';
import { type Prospect, prospectOf } from '../apply/rehearse.ts';
import { planJson, planLines } from '../apply/render.ts';
import type { Progress } from '../apply/waiting.ts';
import { EX_DIFFERENT, UsageError } from '../failure.ts';
import type { Format, Screen } from '../output/print.ts';
import { secondsUpTo } from '../seconds.ts';
import { openSession, type SessionOptions } from '../session.ts';
import { APPLY_HELP, DIFF_HELP, EXPORT_HELP } from './apply-help.ts';

type Options = SessionOptions & Readonly<{ output: Format; timeout: number; file: readonly string[]; prune?: boolean }>;

const MAX_WAIT_SECONDS = 3_600;

const files = () =>
  new Option('-f, --file <files...>', 'what is declared, in YAML; - is standard input').makeOptionMandatory();
const prune = () => new Option('--prune', 'delete what the set made before and does not declare any more');

/** Makes what files declare. */
export const applyCommand = (screen: Screen): Command =>
  new Command('apply')
    .description('Makes what files declare: shows what it will do, asks, does it and waits.')
    .addOption(files())
    .addOption(prune())
    .option('--yes', 'do not ask')
    .addOption(
      new Option('--wait <seconds>', 'how long to wait for what was made')
        .argParser(secondsUpTo(MAX_WAIT_SECONDS))
        .default(120),
    )
    .addHelpText('after', APPLY_HELP)
    .action(async (_, self: Command) => {
      const options = self.optsWithGlobals<Options & { yes?: boolean; wait: number }>();
      const { prospect, set, invoke } = await look(options);
      show(prospect, options, screen);
      const progress = progressOn(screen, options.output);
      if (prospect.plan.steps.length > 0 && !options.yes && !(await agreed())) {
        screen.write('Nothing was changed.\n');
        return;
      }
      await execute(set, prospect.plan, prospect.ids, { invoke, progress, waitMs: options.wait * 1_000 });
    });

/** What apply would do. */
export const diffCommand = (screen: Screen): Command =>
  new Command('diff')
    .description('Shows what apply would do, and changes nothing.')
    .addOption(files())
    .addOption(prune())
    .addHelpText('after', DIFF_HELP)
    .action(async (_, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const { prospect } = await look(options);
      show(prospect, options, screen);
      if (prospect.plan.steps.length > 0) process.exitCode = EX_DIFFERENT;
    });

/** What an account has, as a file. */
export const exportCommand = ({ write }: Screen): Command =>
  new Command('export')
    .description('Writes what an account has as a file for apply.')
    .addHelpText('after', EXPORT_HELP)
    .action(async (_, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const { account } = openSession(options);
      if (account === '') throw new UsageError('--account is needed, or a profile with an account');
      write(await exported(invokeFor(options, new Map()), account));
    });

const look = async (options: Options) => {
  const set = readSet(options.file, openSession(options).account);
  const invoke = invokeFor(options, set.accountOf);
  return { set, invoke, prospect: await prospectOf(set, invoke, options.prune ?? false) };
};

const show = (prospect: Prospect, { output, prune: pruned = false }: Options, { write }: Screen): void => {
  if (output === 'json') write(`${JSON.stringify(planJson(prospect), null, 2)}\n`);
  else if (output === 'yaml') write(stringify(planJson(prospect)));
  else
    write(
      planLines(prospect, pruned)
        .map((line) => `${line}\n`)
        .join(''),
    );
};

/** Asks on a terminal. */
const agreed = async (): Promise<boolean> => {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UsageError('nothing was changed: there is no terminal to ask on, so --yes is needed');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test(await terminal.question('Do it? [y/N] '));
  } finally {
    terminal.close();
  }
};

const CLEAR_LINE = '\r\u001b[K';

/** On a terminal what is waited for is written over; otherwise each of it is a line. For programs nothing is said. */
const progressOn = ({ write }: Screen, output: Format): Progress => {
  if (output !== 'table') return { done: () => undefined, waiting: () => undefined };
  let last = '';
  const isTerminal = process.stdout.isTTY;
  return {
    done: (line) => write(`${isTerminal ? CLEAR_LINE : ''}${line}\n`),
    waiting: (line) => {
      if (isTerminal) write(`${CLEAR_LINE}${line === '' ? '' : `  ${line} ...`}`);
      else if (line !== '' && line !== last) write(`  ${line}\n`);
      last = line;
    },
  };
};
