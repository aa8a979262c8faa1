import { createHash } from 'node:crypto';

const NAMESPACE = Buffer.from('6f9f2c1e6a3b5d559a5e7f0f3f6a1c11', 'hex');

/** Version 5 of UUIDs (RFC 9562), 32 digits. */
const uuid5 = (name: string): string => {
  const hash = createHash('sha1').update(NAMESPACE).update(name).digest('hex');
  const variant = '89ab'[Number.parseInt(hash.charAt(16), 16) & 3];
  return `${hash.slice(0, 12)}5${hash.slice(13, 16)}${variant}${hash.slice(17, 32)}`;
};

/**
 * Follows from the request and from what is recorded: one id is one event. An append that meets its own ids was
 * therefore recorded just so; another try of the request, which may have decided otherwise, loses instead.
 */
export const eventId = (requestId: string, stream: string, index: number, content: unknown): string =>
  uuid5(JSON.stringify([requestId, stream, index, content])).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz';

/** `<prefix>-` and 20 characters of [0-9a-z], following from the request that creates the resource. */
export const resourceId = (prefix: string, requestId: string, part = ''): string => {
  let rest = BigInt(`0x${uuid5(JSON.stringify([requestId, prefix, part]))}`);
  let id = '';
  while (id.length < 20) {
    id += BASE36[Number(rest % 36n)];
    rest /= 36n;
  }
  return `${prefix}-${id}`;
};
