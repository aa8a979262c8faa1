import { execFile, execFileSync } from 'node:child_process';
import { chown, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The account PostgreSQL runs under: it refuses to run as root. */
export type Account = {
  /** The words to put before a command so that it runs under the account. */
  readonly prefix: readonly string[];
  /** Gives a directory and all in it to the account. */
  own(directory: string): Promise<void>;
};

/**
 * The current user, or for root the machine's `nobody`, so that no user has to be created.
 * `paths` are the files the account must reach. Below root's home it cannot: there, and only there, it keeps the one
 * capability that lets it pass.
 */
export async function postgresAccount(paths: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return { prefix: [], own: async () => {} };
  const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
  const gid = Number(execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }));
  const demoted = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--no-new-privs'];
  return {
    prefix: (await canReach(demoted, paths)) ? demoted : [...demoted, ...passEverywhere],
    own: (directory) => changeOwner(directory, uid, gid),
  };
}

/** Keeps one capability across the change of user, and lets access(2) count it as well. */
const passEverywhere = [
  '--securebits=+no_setuid_fixup',
  '--inh-caps=-all,+dac_override',
  '--ambient-caps=-all,+dac_override',
];

async function canReach(demoted: readonly string[], paths: readonly string[]): Promise<boolean> {
  const [command = '', ...args] = demoted;
  const tests = paths.map((path) => run(command, [...args, 'test', '-x', dirname(path)]));
  return (await Promise.allSettled(tests)).every(({ status }) => status === 'fulfilled');
}

async function changeOwner(path: string, uid: number, gid: number): Promise<void> {
  const found = await stat(path);
  if (found.uid !== uid) await chown(path, uid, gid);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await changeOwner(join(path, name), uid, gid);
}
