import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { jsonLine, type LogMode, prettyLine } from './log-format.ts';
import { tellsOfError } from './log-line.ts';

/** A file this large is put aside at the next start. */
const putAsideBytes = 10 * 1024 * 1024;

export type Logs = {
  /** Takes one line that a process printed. What a quiet process says goes to its file only, unless it is an error. */
  write(name: string, text: string, options?: { readonly quiet: boolean }): void;
  close(): Promise<void>;
};

/** Collects what the processes print: a file for each, and all of them on stdout unless only files are wanted. */
export function openLogs(dataDir: string, mode: LogMode): Logs {
  const directory = join(dataDir, 'logs');
  mkdirSync(directory, { recursive: true });
  const files = new Map<string, WriteStream>();
  const streamOf = (name: string): WriteStream => {
    const open = files.get(name) ?? openFile(join(directory, `${name}.log`));
    files.set(name, open);
    return open;
  };
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'];
  return {
    write(name, text, { quiet } = { quiet: false }) {
      streamOf(name).write(`${text}\n`);
      if (quiet && !tellsOfError(text)) return;
      if (mode === 'pretty') process.stdout.write(`${prettyLine(name, text, { colour })}\n`);
      if (mode === 'json') process.stdout.write(`${jsonLine(name, text)}\n`);
    },
    async close() {
      await Promise.all([...files.values()].map((file) => finished(file.end()).catch(() => {})));
      files.clear();
    },
  };
}

function openFile(file: string): WriteStream {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > putAsideBytes) renameSync(file, `${file}.old`);
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  // A full disk must not take the system down: the lines are still on stdout.
  stream.on('error', () => {});
  return stream;
}
