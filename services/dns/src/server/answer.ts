import { recordType } from '../zone/rrset.ts';
import type { Lookup } from '../zone/zone-table.ts';
import { headerBytes, parseQuery, type Query } from './query.ts';
import { encodeReply, maxMessageBytes, maxUdpPayload, type Reply, rcode } from './reply.ts';

export type Transport = 'udp' | 'tcp';

/** Answers one packet; `truncate` asks for an empty answer with TC, which sends an honest client to TCP. */
export type Answer = (packet: Buffer, transport: Transport, truncate?: boolean) => Buffer | 'drop';

/** What was answered, for counting; `type` is absent where the question could not be read. */
export type Answered = { rcode: number; type: number | undefined; transport: Transport };

type AnswerOptions = {
  table: Lookup;
  /** A number that rises with every call; it rotates the addresses of a name. */
  nextRotation: () => number;
  onAnswered?: (answered: Answered) => void;
};

const minUdpPayload = 512;
const classIn = 1;

const formErr: Reply = { rcode: rcode.FORMERR, authoritative: false };
const notImp: Reply = { rcode: rcode.NOTIMP, authoritative: false };
const refused: Reply = { rcode: rcode.REFUSED, authoritative: false };
const badVers: Reply = { rcode: rcode.BADVERS, authoritative: false };
const servFail: Reply = { rcode: rcode.SERVFAIL, authoritative: false };

/** The authoritative answer to any packet, from the names in the table. */
export function createAnswer({ table, nextRotation, onAnswered }: AnswerOptions): Answer {
  return (packet, transport, truncate = false) => {
    if (packet.length < headerBytes || isResponse(packet)) return 'drop';
    const query = parseQuery(packet);
    const reply = replyTo(packet, query, table);
    onAnswered?.({ rcode: reply.rcode, type: query?.type, transport });
    return encodeReply(packet, query, reply, {
      limit: transport === 'tcp' ? maxMessageBytes : udpLimit(query),
      truncate,
      rotation: nextRotation(),
    });
  };
}

/** The reply when answering itself failed; the packet must have a whole header. */
export function serverFailure(packet: Buffer): Buffer {
  return encodeReply(packet, undefined, servFail, { limit: minUdpPayload, truncate: false, rotation: 0 });
}

/** Answering a response could make two servers talk for ever. */
function isResponse(packet: Buffer): boolean {
  return packet.readUInt8(2) >= 0x80;
}

function replyTo(packet: Buffer, query: Query | undefined, table: Lookup): Reply {
  const opcode = (packet.readUInt8(2) >> 3) & 0x0f;
  if (opcode !== 0) return notImp;
  if (!query) return formErr;
  if (query.edns && query.edns.version > 0) return badVers;
  if (query.class !== classIn) return refused;
  return metaTypeReply(query.type) ?? dataReply(query, table);
}

/** Types that are no data in any zone are answered as BIND does; ANY alone is looked up. */
function metaTypeReply(type: number): Reply | undefined {
  if (type === recordType.AXFR || type === recordType.IXFR) return refused;
  if (type === recordType.MAILA || type === recordType.MAILB) return notImp;
  const reserved = type >= 128 && type < recordType.IXFR;
  return type === recordType.OPT || reserved ? formErr : undefined;
}

function dataReply({ name, type }: Query, table: Lookup): Reply {
  const found = table.lookup(name);
  if (!found) return refused;
  const { zone, rrsets } = found;
  if (!rrsets) return { rcode: rcode.NXDOMAIN, authoritative: true, absentFrom: zone };
  // ANY gets one RRset, whichever comes first (RFC 8482 section 4.1).
  const answer = type === recordType.ANY ? rrsets[0] : rrsets.find((rrset) => rrset.type === type);
  if (!answer) return { rcode: rcode.NOERROR, authoritative: true, absentFrom: zone };
  return { rcode: rcode.NOERROR, authoritative: true, answer };
}

function udpLimit(query: Query | undefined): number {
  return Math.min(Math.max(query?.edns?.payload ?? minUdpPayload, minUdpPayload), maxUdpPayload);
}
