import { createConnection } from 'node:net';

/** Sends commands to a HAProxy process and collects what it answers. */
export type Cli = (...commands: readonly string[]) => Promise<string>;

const ANSWER_TIMEOUT_MS = 2_000;
/** HAProxy reads a line of commands into one buffer, of 16 KiB unless it is built otherwise. */
const MAX_LINE = 8_000;

/** Nobody listens on the socket, or who listened is gone. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** @throws NoAnswer */
export const createCli =
  (socket: string): Cli =>
  async (...commands) => {
    let answers = '';
    for (const line of lines(commands)) answers += await ask(socket, line);
    return answers;
  };

/** Commands joined to as few lines as possible. */
const lines = (commands: readonly string[]): readonly string[] => {
  const full: string[] = [];
  let line = '';
  for (const command of commands) {
    if (line !== '' && line.length + command.length > MAX_LINE) {
      full.push(line);
      line = '';
    }
    line += line === '' ? command : `;${command}`;
  }
  return line === '' ? full : [...full, line];
};

const ask = (socket: string, line: string): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  const connection = createConnection(socket);
  connection.setTimeout(ANSWER_TIMEOUT_MS, () => connection.destroy(new Error('it takes too long')));
  connection.on('data', (chunk: Buffer) => chunks.push(chunk));
  connection.once('error', (error) => reject(new NoAnswer(`${socket}: ${error.message}`)));
  // A process that goes away while it is asked closes as one that has answered does.
  connection.once('close', () =>
    chunks.length === 0 ? reject(new NoAnswer(`${socket}: closed`)) : resolve(Buffer.concat(chunks).toString()),
  );
  connection.end(`${line}\n`);
  return promise;
};

export type Processes = Readonly<{
  master: number;
  reloads: number;
  /** The last reload did not succeed. */
  failed: boolean;
  /** Who accepts connections; null: nobody. */
  worker: number | null;
  /** Replaced workers that still have flows, or are about to end. */
  former: readonly number[];
}>;

/** What `show proc` says; null if it is cut short. */
export const readProcesses = (answer: string): Processes | null => {
  const master = /^(\d+)\s+master\s+(\d+)(?: \[failed: (\d+)\])?/m.exec(answer);
  if (!master || !answer.includes('# workers')) return null;
  const [current = '', former = ''] = answer.slice(answer.indexOf('# workers')).split('# old workers');
  const workers = (text: string) => [...text.matchAll(/^(\d+)\s+worker\s/gm)].map((match) => Number(match[1]));
  return {
    master: Number(master[1]),
    reloads: Number(master[2]),
    failed: Number(master[3] ?? 0) > 0,
    worker: workers(current)[0] ?? null,
    former: workers(former),
  };
};

export type WorkerInfo = Readonly<{ pid: number; startedAt: number; configId: string; stopping: boolean }>;

/** What `show info` says; null: there is no such worker. */
export const readInfo = (answer: string): WorkerInfo | null => {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(answer)?.[1];
  const pid = field('Pid');
  return pid === undefined
    ? null
    : {
        ...{ pid: Number(pid), startedAt: Number(field('Start_time_sec')) },
        ...{ configId: field('description') ?? '', stopping: field('Stopping') === '1' },
      };
};

export type Frontend = Readonly<{ name: string; open: boolean; sessions: number }>;

/** What `show stat -1 1 -1` says. */
export const readFrontends = (answer: string): readonly Frontend[] =>
  answer.split('\n').flatMap((line) => {
    const fields = line.split(',');
    const [name = '', kind, , , sessions] = fields;
    return kind === 'FRONTEND' ? [{ name, open: fields[17] === 'OPEN', sessions: Number(sessions) }] : [];
  });

/** What `show stat` says of servers: whether each is up. One that has not been looked at is not there. */
export const readChecks = (answer: string): ReadonlyMap<string, boolean> => {
  const [head = '', ...lines] = answer.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  const [name, status, check] = ['svname', 'status', 'check_status'].map((column) => columns.indexOf(column));
  return new Map(
    lines.flatMap((line) => {
      const fields = line.split(',');
      const isKnown = fields.length >= columns.length && !['', 'INI'].includes(fields[check ?? -1] ?? '');
      return isKnown ? [[fields[name ?? -1] ?? '', (fields[status ?? -1] ?? '').startsWith('UP')] as const] : [];
    }),
  );
};

/** What was counted of the flows of a connection, from its beginning or at their end. */
export type Counters = Readonly<Record<'receivedBytes' | 'sentBytes' | 'flows' | 'openFlows' | 'failedFlows', bigint>>;

/** What `show stat -1 3 -1` says of each connection, all its ports together; without those that had no flow. */
export const readCounters = (answer: string): ReadonlyMap<string, Counters> => {
  const counters = new Map<string, Counters>();
  for (const line of answer.split('\n')) {
    // No more of its many fields than are read: there are two lines for each port of each interface.
    const [name = '', kind, , , open, , , flows, received, sent, , , , failed] = line.split(',', 14);
    const id = name.slice(0, name.lastIndexOf(':'));
    const before = counters.get(id);
    if (kind === 'FRONTEND' && (before || flows !== '0')) {
      counters.set(id, {
        receivedBytes: (before?.receivedBytes ?? 0n) + BigInt(received ?? 0),
        sentBytes: (before?.sentBytes ?? 0n) + BigInt(sent ?? 0),
        flows: (before?.flows ?? 0n) + BigInt(flows ?? 0),
        openFlows: (before?.openFlows ?? 0n) + BigInt(open ?? 0),
        failedFlows: before?.failedFlows ?? 0n,
      });
    } else if (kind === 'BACKEND' && before) {
      counters.set(id, { ...before, failedFlows: before.failedFlows + BigInt(failed ?? 0) });
    }
  }
  return counters;
};

export type Flow = Readonly<{ id: string; name: string }>;

/** What `show sess` says: the flows, with the names of their forwards. */
export const readFlows = (answer: string): readonly Flow[] =>
  [...answer.matchAll(/^(0x[0-9a-f]+): .*? fe=(\S+:\d+) /gm)].map((match) => ({
    id: match[1] ?? '',
    name: match[2] ?? '',
  }));
