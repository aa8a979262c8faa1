import { type Rrset, recordType } from '../zone/rrset.ts';
import type { Zone } from '../zone/zone.ts';
import { headerBytes, type Query } from './query.ts';

/** Response codes (RFC 1035, RFC 6891). */
export const rcode = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;

/** What to answer, before it is put on the wire. */
export type Reply = {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answer?: Rrset;
  /** The zone whose SOA proves the absence of what was asked for. */
  readonly absentFrom?: Zone;
};

/** How to put it on the wire. */
type ReplyForm = {
  /** The most bytes the transport takes. */
  readonly limit: number;
  /** Say only that the answer was left out, so that an honest client asks again over TCP. */
  readonly truncate: boolean;
  /** Where in the RRset to begin. */
  readonly rotation: number;
};

/** The largest UDP payload this server sends and advertises: no fragments on any usual path (DNS flag day 2020). */
export const maxUdpPayload = 1232;
export const maxMessageBytes = 65_535;

const questionPointer = 0xc000 | headerBytes;
const optBytes = 11;

const scratch = Buffer.allocUnsafe(maxMessageBytes);

/**
 * Encodes a reply to a packet. Without a parsed query it is the header alone. RRsets go in whole or, with TC set, not
 * at all; room for OPT is kept free beforehand.
 */
export function encodeReply(packet: Buffer, query: Query | undefined, reply: Reply, form: ReplyForm): Buffer {
  let at = query ? packet.copy(scratch, headerBytes, headerBytes, query.questionEnd) + headerBytes : headerBytes;
  const room = form.truncate ? 0 : form.limit - (query?.edns ? optBytes : 0);
  let truncated = form.truncate;

  const append = (rrset: Rrset, owner: number, first: number): number => {
    const { records } = rrset;
    const size = records.reduce((sum, record) => sum + 2 + record.length, 0);
    if (at + size > room) {
      truncated = true;
      return 0;
    }
    for (let index = 0; index < records.length; index++) {
      const record = records[(first + index) % records.length];
      if (!record) continue;
      scratch.writeUInt16BE(owner, at);
      at += 2 + record.copy(scratch, at + 2);
    }
    return records.length;
  };

  const answers = reply.answer ? append(reply.answer, questionPointer, firstRecord(reply.answer, form.rotation)) : 0;
  const authorities =
    query && reply.absentFrom ? append(reply.absentFrom.denial, apexPointer(query, reply.absentFrom), 0) : 0;
  if (query?.edns) at = writeOpt(at, reply.rcode, query.edns.dnssecOk);

  scratch.writeUInt16BE(packet.readUInt16BE(0), 0);
  const opcodeAndRd = packet.readUInt8(2) & 0x79;
  scratch.writeUInt8(0x80 | opcodeAndRd | (reply.authoritative ? 0x04 : 0) | (truncated ? 0x02 : 0), 2);
  scratch.writeUInt8(reply.rcode & 0x0f, 3);
  scratch.writeUInt16BE(query ? 1 : 0, 4);
  scratch.writeUInt16BE(answers, 6);
  scratch.writeUInt16BE(authorities, 8);
  scratch.writeUInt16BE(query?.edns ? 1 : 0, 10);
  return Buffer.from(scratch.subarray(0, at));
}

/**
 * Spreads the first place evenly over the records for any steady stride of the rotation: a plain remainder would
 * always show the same of two addresses to clients that ask for A and AAAA in turn.
 */
function firstRecord(rrset: Rrset, rotation: number): number {
  const goldenRatio = 0x9e3779b1;
  return Math.floor(((Math.imul(rotation, goldenRatio) >>> 0) / 2 ** 32) * rrset.records.length);
}

/** The apex is the end of the question's name. */
function apexPointer(query: Query, zone: Zone): number {
  return 0xc000 | (headerBytes + query.name.length - zone.apex.length);
}

function writeOpt(start: number, code: number, dnssecOk: boolean): number {
  scratch.writeUInt8(0, start);
  scratch.writeUInt16BE(recordType.OPT, start + 1);
  scratch.writeUInt16BE(maxUdpPayload, start + 3);
  scratch.writeUInt32BE((code >> 4) * 2 ** 24 + (dnssecOk ? 0x8000 : 0), start + 5);
  scratch.writeUInt16BE(0, start + 9);
  return start + optBytes;
}
