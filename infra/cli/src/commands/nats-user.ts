import { addTenantUser } from '@privatelink/embedded/nats-users';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { UsageError } from '../failure.ts';
import type { Format, Screen } from '../output/print.ts';
import { openSession, running, type SessionOptions } from '../session.ts';

/** Users of accounts at the NATS server of the development system. */
export const natsUserCommand = ({ write }: Screen): Command =>
  new Command('nats-user').description('create').addCommand(
    new Command('create')
      .description(
        'Lets --account listen on NATS to what happens to its resources, and to nothing else, at the development system. A second time it says the same.',
      )
      .action(async (_, self: Command) => {
        const { output, ...options } = self.optsWithGlobals<SessionOptions & { output: Format }>();
        const { dataDir, account } = openSession(options);
        if (!/^\d{16}$/.test(account)) throw new UsageError('--account is needed, 16 digits');
        const run = await running(dataDir);
        if (!run.nats.subscriber) throw new UsageError('the NATS server is not ours: give the account a user there');
        const credentials = await addTenantUser(dataDir, run, account);
        if (output === 'json') write(`${JSON.stringify(credentials, null, 2)}\n`);
        else if (output === 'yaml') write(stringify(credentials));
        else for (const [name, value] of Object.entries(credentials)) write(`${name.padEnd(11)}  ${value}\n`);
      }),
  );
