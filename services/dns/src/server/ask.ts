import { isIPv6 } from 'node:net';
import { decode, encode, RECURSION_DESIRED, type RecordType } from 'dns-packet';
import type { Answer } from './answer.ts';

export type Asked = Readonly<{ rcode: string; records: readonly string[]; ttl: number }>;

export type Ask = (name: string, type: RecordType) => Asked;

/** Asks through the very answering that the sockets use. */
export const createAsk =
  (answer: Answer): Ask =>
  (name, type) => {
    const query = encode({ type: 'query', id: 1, flags: RECURSION_DESIRED, questions: [{ name, type }] });
    const reply = answer(query, 'tcp');
    if (reply === 'drop') return { rcode: 'REFUSED', records: [], ttl: 0 };
    const { answers = [], authorities = [], ...header } = decode(reply);
    const shown = answers.filter((record) => record.type === type);
    const [first] = [...shown, ...(authorities ?? [])];
    return {
      rcode: (header as unknown as { rcode: string }).rcode,
      records: shown.map((record) => dataOf(record as unknown as { data: unknown })),
      ttl: first && 'ttl' in first ? (first.ttl ?? 0) : 0,
    };
  };

const dataOf = ({ data }: Readonly<{ data: unknown }>): string => {
  if (typeof data === 'string') return isIPv6(data) ? canonicalIPv6(data) : data;
  const { mname, rname, serial, refresh, retry, expire, minimum } = data as Record<string, unknown>;
  return [mname, rname, serial, refresh, retry, expire, minimum].join(' ');
};

/** Whoever compares addresses as texts finds the one form that they have everywhere else. */
const canonicalIPv6 = (text: string): string => new URL(`http://[${text}]`).hostname.slice(1, -1);
