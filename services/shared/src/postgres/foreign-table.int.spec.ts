import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../testing/servers.ts';
import { connectPostgres, type Postgres } from './connect.ts';
import {
  advanceForeign,
  defineForeignTable,
  ensureForeignTable,
  foreignPosition,
  getAllForeign,
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

const rowOf = (key: string, revision: bigint, position: bigint, status: string, sourceStream: string) => ({
  ...{ key, sourceStream, revision, position, state: { name: key, status } },
  recordedAt: '2026-01-01T00:00:00.000Z',
});
const put = (
  key: string,
  revision: bigint,
  position: bigint,
  status: string,
  sourceStream = `endpointService-${key}`,
) => putForeign(postgres.db, services, [rowOf(key, revision, position, status, sourceStream)]);

describe('foreign table', () => {
  test('keeps the highest revision of a stream in whatever order they come', async () => {
    expect(await put('s', 2n, 20n, 'two')).toBe(1);
    expect(await put('s', 1n, 10n, 'one')).toBe(0);
    expect(await put('s', 2n, 20n, 'again')).toBe(0);
    expect(await getForeign(postgres.db, services, 's')).toMatchObject({ state: { status: 'two' }, revision: 2n });
    expect(await put('s', 3n, 30n, 'three')).toBe(1);
    expect(await getForeign(postgres.db, services, 's')).toMatchObject({ state: { status: 'three' }, position: 30n });
    expect(await getForeign(postgres.db, services, 'absent')).toBeNull();
  });

  test('another stream with the key replaces it only from a later position', async () => {
    await put('t', 5n, 50n, 'old', 'first-t');
    expect(await put('t', 9n, 40n, 'earlier', 'second-t')).toBe(0);
    expect(await put('t', 0n, 60n, 'later', 'second-t')).toBe(1);
  });

  test('takes many at once: of each the newest, in whatever order they are', async () => {
    const rows = [
      rowOf('m', 3n, 33n, 'three', 'first-m'),
      rowOf('m', 2n, 32n, 'two', 'first-m'),
      rowOf('n', 9n, 34n, 'nine', 'first-n'),
      rowOf('n', 0n, 35n, 'another', 'second-n'),
    ];
    expect(await putForeign(postgres.db, services, rows)).toBe(2);
    expect(await putForeign(postgres.db, services, [])).toBe(0);
    const held = await getAllForeign(postgres.db, services, ['m', 'n', 'absent']);
    expect(held.map(({ key, state }) => [key, state.status])).toEqual([
      ['m', 'three'],
      ['n', 'another'],
    ]);
  });

  test('can be queried by its columns', async () => {
    await put('u', 0n, 70n, 'odd');
    expect((await queryRows(postgres.db, services, { where: { status: 'odd' }, limit: 9 })).map((r) => r.key)).toEqual([
      'u',
    ]);
  });

  test('the position of a source only rises', async () => {
    expect(await foreignPosition(postgres.db, 'nobody')).toBeNull();
    await advanceForeign(postgres.db, 'provider', 100n);
    await advanceForeign(postgres.db, 'provider', 90n);
    expect(await foreignPosition(postgres.db, 'provider')).toBe(100n);
    await advanceForeign(postgres.db, 'provider', 110n);
    expect(await foreignPosition(postgres.db, 'provider')).toBe(110n);
  });
});
