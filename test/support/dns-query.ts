import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import {
  decode,
  encode,
  type Packet,
  RECURSION_DESIRED,
  type RecordType,
  streamDecode,
  streamEncode,
} from 'dns-packet';

/** What a server answered: the response code, and the data of the records of the asked type, sorted. */
export type DnsAnswer = Readonly<{ rcode: string; records: readonly string[] }>;

const TIMEOUT_MS = 2_000;

/** Asks over UDP, as a resolver does. */
export const queryDns = async (address: string, name: string, type: RecordType = 'A'): Promise<DnsAnswer> => {
  const { host, port } = split(address);
  const socket = createSocket('udp4');
  try {
    const answer = Promise.withResolvers<Buffer>();
    socket.on('message', answer.resolve);
    socket.on('error', answer.reject);
    const timer = setTimeout(() => answer.reject(new Error(`no answer from ${address} for ${name}`)), TIMEOUT_MS);
    socket.send(query(name, type), port, host);
    const reply = await answer.promise;
    clearTimeout(timer);
    return read(decode(reply), type);
  } finally {
    socket.close();
  }
};

export const queryDnsOverTcp = async (address: string, name: string, type: RecordType = 'A'): Promise<DnsAnswer> => {
  const { host, port } = split(address);
  const socket = connect({ host, port, timeout: TIMEOUT_MS });
  try {
    const answer = Promise.withResolvers<Buffer>();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length >= 2 && all.length >= all.readUInt16BE(0) + 2) answer.resolve(all);
    });
    socket.on('error', answer.reject);
    socket.on('timeout', () => answer.reject(new Error(`no answer from ${address} for ${name}`)));
    socket.write(streamEncode({ type: 'query', id: 7, questions: [{ name, type }] }));
    return read(streamDecode(await answer.promise), type);
  } finally {
    socket.destroy();
  }
};

const split = (address: string): { host: string; port: number } => {
  const [host = '127.0.0.1', port = '53'] = address.split(':');
  return { host, port: Number(port) };
};

const query = (name: string, type: RecordType): Buffer =>
  encode({ type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ name, type }] });

const read = (packet: Packet, type: RecordType): DnsAnswer => {
  const { rcode } = packet as unknown as { rcode: string };
  const records = (packet.answers ?? []).filter((answer) => answer.type === type) as unknown as { data: string }[];
  return { rcode, records: records.map(({ data }) => data).sort() };
};
