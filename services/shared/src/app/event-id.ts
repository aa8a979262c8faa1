import { v5 } from 'uuid';

const NAMESPACE = '6f9f2c1e-6a3b-5d55-9a5e-7f0f3f6a1c11';

/**
 * Follows from the request and from what is recorded: one id is one event. An append that meets its own ids was
 * therefore recorded just so; another try of the request, which may have decided otherwise, loses instead.
 */
export const eventId = (requestId: string, stream: string, index: number, content: unknown): string =>
  v5(JSON.stringify([requestId, stream, index, content]), NAMESPACE);

const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz';

/** `<prefix>-` and 20 characters of [0-9a-z], following from the request that creates the resource. */
export const resourceId = (prefix: string, requestId: string, part = ''): string => {
  const hex = v5(JSON.stringify([requestId, prefix, part]), NAMESPACE).replaceAll('-', '');
  let rest = BigInt(`0x${hex}`);
  let id = '';
  while (id.length < 20) {
    id += BASE36[Number(rest % 36n)];
    rest /= 36n;
  }
  return `${prefix}-${id}`;
};
