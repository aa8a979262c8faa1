import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { connectPostgres, type Postgres } from './connect.ts';
import {
  advanceForeign,
  defineForeignTable,
  ensureForeignTable,
  foreignPosition,
  getForeign,
  putForeign,
} from './foreign-table.ts';
import { queryRows } from './row-table.ts';

type Service = { name: string; status: string };

const services = defineForeignTable<Service, 'status'>({
  source: 'provider',
  noun: 'service',
  columns: { status: { type: 'text', of: (service) => service.status, indexed: true } },
});
let server: PostgresServer;
let postgres: Postgres;

beforeAll(async () => {
  server = await startPostgres();
  postgres = await connectPostgres({ url: server.url, schema: 'spec', poolMax: 4, log: pino({ level: 'silent' }) });
  await Promise.all([1, 2].map(() => ensureForeignTable(postgres.db, services)));
});
afterAll(async () => {
  await postgres?.close();
  await server?.stop();
});

const put = (
  key: string,
  revision: bigint,
  position: bigint,
  status: string,
  sourceStream = `endpointService-${key}`,
) =>
  putForeign(postgres.db, services, {
    key,
    sourceStream,
    revision,
    position,
    state: { name: key, status },
    recordedAt: '2026-01-01T00:00:00.000Z',
  });

describe('foreign table', () => {
  test('keeps the highest revision of a stream in whatever order they come', async () => {
    expect(await put('s', 2n, 20n, 'two')).toBe(true);
    expect(await put('s', 1n, 10n, 'one')).toBe(false);
    expect(await put('s', 2n, 20n, 'again')).toBe(false);
    expect(await getForeign(postgres.db, services, 's')).toMatchObject({ state: { status: 'two' }, revision: 2n });
    expect(await put('s', 3n, 30n, 'three')).toBe(true);
    expect(await getForeign(postgres.db, services, 's')).toMatchObject({ state: { status: 'three' }, position: 30n });
    expect(await getForeign(postgres.db, services, 'absent')).toBeNull();
  });

  test('another stream with the key replaces it only from a later position', async () => {
    await put('t', 5n, 50n, 'old', 'first-t');
    expect(await put('t', 9n, 40n, 'earlier', 'second-t')).toBe(false);
    expect(await put('t', 0n, 60n, 'later', 'second-t')).toBe(true);
  });

  test('can be queried by its columns', async () => {
    await put('u', 0n, 70n, 'odd');
    expect((await queryRows(postgres.db, services, { where: { status: 'odd' }, limit: 9 })).map((r) => r.key)).toEqual([
      'u',
    ]);
  });

  test('the position of a source only rises, by rows and by heartbeats', async () => {
    expect(await foreignPosition(postgres.db, 'nobody')).toBeNull();
    await advanceForeign(postgres.db, 'provider', 100n);
    await advanceForeign(postgres.db, 'provider', 90n);
    expect(await foreignPosition(postgres.db, 'provider')).toBe(100n);
    await put('v', 0n, 110n, 'new');
    expect(await foreignPosition(postgres.db, 'provider')).toBe(110n);
  });
});
