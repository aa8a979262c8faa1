import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const options = { timeout: 30_000, maxBuffer: 64 * 1024 * 1024 };

/** Runs `nft` in a network namespace; null is the agent's own. @returns what it prints */
export const nft = async (namespace: string | null, words: readonly string[], input = ''): Promise<string> => {
  const [program = '', ...args] = [...(namespace === null ? [] : ['ip', 'netns', 'exec', namespace]), 'nft', ...words];
  const running = run(program, args, options);
  // One that ends before it has read everything says why by itself.
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  return (await running).stdout;
};

/** What `nft` complains of, in one line. */
export const complaintOf = (error: NodeJS.ErrnoException & { stderr?: string }): string => {
  if (error.code === 'ENOENT') return 'nft (nftables) is not a program on PATH';
  return error.stderr?.trim().split('\n')[0] || error.message;
};
