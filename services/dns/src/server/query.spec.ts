import { describe, expect, it } from 'vitest';
import { optRecord, queryPacket, tableOf, told, unrotated, withA } from './testing/ask.ts';

const apex = 'privatelink.internal';
const endpoint = `ep-1.epsrv-1.eu-1.${apex}`;
const table = tableOf([withA(endpoint, '10.0.1.5')]);

describe('packets that are no proper query', () => {
  const good = queryPacket({ name: endpoint, flags: 0x0100 });
  const patched = (offset: number, ...bytes: number[]) => {
    const packet = Buffer.from(good);
    Buffer.from(bytes).copy(packet, offset);
    return packet;
  };
  const withRecords = (section: number, ...records: Buffer[]) => {
    const packet = Buffer.concat([good, ...records]);
    packet.writeUInt16BE(records.length, section);
    return packet;
  };
  const record = (owner: string) =>
    Buffer.concat([Buffer.from(owner, 'hex'), Buffer.from('00010001000000000000', 'hex')]);
  const formErrHeader = Buffer.from('123481010000000000000000', 'hex');

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['less than a header', good.subarray(0, 11)],
    ['a response', patched(2, 0x81)],
    ['a malformed response', patched(2, 0x81, 0, 0, 9)],
  ])('%s is dropped', (_, packet) => {
    expect(unrotated(table)(packet, 'udp')).toBe('drop');
    expect(unrotated(table)(packet, 'tcp')).toBe('drop');
  });

  it.each<[string, Buffer]>([
    ['no question', patched(4, 0, 0)],
    ['two questions', patched(4, 0, 2)],
    ['a header alone', good.subarray(0, 12)],
    ['a name without end', good.subarray(0, good.length - 5)],
    ['a question without class', good.subarray(0, good.length - 2)],
    ['a label type nobody knows', patched(12, 0x40)],
    ['an extended label type', patched(12, 0x80)],
    ['a pointer to itself', patched(12, 0xc0, 12)],
    ['a pointer into the header', patched(12, 0xc0, 4)],
    ['a pointer forward', patched(12, 0xc0, 20)],
    ['a label and then a pointer back to it', patched(17, 0xc0, 12)],
    [
      'a name of 256 bytes',
      queryPacket({ name: `${'a'.repeat(60)}.${`${'b'.repeat(63)}.`.repeat(3)}c`, flags: 0x0100 }),
    ],
    ['a record that is not there', patched(10, 0, 1)],
    ['65535 records that are not there', patched(6, 255, 255, 255, 255, 255, 255)],
    ['a record whose data is not there', withRecords(10, Buffer.from('00000100010000000000ff', 'hex'))],
    ['a record owner with an unknown label type', withRecords(10, record('41'))],
    ['a record owner without end', withRecords(10, Buffer.from('3f', 'hex'))],
    ['two OPTs', withRecords(10, optRecord({}), optRecord({}))],
    ['an OPT with an owner', withRecords(10, Buffer.concat([Buffer.from('0161', 'hex'), optRecord({})]))],
    ['an OPT among the answers', withRecords(6, optRecord({}))],
    ['an OPT among the authorities', withRecords(8, optRecord({}))],
    ['an option cut short', withRecords(10, optRecord({ options: Buffer.from('000a00', 'hex') }))],
    ['an option longer than its OPT', withRecords(10, optRecord({ options: Buffer.from('000a00080102', 'hex') }))],
  ])('%s is FORMERR with the header alone', (_, packet) => {
    expect(unrotated(table)(packet, 'udp')).toEqual(formErrHeader);
  });

  it.each<[string, Buffer]>([
    ['a record with a pointer loop as owner', withRecords(10, record('c00c'), record('c0ff'))],
    ['an answer section', withRecords(6, record('00'))],
    ['bytes behind the last record', Buffer.concat([good, Buffer.from('rest')])],
    ['a name of 255 bytes', queryPacket({ name: `${'a'.repeat(59)}.${`${'b'.repeat(63)}.`.repeat(3)}c` })],
  ])('%s does no harm', (_, packet) => {
    expect(['NOERROR', 'REFUSED']).toContain(told(unrotated(table)(packet, 'udp')).rcode);
  });

  it('a malformed packet of another opcode is NOTIMP with the header alone', () => {
    expect(unrotated(table)(patched(2, 0x29, 0, 0, 0), 'udp')).toEqual(Buffer.from('1234a9040000000000000000', 'hex'));
  });
});
