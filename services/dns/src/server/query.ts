import { recordType } from '../zone/rrset.ts';
import type { WireName } from '../zone/wire-name.ts';

/** What a query asks beyond its header, which the reply copies from the packet itself. */
export type Query = {
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
  /** Where the question ends; it starts right after the header and is echoed byte for byte. */
  readonly questionEnd: number;
  readonly edns: Edns | undefined;
};

/** The parts of an OPT record that matter here; options are checked for shape and otherwise ignored. */
type Edns = { readonly version: number; readonly payload: number; readonly dnssecOk: boolean };

export const headerBytes = 12;

const maxNameBytes = 255;
const recordFixedBytes = 10;

/**
 * Reads a packet that has a whole header; `undefined` if it is malformed. Written by hand because dns-packet decodes
 * every record and option a sender claims to send, joins labels with dots and cannot give back the question's bytes.
 */
export function parseQuery(packet: Buffer): Query | undefined {
  if (packet.readUInt16BE(4) !== 1) return undefined;
  const nameEnd = questionNameEnd(packet);
  const questionEnd = nameEnd + 4;
  if (nameEnd < 0 || questionEnd > packet.length) return undefined;
  const edns = parseRecords(packet, questionEnd);
  if (edns === 'malformed') return undefined;
  return {
    // Lower-casing bytes above ASCII too is harmless: no name in a zone has any.
    name: packet.toString('latin1', headerBytes, nameEnd).toLowerCase(),
    type: packet.readUInt16BE(nameEnd),
    class: packet.readUInt16BE(nameEnd + 2),
    questionEnd,
    edns,
  };
}

/** Nothing stands before the question that a compression pointer could mean, so only plain labels are right here. */
function questionNameEnd(packet: Buffer): number {
  let at = headerBytes;
  while (at < packet.length) {
    const length = packet.readUInt8(at);
    if (length > 63) return -1;
    at += 1 + length;
    if (at - headerBytes > maxNameBytes) return -1;
    if (length === 0) return at;
  }
  return -1;
}

/** Walks the records behind the question for the one OPT there may be. Bytes after the last record are ignored. */
function parseRecords(packet: Buffer, start: number): Edns | undefined | 'malformed' {
  const answersAndAuthorities = packet.readUInt16BE(6) + packet.readUInt16BE(8);
  const records = answersAndAuthorities + packet.readUInt16BE(10);
  let edns: Edns | undefined;
  let at = start;
  for (let index = 0; index < records; index++) {
    const ownerEnd = skipName(packet, at);
    const data = ownerEnd + recordFixedBytes;
    if (ownerEnd < 0 || data > packet.length) return 'malformed';
    const end = data + packet.readUInt16BE(data - 2);
    if (end > packet.length) return 'malformed';
    if (packet.readUInt16BE(ownerEnd) === recordType.OPT) {
      const misplaced = index < answersAndAuthorities || ownerEnd !== at + 1 || edns !== undefined;
      if (misplaced || !areOptions(packet, data, end)) return 'malformed';
      edns = {
        payload: packet.readUInt16BE(ownerEnd + 2),
        version: packet.readUInt8(ownerEnd + 5),
        dnssecOk: packet.readUInt8(ownerEnd + 6) >= 0x80,
      };
    }
    at = end;
  }
  return edns;
}

/** Steps over a name without following its pointer, so that no packet can make this loop. */
function skipName(packet: Buffer, start: number): number {
  let at = start;
  while (at < packet.length) {
    const length = packet.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return -1;
    at += 1 + length;
  }
  return -1;
}

function areOptions(packet: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at + 4 <= end) at += 4 + packet.readUInt16BE(at + 2);
  return at === end;
}
