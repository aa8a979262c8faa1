import { isIPv6, SocketAddress } from 'node:net';

export type ProxyHeader = Readonly<{
  /** Of the client; null when the proxy speaks for itself. */
  source: SocketAddress | null;
  /** The address that the client connected to. */
  destination: SocketAddress | null;
  /** What the proxy calls this connection. */
  uniqueId: string | null;
  /** Bytes of the header: what the client sent begins after them. */
  length: number;
}>;

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED = 16;
const UNIQUE_ID = 0x05;

/** The PROXY protocol v2 header that a connection begins with; null while it is not there whole. */
export const readProxyHeader = (data: Buffer): ProxyHeader | null => {
  const begun = Math.min(data.length, SIGNATURE.length);
  if (!data.subarray(0, begun).equals(SIGNATURE.subarray(0, begun))) throw new Error('No PROXY v2 signature');
  if (data.length < FIXED) return null;
  const length = FIXED + data.readUInt16BE(14);
  if (data.length < length) return null;
  const versionAndCommand = data.readUInt8(12);
  if (versionAndCommand >> 4 !== 2) throw new Error('Not version 2 of the PROXY protocol');
  const transport = data.readUInt8(13);
  const size = ADDRESS_SIZES[transport];
  if (size === undefined) throw new Error(`Not TCP over IP: 0x${transport.toString(16)}`);
  const addresses = size === 0 ? 0 : 2 * size + 4;
  // What follows the header is the client's, who would say there who he is.
  if (FIXED + addresses > length) throw new Error('Addresses that end beyond the header');
  const local = (versionAndCommand & 0xf) === 0;
  const endpoint = (index: number): SocketAddress | null => {
    if (local || size === 0) return null;
    const address = formatAddress(data.subarray(FIXED + index * size, FIXED + (index + 1) * size));
    const port = data.readUInt16BE(FIXED + 2 * size + 2 * index);
    return new SocketAddress({ address, port, family: isIPv6(address) ? 'ipv6' : 'ipv4' });
  };
  const extensions = data.subarray(FIXED + addresses, length);
  return { source: endpoint(0), destination: endpoint(1), uniqueId: readExtension(extensions, UNIQUE_ID), length };
};

/** Bytes of an address: of none, over TCP and IPv4, over TCP and IPv6. */
const ADDRESS_SIZES: Readonly<Record<number, number>> = { 0: 0, 17: 4, 33: 16 };

const formatAddress = (bytes: Buffer): string => {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(2 * group).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
};

const TYPE_AND_LENGTH = 3;

const readExtension = (extensions: Buffer, wanted: number): string | null => {
  let found: string | null = null;
  for (let at = 0; at < extensions.length; ) {
    const from = at + TYPE_AND_LENGTH;
    const end = from <= extensions.length ? from + extensions.readUInt16BE(at + 1) : Number.POSITIVE_INFINITY;
    if (end > extensions.length) throw new Error('An extension that ends beyond the header');
    if (extensions.readUInt8(at) === wanted) found ??= extensions.toString('utf8', from, end);
    at = end;
  }
  return found;
};
