import { createConnection } from 'node:net';
import { NoAnswer } from './cli.ts';

/** A connection to a worker that stays open: the worker does not end before it is closed. */
export type HeldCli = Readonly<{
  /** @throws NoAnswer */
  ask: (command: string) => Promise<string>;
  close: () => void;
}>;

const ANSWER_TIMEOUT_MS = 2_000;
/** Said after each answer, since we asked for it. */
const PROMPT = '\n> ';

/** One question at a time. HAProxy closes the connection when it is not asked anything for ten seconds. */
export const holdCli = (socket: string): HeldCli => {
  const connection = createConnection(socket);
  // Nobody lives on for it, and who is gone holds nothing.
  connection.unref();
  let answer: PromiseWithResolvers<string> | null = null;
  let chunks: string[] = [];
  connection.setEncoding('utf8');
  connection.on('data', (chunk: string) => {
    chunks.push(chunk);
    const end = chunks.slice(-2).join('');
    if (end.endsWith(PROMPT)) answer?.resolve(chunks.join('').slice(0, -PROMPT.length));
  });
  connection.on('error', () => undefined);
  connection.once('close', () => answer?.reject(new NoAnswer(`${socket}: closed`)));
  const ask = async (command: string): Promise<string> => {
    if (connection.destroyed) throw new NoAnswer(`${socket}: closed`);
    chunks = [];
    answer = Promise.withResolvers();
    connection.write(`${command}\n`);
    const late = setTimeout(() => connection.destroy(), ANSWER_TIMEOUT_MS);
    return answer.promise.finally(() => clearTimeout(late));
  };
  const prompted = ask('prompt');
  prompted.catch(() => undefined);
  return {
    ask: async (command) => {
      await prompted;
      return ask(command);
    },
    close: () => void connection.destroy(),
  };
};
