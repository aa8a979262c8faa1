import { Command, Option } from 'commander';
import { UsageError } from '../failure.ts';
import type { Screen } from '../output/print.ts';
import { secondsUpTo } from '../seconds.ts';
import { mint, openSession, type SessionOptions } from '../session.ts';

const MAX_TTL_SECONDS = 86_400;

/** Tokens by the development key. */
export const tokenCommand = ({ write }: Screen): Command =>
  new Command('token').description('create').addCommand(
    new Command('create')
      .description('Prints a token, signed with the key of the development system: --account and --role say for whom.')
      .addOption(
        new Option('--ttl <seconds>', 'how long it is good').argParser(secondsUpTo(MAX_TTL_SECONDS)).default(3_600),
      )
      .action(async (_, self: Command) => {
        const { ttl, ...options } = self.optsWithGlobals<SessionOptions & { ttl: number }>();
        const { dataDir, account, roles } = openSession(options);
        if (!roles) throw new UsageError('--role is needed, once or several times');
        write(`${await mint(dataDir, { account, roles, ttlSeconds: ttl })}\n`);
      }),
  );
