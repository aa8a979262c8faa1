import { isIPv4, isIPv6 } from 'node:net';
import { type Answer, encode, type SoaData } from 'dns-packet';

/** Record types and meta types this server treats by name; every other type is just a number without data. */
export const recordType = {
  A: 1,
  NS: 2,
  SOA: 6,
  AAAA: 28,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
} as const;

/** All records of one type at one name; each is encoded from its type field on, so that any owner can be put before it. */
export type Rrset = { readonly type: number; readonly records: readonly Buffer[] };

/** An address of a name; with a zone, clients in that zone are answered with it before others. */
export type AddressRecord = { type: 'A' | 'AAAA'; data: string; zoneId?: string };

/** The RRsets of some addresses, A before AAAA, each address once. */
export function addressRrsets(addresses: readonly AddressRecord[], ttl: number): Rrset[] {
  return (['A', 'AAAA'] as const).flatMap((type) => {
    const encoded = new Map<string, Buffer>();
    for (const address of addresses) {
      if (address.type !== type) continue;
      const record = encodeRecord({ name: '.', type, ttl, data: address.data });
      encoded.set(record.toString('latin1'), record);
    }
    return encoded.size === 0 ? [] : [{ type: recordType[type], records: [...encoded.values()] }];
  });
}

export function nsRrset(nameServer: string, ttl: number): Rrset {
  return { type: recordType.NS, records: [encodeRecord({ name: '.', type: 'NS', ttl, data: nameServer })] };
}

export function soaRrset(data: SoaData, ttl: number): Rrset {
  return { type: recordType.SOA, records: [encodeRecord({ name: '.', type: 'SOA', ttl, data })] };
}

/** The serial is the first of the five numbers a SOA record ends with. */
export function setSoaSerial(record: Buffer, serial: number): void {
  record.writeUInt32BE(serial, record.length - 20);
}

/** Throws a RangeError unless the text is an address of that family, without an interface. */
export function checkAddress({ type, data }: AddressRecord): void {
  const valid = type === 'A' ? isIPv4(data) : isIPv6(data) && !data.includes('%');
  if (!valid) throw new RangeError(`"${data}" is no address for an ${type} record`);
}

function encodeRecord(record: Answer): Buffer {
  const rootOwnerEnd = 13;
  return Buffer.from(encode({ type: 'response', answers: [record] }).subarray(rootOwnerEnd));
}
