import { createSocket } from 'node:dgram';
import { connect as connectTcp } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import { Command } from 'commander';
import type { Screen } from '../output/print.ts';
import { openSession, running, type SessionOptions } from '../session.ts';

const TIMEOUT_MS = 2_000;
/** `privatelink.internal SOA`-like question of the suffix that the system says; any answer will do. */
const HEADER = Buffer.from([0x70, 0x6c, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);

type Finding = Readonly<{ part: string; problem: string }>;

/** Checks every part of the running system. */
export const doctorCommand = ({ write }: Screen): Command =>
  new Command('doctor')
    .description('Checks every part of the running system, and says what is wrong.')
    .action(async (_, self: Command) => {
      const { dataDir } = openSession(self.optsWithGlobals<SessionOptions>());
      const run = await running(dataDir);
      const checks: readonly (readonly [string, Promise<unknown>])[] = [
        ['event store', answersTcp(run.eventStore.url)],
        ['NATS', answersTcp(run.nats.url)],
        ['PostgreSQL', answersTcp(run.postgres.url)],
        ...Object.entries(run.grpc).flatMap(([name, addresses]) =>
          addresses.map((address) => [`${name} at ${address}`, isServing(address)] as const),
        ),
        ...run.dns.addresses.map((address) => [`DNS at ${address}`, answersDns(address, run.dns.suffix)] as const),
        ...run.dataPlane.zones.flatMap(({ agents }) =>
          agents.map(({ name, address }) => [`zone agent ${name}`, isServing(address)] as const),
        ),
      ];
      const findings = await Promise.all(
        checks.map(([part, check]) =>
          check.then(
            () => ok(part),
            (error: Error) => bad(part, error),
          ),
        ),
      );
      const width = Math.max(...findings.map(({ part }) => part.length));
      for (const { part, problem } of findings) write(`${part.padEnd(width)}  ${problem || 'ok'}\n`);
      if (run.dataPlane.mode === 'none')
        write('Traffic is not forwarded: PRIVATELINK_FORWARDING is none, or there is no HAProxy.\n');
      const wrong = findings.filter(({ problem }) => problem !== '').length;
      if (wrong > 0) throw new Error(`${wrong} of ${findings.length} parts do not answer`);
    });

const ok = (part: string): Finding => ({ part, problem: '' });
const bad = (part: string, { message }: Error): Finding => ({ part, problem: message });

const answersTcp = (url: string): Promise<void> => {
  const { hostname, port } = new URL(url.replace(/^[a-z+]+:/, 'http:'));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connectTcp({ host: hostname, port: Number(port), timeout: TIMEOUT_MS });
  socket.on('connect', () => resolve());
  socket.on('timeout', () => reject(new Error('does not answer')));
  socket.on('error', (error) => reject(new Error(`does not answer: ${error.message}`)));
  return promise.finally(() => socket.destroy());
};

/** By the health protocol, whose request is empty and whose reply's only field is the status. */
const isServing = (address: string): Promise<void> => {
  const client = new Client(address, credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const options = { deadline: Date.now() + TIMEOUT_MS };
  const [SERVING] = [1];
  client.makeUnaryRequest(
    '/grpc.health.v1.Health/Check',
    (bytes: Buffer) => bytes,
    (bytes) => bytes,
    Buffer.alloc(0),
    options,
    (error, reply) => {
      if (error) reject(new Error(`does not answer: ${error.details || error.message}`));
      else if (reply?.[1] === SERVING) resolve();
      else reject(new Error('answers that it does not serve'));
    },
  );
  return promise.finally(() => client.close());
};

const answersDns = (address: string, suffix: string): Promise<void> => {
  const at = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, at).replace(/^\[|\]$/g, ''), Number(address.slice(at + 1))];
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('does not answer')), TIMEOUT_MS);
  socket.on('message', () => resolve());
  socket.on('error', reject);
  const labels = suffix.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const [SOA, IN] = [6, 1];
  socket.send(Buffer.concat([HEADER, ...labels, Buffer.from([0, 0, SOA, 0, IN])]), port, host);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
};
