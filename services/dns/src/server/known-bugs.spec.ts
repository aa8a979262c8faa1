import { describe, expect, it } from 'vitest';
import { askTable, bare, queryPacket, tableOf, told, unrotated, withA } from './testing/ask.ts';

// Bugs found in other DNS servers and libraries, asked of this one.

const apex = 'e.example';
const rcodeOf = (names: Parameters<typeof tableOf>[0], name: string) => askTable(tableOf(names, apex), { name }).rcode;

describe('wildcards', () => {
  it('coredns #4256: the parent of a name below a wildcard label is an empty non-terminal wildcard', () => {
    expect(rcodeOf([withA(`f.*.${apex}`, '10.0.0.1')], `x.${apex}`)).toBe('NOERROR');
  });

  it('coredns #4290: a closer name blocks the wildcard above it', () => {
    const names = [withA(`*.${apex}`, '10.0.0.1'), withA(`real.deeper.${apex}`, '10.0.0.2')];
    expect(rcodeOf(names, `nope.deeper.${apex}`)).toBe('NXDOMAIN');
    expect(askTable(tableOf(names, apex), { name: `deeper.${apex}` })).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  it('coredns #4599: neither a name nor an empty non-terminal lets the wildcard through', () => {
    const names = [withA(`*.d.${apex}`, '10.0.0.1'), withA(`r.c.d.${apex}`, '10.0.0.2')];
    expect(rcodeOf(names, `x.r.c.d.${apex}`)).toBe('NXDOMAIN');
    expect(rcodeOf(names, `x.c.d.${apex}`)).toBe('NXDOMAIN');
    expect(rcodeOf(names, `x.d.${apex}`)).toBe('NOERROR');
  });

  it('trust-dns #1342: a wildcard stands for several labels', () => {
    const told = askTable(tableOf([withA(`*.${apex}`, '10.0.0.1')], apex), { name: `a.b.c.${apex}` });
    expect(told).toMatchObject({ rcode: 'NOERROR', answers: [`a.b.c.${apex} 60 A 10.0.0.1`] });
  });

  it('RFC 4592: no wildcard answers below itself', () => {
    expect(rcodeOf([withA(`*.${apex}`, '10.0.0.1')], `x.*.${apex}`)).toBe('NXDOMAIN');
  });
});

describe('EDNS and flags', () => {
  const table = tableOf([withA(`a.${apex}`, '10.0.0.1'), ...bare(`b.${apex}`)], apex);

  it('coredns #5785: BADVERS keeps the question', () => {
    const packet = queryPacket({ name: `a.${apex}`, edns: { version: 1 } });
    const response = unrotated(table)(packet, 'udp');
    expect(Buffer.from(response).readUInt16BE(4)).toBe(1);
    expect(told(response).rcode).toBe('BADVERS');
  });

  it('coredns #306 and #2328: neither an unknown option nor Z comes back', () => {
    const edns = { flags: 0x7fff, options: Buffer.from('fde9000401020304', 'hex') };
    const answer = askTable(table, { name: `a.${apex}`, flags: 0x0040, edns });
    expect(answer).toMatchObject({ flags: ['aa'], opt: { flags: 0, options: 0 } });
  });

  it('coredns #5368: without OPT in the query there is none in the response, and no more than 512 bytes', () => {
    const many = Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`);
    const packet = queryPacket({ name: `many.${apex}` });
    const response = unrotated(tableOf([withA(`many.${apex}`, ...many)], apex))(packet, 'udp');
    expect(response.length).toBeLessThanOrEqual(512);
    expect(told(response)).toEqual({ rcode: 'NOERROR', flags: ['aa', 'tc'], answers: [], authorities: [] });
  });

  it('coredns #6915: the answer belongs to the name in the case it was asked in', () => {
    expect(askTable(table, { name: 'A.e.EXAMPLE' }).answers).toEqual(['A.e.EXAMPLE 60 A 10.0.0.1']);
    expect(askTable(table, { name: 'B.e.EXAMPLE' }).authorities[0]).toMatch(/^e\.EXAMPLE 5 SOA /);
  });

  it('miekg/dns #987: what makes room for OPT is truncated with TC', () => {
    const name = `ten-letters.${apex}`;
    const addresses = Array.from({ length: 29 }, (_, index) => `10.0.0.${index}`);
    const full = tableOf([withA(name, ...addresses)], apex);
    const size = 12 + name.length + 2 + 4 + 29 * 16;
    expect(size + 11).toBeGreaterThan(512);
    expect(size).toBeLessThanOrEqual(512);
    expect(askTable(full, { name: name }).answers).toHaveLength(29);
    expect(askTable(full, { name: name, edns: { payload: 512 } })).toMatchObject({
      flags: ['aa', 'tc'],
      answers: [],
    });
  });

  it('erldns #77: the size in OPT does not bind TCP', () => {
    const addresses = Array.from({ length: 200 }, (_, index) => `10.0.0.${index}`);
    const full = tableOf([withA(`n.${apex}`, ...addresses)], apex);
    expect(askTable(full, { name: `n.${apex}`, edns: { payload: 512 } }, 'tcp').answers).toHaveLength(200);
  });
});

describe('crafted packets', () => {
  const table = tableOf([withA(`a.${apex}`, '10.0.0.1')], apex);

  it('dns-packet PR 79: 60 KB of pointers and claimed records cost nothing', () => {
    const header = Buffer.from('123400000001ffffffffffff', 'hex');
    const question = queryPacket({ name: `a.${apex}` }).subarray(12);
    const records = Buffer.concat(new Array(5000).fill(Buffer.from('c00c00010001000000000000', 'hex')));
    const packet = Buffer.concat([header, question, records]);
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 200; index++) expect(unrotated(table)(packet, 'tcp')).toHaveLength(12);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 2 ** 20);
  });

  it.each([
    ['twisted #5064: a pointer to itself', 'c00c'],
    ['metasploit PR 21930: a label whose pointer leads back to it', '0161c00c'],
    ['sofia-sip #338: two pointers to each other', 'c00ec00c'],
  ])('%s in a question ends', (_, name) => {
    const packet = Buffer.from(`123400000001000000000000${name}00010001`, 'hex');
    expect(unrotated(table)(packet, 'udp')).toHaveLength(12);
  });
});
