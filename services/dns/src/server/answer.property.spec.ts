import { decode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transport } from './answer.ts';
import { type Ask, bare, queryPacket, tableOf, told, unrotated, withA } from './testing/ask.ts';

const apex = 'e.example';
const many = Array.from({ length: 90 }, (_, index) => `10.0.0.${index}`);
const answer = unrotated(
  tableOf([withA(`a.b.${apex}`, '10.0.0.1'), withA(`*.w.${apex}`, ...many), ...bare(`none.${apex}`)], apex),
);
const transport = fc.constantFrom<Transport>('udp', 'tcp');

const relative = fc.array(fc.constantFrom('a', 'B', 'w', 'none', '*', 'ns1', 'x'.repeat(63)), { maxLength: 3 });
const ask: fc.Arbitrary<Ask> = fc.record(
  {
    name: relative.map((labels) => [...labels, apex].join('.')),
    type: fc.oneof(fc.constantFrom(1, 2, 6, 28, 255), fc.nat(65_535)),
    class: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.nat(65_535)),
    opcode: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(15)),
    flags: fc.nat(0x7ff),
    id: fc.nat(65_535),
    edns: fc.record({ payload: fc.nat(65_535), version: fc.nat(1), flags: fc.nat(65_535) }, { requiredKeys: [] }),
  },
  { requiredKeys: ['name'] },
);

/** A proper query with some bytes changed, cut off or put behind: it gets deeper than bytes from nowhere. */
const damaged = fc
  .tuple(
    ask,
    fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
    fc.nat(60),
    fc.uint8Array({ maxLength: 60 }),
  )
  .map(([proper, changes, cut, tail]) => {
    const packet = Buffer.concat([queryPacket(proper), tail]);
    for (const [offset, byte] of changes) packet.writeUInt8(byte, offset % packet.length);
    return packet.subarray(0, packet.length - cut);
  });
const noise = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
const asQuery = noise.map((packet) =>
  packet.length > 2 ? Buffer.from(packet.fill(packet.readUInt8(2) & 0x7f, 2, 3)) : packet,
);

function payloadOf(packet: Buffer): number {
  const at = packet.indexOf(Buffer.from([0, 0, 41]), 12);
  return at < 0 ? 512 : Math.max(512, Math.min(1232, packet.readUInt16BE(at + 3)));
}

describe('any packet', () => {
  it('gets a well-formed response of allowed size, or none; a response never gets one', () => {
    fc.assert(
      fc.property(fc.oneof(damaged, noise, asQuery), transport, (packet, over) => {
        const original = Buffer.from(packet);
        const response = answer(packet, over);
        expect(packet).toEqual(original);
        const silent = packet.length < 12 || packet.readUInt8(2) >= 0x80;
        expect(response === 'drop').toBe(silent);
        if (response === 'drop') return;
        expect(response.length).toBeLessThanOrEqual(over === 'tcp' ? 65_535 : 1232);
        expect(response.readUInt16BE(0)).toBe(packet.readUInt16BE(0));
        expect(response.readUInt8(2) & 0xf9).toBe((packet.readUInt8(2) & 0x79) | 0x80);
        expect(response.readUInt8(3) & 0xf0).toBe(0);
        decode(response);
        expect(decode.bytes).toBe(response.length);
        expect(answer(response, over)).toBe('drop');
      }),
      { numRuns: 3000 },
    );
  });

  it('a proper query is answered within its payload, with its question, and OPT iff it had one', () => {
    fc.assert(
      fc.property(ask, transport, (proper, over) => {
        const packet = queryPacket(proper);
        const response = answer(packet, over);
        const { rcode, flags, answers, authorities, opt } = told(response);
        if (response === 'drop') return;
        const questionEnd = packet.length - (proper.edns ? 11 : 0);
        expect(response.subarray(12, questionEnd)).toEqual(packet.subarray(12, questionEnd));
        if (over === 'udp') expect(response.length).toBeLessThanOrEqual(payloadOf(packet));
        expect(opt !== undefined).toBe(proper.edns !== undefined);
        const authoritative = rcode === 'NXDOMAIN' || rcode === 'NOERROR';
        expect(flags.includes('aa')).toBe(authoritative);
        const shown = answers.length > 0 ? 1 : authorities.length;
        expect(shown).toBe(authoritative && !flags.includes('tc') ? 1 : 0);
        if (flags.includes('tc')) expect(over).toBe('udp');
      }),
      { numRuns: 2000 },
    );
  });
});
