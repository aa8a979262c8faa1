import { describe, expect, it } from 'vitest';
import { createAnswer } from './answer.ts';
import { createAsk } from './ask.ts';
import { bare, tableOf, withA } from './testing/ask.ts';

const apex = 'privatelink.internal';
const table = tableOf([
  withA(`ep.svc.${apex}`, '10.0.0.1', '10.0.0.2'),
  { name: `six.svc.${apex}`, records: [{ type: 'AAAA', data: 'fd00::1' }] },
  { name: `seven.svc.${apex}`, records: [{ type: 'AAAA', data: 'fd00:0:0:1::5' }] },
  ...bare(`waiting.svc.${apex}`),
]);
const ask = createAsk(createAnswer({ table, nextRotation: () => 0 }));

describe('asking this process itself', () => {
  it('gives the addresses of a name, and how long they may be cached', () => {
    expect(ask(`ep.svc.${apex}`, 'A')).toEqual({ rcode: 'NOERROR', records: ['10.0.0.1', '10.0.0.2'], ttl: 60 });
    expect(ask(`six.svc.${apex}`, 'AAAA')).toEqual({ rcode: 'NOERROR', records: ['fd00::1'], ttl: 60 });
    expect(ask(`seven.svc.${apex}`, 'AAAA').records).toEqual(['fd00:0:0:1::5']);
  });

  it('tells a name without records of the type from one that is not there, both cached briefly', () => {
    const nothing = { records: [], ttl: 5 };
    expect(ask(`ep.svc.${apex}`, 'AAAA')).toEqual({ rcode: 'NOERROR', ...nothing });
    expect(ask(`waiting.svc.${apex}`, 'A')).toEqual({ rcode: 'NOERROR', ...nothing });
    expect(ask(`nobody.svc.${apex}`, 'A')).toEqual({ rcode: 'NXDOMAIN', ...nothing });
  });

  it('says what the zone says of itself', () => {
    const numbers = '7 60 30 86400 5';
    expect(ask(apex, 'SOA').records).toEqual([`ns1.${apex} hostmaster.${apex} ${numbers}`]);
    expect(ask(apex, 'NS').records).toEqual([`ns1.${apex}`]);
  });

  it('is refused what is in no zone of this server', () => {
    expect(ask('example.com', 'A')).toEqual({ rcode: 'REFUSED', records: [], ttl: 0 });
  });

  it('is refused where the server would not answer at all', () => {
    expect(createAsk(() => 'drop')('example.com', 'A')).toEqual({ rcode: 'REFUSED', records: [], ttl: 0 });
  });

  it('asks as over TCP: an answer beyond a datagram is whole', () => {
    const many = Array.from({ length: 200 }, (_, index) => `10.0.1.${index}`);
    const asks = createAsk(
      createAnswer({ table: tableOf([withA(`many.svc.${apex}`, ...many)]), nextRotation: () => 0 }),
    );
    expect(asks(`many.svc.${apex}`, 'A').records).toEqual(many);
  });
});
