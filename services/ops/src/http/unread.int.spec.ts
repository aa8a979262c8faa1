import { connect, type Socket } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openStreams } from '../testing/sse.ts';
import { openStage, type Stage } from '../testing/stage.ts';

const FACTS = 30_000;
/** Of what is on its way to each, the part that is kept in this process. */
const MAX_BYTES = 8 * 1024 * 1024;

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await openStage({ idleTimeoutMs: 1_000 });
  token = await stage.token(['operator']);
});
afterAll(() => stage?.close());

/** Asks, and reads nothing of what is answered. */
const askOnly = (path: string): Socket => {
  const { port, host } = new URL(stage.origin());
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
  return socket;
};

it('a stream that nobody reads holds a page of facts, and ends', async () => {
  const { latest } = (await (await stage.get('/api/facts', token)).json()) as { latest: string };
  await sql`insert into foreign_fact (source, source_stream, source_revision, position, event_id, type, resource_type,
      resource_id, service_id, account_ids, actor, actor_account_id, record_time, correlation_id)
    select 'broker', 'connection-ep-1', n, n, 'e' || n, 'ConnectionMoved', 'connection', 'ep-1', 'epsrv-1', '{}',
      repeat('x', 2000), '', now(), '' from generate_series(1, ${sql.lit(FACTS)}) as n`.execute(stage.db);
  const before = await openStreams();
  const held = process.memoryUsage().arrayBuffers;
  const sockets = [1, 2, 3].map(() => askOnly(`/api/live?after=${latest}`));
  await vi.waitFor(async () => expect(await openStreams()).toBe(before + sockets.length), { timeout: 10_000 });
  await vi.waitFor(async () => expect(await openStreams()).toBe(before), { timeout: 20_000, interval: 100 });
  expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(MAX_BYTES);
  for (const socket of sockets) socket.destroy();
});
