import { type Answer as DnsRecord, decode } from 'dns-packet';
import { recordType } from '../../zone/rrset.ts';
import { createZoneTable, type NameRecords, type ZoneTable } from '../../zone/zone-table.ts';
import { type Answer, createAnswer, type Transport } from '../answer.ts';

/** A query as a test writes it. Labels may hold any bytes; everything not given is as `dig +noedns +norec` sends it. */
export type Ask = {
  name: string;
  type?: keyof typeof recordType | number;
  class?: number;
  opcode?: number;
  /** Flag bits beside QR and opcode, e.g. `0x0100` for RD. */
  flags?: number;
  id?: number;
  edns?: { payload?: number; version?: number; flags?: number; options?: Buffer };
};

/** The parts of a response that tests compare. */
export type Told = {
  rcode: string;
  flags: string[];
  answers: string[];
  authorities: string[];
  opt?: { payload: number; version: number; flags: number; options: number };
};

const rcodes: Record<number, string> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  16: 'BADVERS',
};

const flagBits = { aa: 0x0400, tc: 0x0200, rd: 0x0100, ra: 0x0080, z: 0x0040, ad: 0x0020, cd: 0x0010 };

export function queryPacket(ask: Ask): Buffer {
  const type = typeof ask.type === 'number' ? ask.type : recordType[ask.type ?? 'A'];
  const header = Buffer.alloc(12);
  header.writeUInt16BE(ask.id ?? 0x1234, 0);
  header.writeUInt16BE(((ask.opcode ?? 0) << 11) | (ask.flags ?? 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(ask.edns ? 1 : 0, 10);
  const question = Buffer.concat([nameBytes(ask.name), uint16(type), uint16(ask.class ?? 1)]);
  return Buffer.concat([header, question, ...(ask.edns ? [optRecord(ask.edns)] : [])]);
}

export function optRecord(edns: NonNullable<Ask['edns']>): Buffer {
  const { payload = 1232, version = 0, flags = 0, options = Buffer.alloc(0) } = edns;
  const versionAndRcode = Buffer.from([0, version]);
  const fields = [uint16(recordType.OPT), uint16(payload), versionAndRcode, uint16(flags), uint16(options.length)];
  return Buffer.concat([Buffer.from([0]), ...fields, options]);
}

export function nameBytes(name: string): Buffer {
  const labels = name === '.' ? [] : name.split('.');
  const parts = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]));
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** Reads a response with dns-packet, which shares no code with the server's own writer. */
export function told(response: Buffer | 'drop'): Told {
  if (response === 'drop') throw new Error('no response');
  const packet = decode(response);
  const bits = response.readUInt16BE(2);
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  const rcode = (bits & 0x0f) + (opt ? opt.extendedRcode * 16 : 0);
  return {
    rcode: rcodes[rcode] ?? String(rcode),
    flags: Object.entries(flagBits).flatMap(([name, bit]) => (bits & bit ? [name] : [])),
    answers: (packet.answers ?? []).map(line),
    authorities: (packet.authorities ?? []).map(line),
    ...(opt && {
      opt: { payload: opt.udpPayloadSize, version: opt.ednsVersion, flags: opt.flags, options: opt.options.length },
    }),
  };
}

function line(record: DnsRecord): string {
  if (record.type === 'OPT') return 'OPT';
  const { data } = record;
  const text = record.type === 'SOA' ? `${record.data.mname} ${record.data.rname} ${record.data.serial}` : String(data);
  return `${record.name} ${record.ttl} ${record.type} ${text}`;
}

export function tableOf(names: readonly NameRecords[], apex = 'privatelink.internal'): ZoneTable {
  const table = createZoneTable([{ apex, nameServerAddresses: [{ type: 'A', data: '127.0.0.53' }] }], 7);
  table.put('names', names);
  return table;
}

/** Names without addresses. */
export function bare(...names: string[]): NameRecords[] {
  return names.map((name) => ({ name, records: [] }));
}

export function withA(name: string, ...addresses: string[]): NameRecords {
  return { name, records: addresses.map((data) => ({ type: 'A', data })) };
}

/** An answer function whose rotation stays where it is. */
export function unrotated(table: ZoneTable): Answer {
  return createAnswer({ table, nextRotation: () => 0 });
}

export function askTable(table: ZoneTable, ask: Ask, transport: Transport = 'udp'): Told {
  return told(unrotated(table)(queryPacket(ask), transport));
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
