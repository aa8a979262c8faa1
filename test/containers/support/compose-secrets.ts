import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { composeDirectory } from './compose-file.ts';

/** Makes, or renews, what the containers are given to know. */
export const makeSecrets = async (directory: string, ...options: readonly string[]): Promise<void> => {
  await promisify(execFile)(process.execPath, [`${composeDirectory}keys.ts`, ...options, directory]);
};
