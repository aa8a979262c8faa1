import { describe, expect, it } from 'vitest';
import { createAnswer } from './answer.ts';
import { type Ask, askTable, nameBytes, queryPacket, tableOf, told, unrotated, withA } from './testing/ask.ts';

const apex = 'privatelink.internal';
const endpoint = `ep-1.epsrv-1.eu-1.${apex}`;
const crowd = `crowd.${apex}`;
const addresses = (count: number) => Array.from({ length: count }, (_, index) => `10.1.${index >> 8}.${index & 255}`);

const table = tableOf([
  withA(endpoint, '10.0.1.5', '10.0.2.5'),
  withA(crowd, ...addresses(40)),
  withA(`multitude.${apex}`, ...addresses(5000)),
]);

describe('what is too large', () => {
  it.each<[string, Ask['edns'], 'udp' | 'tcp', number, number]>([
    ['512 bytes without EDNS', undefined, 'udp', 512, 0],
    ['no less than 512', { payload: 0 }, 'udp', 512, 0],
    ['what the client takes', { payload: 800 }, 'udp', 800, 40],
    ['no more than 1232', { payload: 65_535 }, 'udp', 1232, 40],
    ['65535 over TCP, whatever EDNS says', { payload: 512 }, 'tcp', 65_535, 40],
  ])('%s', (_, edns, transport, limit, answers) => {
    const crowded = unrotated(table)(queryPacket({ name: crowd, ...(edns && { edns }) }), transport);
    expect(told(crowded).answers).toHaveLength(answers);
    expect(told(crowded).flags).toEqual(answers ? ['aa'] : ['aa', 'tc']);
    const largest = unrotated(table)(queryPacket({ name: `multitude.${apex}`, ...(edns && { edns }) }), transport);
    expect(told(largest)).toMatchObject({ rcode: 'NOERROR', flags: ['aa', 'tc'], answers: [] });
    expect(largest.length).toBeLessThanOrEqual(limit);
  });

  it('fills a response to the last byte and not beyond', () => {
    const question = nameBytes(crowd).length + 4;
    const exact = 12 + question + 40 * 16 + 11;
    const ask = (payload: number) => askTable(table, { name: crowd, edns: { payload } });
    expect(ask(exact)).toMatchObject({ flags: ['aa'] });
    expect(ask(exact - 1)).toMatchObject({ flags: ['aa', 'tc'], answers: [], opt: { payload: 1232 } });
  });

  it('an answer asked for as truncated says only that', () => {
    const answer = unrotated(table);
    expect(told(answer(queryPacket({ name: endpoint, edns: {} }), 'udp', true))).toMatchObject({
      flags: ['aa', 'tc'],
      answers: [],
      opt: { version: 0 },
    });
    expect(told(answer(queryPacket({ name: `no.${apex}` }), 'udp', true)).authorities).toEqual([]);
  });

  it('no UDP response is more than five times its query for the names of an endpoint in ten zones', () => {
    const ten = tableOf([withA(endpoint, ...addresses(10))]);
    for (const type of ['A', 'AAAA', 'ANY', 'SOA', 'NS'] as const) {
      for (const name of [endpoint, `no.${apex}`, apex]) {
        const packet = queryPacket({ name, type });
        expect(unrotated(ten)(packet, 'udp').length / packet.length).toBeLessThanOrEqual(5);
      }
    }
  });
});

describe('rotation', () => {
  const counting = () => {
    let count = 0;
    return createAnswer({ table, nextRotation: () => count++ });
  };

  it.each([1, 2, 3, 6])('asked every %i queries, each address comes first about equally often', (stride) => {
    const three = tableOf([withA(endpoint, '10.0.0.1', '10.0.0.2', '10.0.0.3')]);
    let count = 0;
    const answer = createAnswer({ table: three, nextRotation: () => (count += stride) });
    const first = new Map<string, number>();
    for (let index = 0; index < 300; index++) {
      const { answers } = told(answer(queryPacket({ name: endpoint }), 'udp'));
      expect(new Set(answers).size).toBe(3);
      first.set(answers[0] ?? '', (first.get(answers[0] ?? '') ?? 0) + 1);
    }
    expect(first.size).toBe(3);
    for (const times of first.values()) expect(Math.abs(times - 100)).toBeLessThanOrEqual(5);
  });

  it('keeps the order of the rest, and is the same for the same counter', () => {
    const orders = () => {
      const answer = counting();
      return Array.from({ length: 20 }, () => told(answer(queryPacket({ name: endpoint }), 'udp')).answers.join());
    };
    expect(orders()).toEqual(orders());
    expect(new Set(orders()).size).toBe(2);
  });
});
