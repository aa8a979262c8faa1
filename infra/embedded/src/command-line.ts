import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LogMode } from './log-format.ts';
import { StartError } from './start-error.ts';

/** `.privatelink` in the root of the repository. */
export const defaultDataDir = fileURLToPath(new URL('../../../.privatelink', import.meta.url));

export type StartArguments = { readonly dataDir: string; readonly replicas: number; readonly logs: LogMode };

/** Reads the arguments of `npm start`. */
export function parseStartArguments(args: readonly string[], environment: NodeJS.ProcessEnv): StartArguments {
  const { values } = readArguments(args);
  const replicas = Number(values.replicas);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 9) {
    throw new StartError(`--replicas must be a number from 1 to 9, not "${values.replicas}"`);
  }
  const logs = values.logs ?? (process.stdout.isTTY ? 'pretty' : 'json');
  if (!isLogMode(logs)) throw new StartError(`--logs must be pretty, json or file, not "${logs}"`);
  // npm changes into the root of the repository, and remembers here where its user was.
  const callerDir = environment['INIT_CWD'] ?? process.cwd();
  const dataDir = values['data-dir'] === undefined ? defaultDataDir : resolve(callerDir, values['data-dir']);
  return { dataDir, replicas, logs };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'data-dir': { type: 'string' },
        replicas: { type: 'string', default: '1' },
        logs: { type: 'string' },
      },
    });
  } catch (error) {
    const problem = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new StartError(`${problem}; known are --data-dir DIR, --replicas N, --logs pretty|json|file`);
  }
}

const isLogMode = (text: string): text is LogMode => text === 'pretty' || text === 'json' || text === 'file';
