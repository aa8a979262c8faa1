import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import type { Nats } from '../nats.ts';

/** A bare NATS connection: it shows what the server itself says, with no client library in between. */
export type NatsSocket = {
  /** Sends one command and returns all lines that came until the server had dealt with it. */
  send(command: string): Promise<string[]>;
  /** Sends a message and waits for the reply in the user's inbox. */
  request(subject: string, body: object): Promise<string>;
  close(): void;
};

export async function connectNats(nats: Nats, user: string, password?: string): Promise<NatsSocket> {
  const { hostname, port } = new URL(nats.url);
  const credentials = nats.credentials[user];
  const socket = createConnection({ host: hostname, port: Number(port) });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    return done ? 'closed' : value;
  };
  const write = (text: string): boolean => socket.write(`${text}\r\n`);
  const send = async (command: string): Promise<string[]> => {
    write(command);
    write('PING');
    const seen: string[] = [];
    for (let line = await nextLine(); line !== 'PONG'; line = await nextLine()) {
      if (line === 'closed') return seen;
      seen.push(line);
    }
    return seen;
  };
  const login = {
    user,
    pass: password ?? credentials?.password,
    verbose: false,
    pedantic: false,
    lang: 'test',
    version: '1',
  };
  const greeting = await send(`CONNECT ${JSON.stringify(login)}`);
  const refused = greeting.find((line) => line.startsWith('-ERR'));
  if (refused) {
    socket.destroy();
    throw new Error(refused);
  }
  let count = 0;
  return {
    send,
    close: () => socket.destroy(),
    async request(subject, body) {
      const inbox = `${credentials?.inboxPrefix}.${++count}`;
      await send(`SUB ${inbox} ${count}`);
      write(`PUB ${subject} ${inbox} ${JSON.stringify(body).length}\r\n${JSON.stringify(body)}`);
      for (;;) {
        const line = await nextLine();
        if (line.startsWith('-ERR') || line === 'closed') return line;
        if (line.startsWith('MSG ')) return nextLine();
      }
    },
  };
}
