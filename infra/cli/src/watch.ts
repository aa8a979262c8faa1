import { setTimeout } from 'node:timers/promises';
import type { DescMethod } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { type Answer, call, requestFrom, type Target } from './call.ts';
import { failureOf } from './failure.ts';
import type { Json } from './field-option.ts';
import { type Format, print, printEvent, type Screen } from './output/print.ts';

const EACH_MS = 1_000;
const HOME_AND_CLEAR = '\u001b[H\u001b[2J';
const PASSING: readonly number[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];

/**
 * Asks again each second until ctrl-C. A terminal is drawn anew; elsewhere the lines that are new are added. No answer
 * is older than the one before, whichever replica gives it.
 */
export const watch = async (
  method: DescMethod,
  json: Json,
  target: Target,
  format: Format,
  screen: Screen,
): Promise<void> => {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const show = process.stdout.isTTY && format === 'table' ? drawing(method, screen) : adding(method, format, screen);
  let asked = json as Readonly<Record<string, Json>>;
  try {
    while (!stopped.signal.aborted) {
      try {
        for await (const answer of call(method, requestFrom(method, asked), target)) {
          show(answer);
          const token = answer['consistency_token'];
          if (token && method.input.fields.some(({ name }) => name === 'consistency_token'))
            asked = { ...asked, consistency_token: token };
        }
      } catch (error) {
        if (!(error instanceof RemoteError) || !PASSING.includes(error.code)) throw error;
        process.stderr.write(`plctl: ${failureOf(error).line.split('\n')[0]}; asking again\n`);
      }
      await setTimeout(EACH_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
};

const linesOf = (method: DescMethod, answer: Answer, width: number): readonly string[] => {
  let text = '';
  print('table', method.output, answer, {
    width,
    write: (part) => {
      text += part;
    },
  });
  return text.trimEnd().split('\n');
};

/** The whole answer over the one before. */
const drawing =
  (method: DescMethod, { width, write }: Screen) =>
  (answer: Answer): void => {
    const time = new Date().toISOString().slice(11, 19);
    const lines = linesOf(method, answer, width);
    write(`${HOME_AND_CLEAR}${time} UTC, each second; ctrl-C stops\n\n${lines.join('\n')}\n`);
  };

/** Lines that the answer before did not have; for programs the whole answer, when it is another one. */
const adding = (method: DescMethod, format: Format, screen: Screen) => {
  let before: readonly string[] = [];
  return (answer: Answer): void => {
    // What changes with every answer is no change.
    const { consistency_token: _token, ...said } = answer;
    const lines = format === 'table' ? linesOf(method, answer, screen.width) : [JSON.stringify(said)];
    const added = lines.filter((line) => !before.includes(line));
    before = lines;
    if (format === 'table') screen.write(added.map((line) => `${line}\n`).join(''));
    else if (added.length > 0) printEvent(format, method.output, said, screen);
  };
};
