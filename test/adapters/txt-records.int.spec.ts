import { afterAll, beforeAll, expect, it } from 'vitest';
import { txtRecords } from '../../services/provider/src/dispatch/txt-records.ts';
import { startTxtServer } from '../support/txt-server.ts';

let server: Awaited<ReturnType<typeof startTxtServer>>;
beforeAll(async () => {
  server = await startTxtServer();
});
afterAll(() => server?.close());

const lookUp = (name: string) => txtRecords([server.address]).lookUp(name);

it('gives all texts of a name, each as a whole whatever the parts it came in', async () => {
  server.set('_privatelink.example.com', [['one'], ['privatelink-', 'verification=', 'x'.repeat(255)]]);
  const texts = ['one', `privatelink-verification=${'x'.repeat(255)}`];
  expect(await lookUp('_privatelink.example.com')).toEqual({ kind: 'found', texts: expect.arrayContaining(texts) });
});

it.each(['NXDOMAIN', 'NODATA'] as const)('knows from %s that there is none', async (reply) => {
  server.set('_privatelink.none.example.com', reply);
  expect(await lookUp('_privatelink.none.example.com')).toEqual({ kind: 'absent' });
});

it.each([
  ['SERVFAIL', 'ESERVFAIL'],
  ['REFUSED', 'EREFUSED'],
  ['silent', 'ETIMEOUT'],
] as const)('knows nothing from %s', async (reply, why) => {
  server.set('_privatelink.broken.example.com', reply);
  expect(await lookUp('_privatelink.broken.example.com')).toEqual({ kind: 'unknown', why });
});

it('asks the next resolver when one does not answer', async () => {
  const away = await startTxtServer();
  away.set('_privatelink.example.com', 'silent');
  const answer = await txtRecords([away.address, server.address]).lookUp('_privatelink.example.com');
  expect([answer.kind, away.asked.length > 0]).toEqual(['found', true]);
  await away.close();
});
