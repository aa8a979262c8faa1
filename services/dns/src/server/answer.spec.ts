import { describe, expect, it } from 'vitest';
import { type Answered, createAnswer } from './answer.ts';
import { type Ask, askTable, bare, queryPacket, tableOf, told, unrotated, withA } from './testing/ask.ts';

const apex = 'privatelink.internal';
const endpoint = `ep-1.epsrv-1.eu-1.${apex}`;
const zoneName = `ep-1-eu-1a.epsrv-1.eu-1.${apex}`;
const ipv6Name = `ep-6.epsrv-1.eu-1.${apex}`;

const table = tableOf([
  withA(endpoint, '10.0.1.5', '10.0.2.5'),
  withA(zoneName, '10.0.1.5'),
  {
    name: ipv6Name,
    records: [
      { type: 'A', data: '10.0.1.6' },
      { type: 'AAAA', data: 'fd00::6' },
    ],
  },
  ...bare(`ep-2.epsrv-1.eu-1.${apex}`),
  withA(`*.wild.${apex}`, '10.0.9.9'),
]);

const soaOf = (ttl: number) => `${apex} ${ttl} SOA ns1.${apex} hostmaster.${apex} 7`;
const denial = [soaOf(5)];

describe('answers from the table', () => {
  it.each<[string, Ask, string, string[], string[]]>([
    ['A of an endpoint', { name: endpoint }, 'NOERROR', [`${endpoint} 60 A 10.0.1.5`, `${endpoint} 60 A 10.0.2.5`], []],
    ['A of one zone', { name: zoneName }, 'NOERROR', [`${zoneName} 60 A 10.0.1.5`], []],
    ['AAAA', { name: ipv6Name, type: 'AAAA' }, 'NOERROR', [`${ipv6Name} 60 AAAA fd00::6`], []],
    ['AAAA where only A is: NODATA', { name: endpoint, type: 'AAAA' }, 'NOERROR', [], denial],
    ['a name without records: NODATA', { name: `ep-2.epsrv-1.eu-1.${apex}` }, 'NOERROR', [], denial],
    ['an empty non-terminal: NODATA', { name: `epsrv-1.eu-1.${apex}` }, 'NOERROR', [], denial],
    ['an absent name: NXDOMAIN', { name: `ep-9.epsrv-1.eu-1.${apex}` }, 'NXDOMAIN', [], denial],
    ['below a name: NXDOMAIN', { name: `x.${endpoint}` }, 'NXDOMAIN', [], denial],
    ['SOA of the apex', { name: apex, type: 'SOA' }, 'NOERROR', [soaOf(60)], []],
    ['NS of the apex', { name: apex, type: 'NS' }, 'NOERROR', [`${apex} 60 NS ns1.${apex}`], []],
    ['A of the apex: NODATA', { name: apex }, 'NOERROR', [], denial],
    ['the name server itself', { name: `ns1.${apex}` }, 'NOERROR', [`ns1.${apex} 60 A 127.0.0.53`], []],
    ['SOA below the apex: NODATA', { name: endpoint, type: 'SOA' }, 'NOERROR', [], denial],
    ['an unknown type: NODATA', { name: endpoint, type: 1000 }, 'NOERROR', [], denial],
    ['type 0: NODATA', { name: endpoint, type: 0 }, 'NOERROR', [], denial],
    ['ANY: one RRset', { name: ipv6Name, type: 'ANY' }, 'NOERROR', [`${ipv6Name} 60 A 10.0.1.6`], []],
    ['ANY at the apex: the SOA', { name: apex, type: 'ANY' }, 'NOERROR', [soaOf(60)], []],
    ['ANY at an empty non-terminal', { name: `eu-1.${apex}`, type: 'ANY' }, 'NOERROR', [], denial],
    ['ANY of an absent name', { name: `no.${apex}`, type: 'ANY' }, 'NXDOMAIN', [], denial],
    ['a wildcard, owner as asked', { name: `a.wild.${apex}` }, 'NOERROR', [`a.wild.${apex} 60 A 10.0.9.9`], []],
    ['a wildcard, other type', { name: `a.wild.${apex}`, type: 'AAAA' }, 'NOERROR', [], denial],
    ['the wildcard itself', { name: `*.wild.${apex}` }, 'NOERROR', [`*.wild.${apex} 60 A 10.0.9.9`], []],
    ['the name above a wildcard', { name: `wild.${apex}` }, 'NOERROR', [], denial],
  ])('%s', (_, ask, rcode, answers, authorities) => {
    expect(askTable(table, ask)).toEqual({ rcode, flags: ['aa'], answers, authorities });
    expect(askTable(table, ask, 'tcp')).toEqual({ rcode, flags: ['aa'], answers, authorities });
  });

  it.each<[string, Ask, string]>([
    ['a name in no zone', { name: 'example.org' }, 'REFUSED'],
    ['the root', { name: '.', type: 'NS' }, 'REFUSED'],
    ['the parent of the apex', { name: 'internal' }, 'REFUSED'],
    ['a name that only ends like the apex', { name: `not${apex}` }, 'REFUSED'],
    ['class CH', { name: apex, class: 3 }, 'REFUSED'],
    ['class ANY', { name: apex, class: 255 }, 'REFUSED'],
    ['AXFR', { name: apex, type: 'AXFR' }, 'REFUSED'],
    ['IXFR', { name: apex, type: 'IXFR' }, 'REFUSED'],
    ['MAILB', { name: apex, type: 'MAILB' }, 'NOTIMP'],
    ['MAILA', { name: apex, type: 'MAILA' }, 'NOTIMP'],
    ['OPT as a type', { name: apex, type: 'OPT' }, 'FORMERR'],
    ['NXNAME, the first meta type', { name: apex, type: 128 }, 'FORMERR'],
    ['TKEY', { name: apex, type: 249 }, 'FORMERR'],
    ['TSIG', { name: apex, type: 250 }, 'FORMERR'],
    ['IQUERY', { name: apex, opcode: 1 }, 'NOTIMP'],
    ['NOTIFY', { name: apex, opcode: 4, type: 'SOA' }, 'NOTIMP'],
    ['UPDATE', { name: apex, opcode: 5, type: 'SOA' }, 'NOTIMP'],
    ['an opcode nobody knows', { name: apex, opcode: 15 }, 'NOTIMP'],
  ])('%s is turned away without data or authority', (_, ask, rcode) => {
    const packet = queryPacket(ask);
    const response = unrotated(table)(packet, 'udp');
    expect(told(response)).toEqual({ rcode, flags: [], answers: [], authorities: [] });
    expect(response.slice(12)).toEqual(packet.subarray(12));
    expect(Buffer.from(response).readUInt8(2) & 0x78).toBe((ask.opcode ?? 0) << 3);
  });
});

describe('the header', () => {
  it('takes over id and RD, and never AD, CD, Z, AA, TC or RA', () => {
    const packet = queryPacket({ name: endpoint, id: 0xbeef, flags: 0x07f0 });
    const response = unrotated(table)(packet, 'udp');
    expect(told(response).flags).toEqual(['aa', 'rd']);
    expect(Buffer.from(response).readUInt16BE(0)).toBe(0xbeef);
  });

  it('echoes the question byte for byte, and finds names in any case', () => {
    const packet = queryPacket({ name: 'eP-1.ePsRv-1.EU-1.PrivateLINK.Internal' });
    const response = unrotated(table)(packet, 'udp');
    expect(response.slice(12, packet.length)).toEqual(packet.subarray(12));
    expect(told(response).answers).toHaveLength(2);
  });

  it('takes dots and other odd bytes in a label for what they are', () => {
    const packet = queryPacket({ name: endpoint });
    packet.write('.', packet.indexOf('-'));
    expect(told(unrotated(table)(packet, 'udp')).rcode).toBe('NXDOMAIN');
    packet.writeUInt8(0xff, 13);
    expect(told(unrotated(table)(packet, 'udp')).rcode).toBe('NXDOMAIN');
  });
});

describe('EDNS', () => {
  const opt = { payload: 1232, version: 0, flags: 0, options: 0 };

  it.each<[string, NonNullable<Ask['edns']>, object]>([
    ['plain', {}, opt],
    ['DO is echoed, other flags are not', { flags: 0xffff }, { ...opt, flags: 0x8000 }],
    ['an unknown option is not echoed', { options: Buffer.from('fde900030a0b0c', 'hex') }, opt],
    ['several options at once', { options: Buffer.from('000a00080102030405060708fde90000', 'hex') }, opt],
  ])('%s', (_, edns, expected) => {
    expect(askTable(table, { name: zoneName, edns })).toMatchObject({ rcode: 'NOERROR', opt: expected });
  });

  it.each<[string, Ask, string]>([
    ['absence', { name: `no.${apex}` }, 'NXDOMAIN'],
    ['refusal', { name: 'example.org' }, 'REFUSED'],
    ['NOTIMP', { name: apex, opcode: 4 }, 'NOTIMP'],
  ])('OPT goes with a query that had one, and only then: %s', (_, ask, rcode) => {
    expect(askTable(table, { ...ask, edns: {} })).toMatchObject({ rcode, opt });
    expect(askTable(table, ask)).not.toHaveProperty('opt');
  });

  it('a higher version is BADVERS, answered in version 0 with the question', () => {
    const packet = queryPacket({ name: endpoint, edns: { version: 1, flags: 0x8000 } });
    const response = unrotated(table)(packet, 'udp');
    expect(told(response)).toEqual({
      rcode: 'BADVERS',
      flags: [],
      answers: [],
      authorities: [],
      opt: { ...opt, flags: 0x8000 },
    });
    expect(response.slice(12, -11)).toEqual(packet.subarray(12, -11));
  });
});

describe('counting', () => {
  it('tells rcode, type and transport of each answer, and nothing of what was dropped', () => {
    const counted: Answered[] = [];
    const answer = createAnswer({ table, nextRotation: () => 0, onAnswered: (answered) => counted.push(answered) });
    answer(queryPacket({ name: endpoint, type: 'AAAA' }), 'udp');
    answer(queryPacket({ name: 'example.org' }), 'tcp');
    answer(queryPacket({ name: endpoint, edns: { version: 9 } }), 'udp');
    answer(Buffer.alloc(12), 'udp');
    answer(Buffer.alloc(11), 'udp');
    expect(counted).toEqual([
      { rcode: 0, type: 28, transport: 'udp' },
      { rcode: 5, type: 1, transport: 'tcp' },
      { rcode: 16, type: 1, transport: 'udp' },
      { rcode: 1, type: undefined, transport: 'udp' },
    ]);
  });
});
