import { randomUUID } from 'node:crypto';
import { jsonEvent, KurrentDBClient, NO_STREAM } from '@kurrent/kurrentdb-client';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { RunFile } from '@privatelink/embedded/run-file';
import { percentile, round, timed } from './statistics.ts';

const PAYLOAD = { text: 'x'.repeat(300) };
const event = () => jsonEvent({ type: 'Bench.v1', data: PAYLOAD, metadata: PAYLOAD });

/** Durable appends per second through the vendor's client: one after another, and by 64 writers. */
export const appendsPerSecond = async (run: RunFile) => {
  const client = KurrentDBClient.connectionString(run.eventStore.url);
  const write = async (count: number): Promise<void> => {
    const stream = `bench-${randomUUID()}`;
    for (let i = 0; i < count; i++) {
      await client.appendToStream(stream, [event()], { streamState: i === 0 ? NO_STREAM : BigInt(i - 1) });
    }
  };
  try {
    await write(300);
    const sequentialMs = await timed(() => write(1_000));
    const [writers, each] = [64, 250];
    const parallelMs = await timed(() => Promise.all(Array.from({ length: writers }, () => write(each))));
    return {
      sequential: Math.round((1_000 / sequentialMs) * 1_000),
      with64Writers: Math.round(((writers * each) / parallelMs) * 1_000),
    };
  } finally {
    await client.dispose();
  }
};

/**
 * The time that so many durable appends and JetStream publishes take one after another, by bare clients.
 *
 * @param password of the services' own user, which alone may declare streams
 */
export const floorMs = async (run: RunFile, password: string, appends: number, publishes: number) => {
  const client = KurrentDBClient.connectionString(run.eventStore.url);
  const connection = await connect({
    servers: run.nats.url,
    user: 'service',
    pass: password,
    inboxPrefix: '_INBOX.bench',
  });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'BENCH', subjects: ['bench.>'] });
  const js = jetstream(connection);
  const chain = async (): Promise<void> => {
    for (let i = 0; i < appends; i++) {
      await client.appendToStream(`bench-${randomUUID()}`, [event()], { streamState: NO_STREAM });
    }
    for (let i = 0; i < publishes; i++) await js.publish('bench.x', JSON.stringify(PAYLOAD), { msgID: randomUUID() });
  };
  try {
    for (let i = 0; i < 20; i++) await chain();
    const samples: number[] = [];
    for (let i = 0; i < 100; i++) samples.push(await timed(chain));
    return { p50: round(percentile(samples, 0.5)), p99: round(percentile(samples, 0.99)) };
  } finally {
    await manager.streams.delete('BENCH');
    await connection.close();
    await client.dispose();
  }
};
