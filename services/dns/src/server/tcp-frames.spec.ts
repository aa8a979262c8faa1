import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrames } from './tcp-frames.ts';

const message = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

function framed(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

describe('messages in a stream', () => {
  it('come out whole and in order, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(2000)), (messages, cuts) => {
        const stream = Buffer.concat(messages.map(framed));
        const received: Buffer[] = [];
        const receive = createFrames((bytes) => received.push(Buffer.from(bytes)));
        const edges = [0, ...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
        for (const [index, edge] of edges.entries()) receive(stream.subarray(edge, edges[index + 1]));
        expect(received).toEqual(messages);
      }),
    );
  });

  it('of the largest size may arrive byte by byte', () => {
    const largest = Buffer.alloc(65_535, 7);
    const received: Buffer[] = [];
    const receive = createFrames((bytes) => received.push(bytes));
    for (const byte of framed(largest)) receive(Buffer.from([byte]));
    expect(received).toEqual([largest]);
  });

  it('not yet whole are kept back', () => {
    const received: Buffer[] = [];
    createFrames((bytes) => received.push(bytes))(framed(Buffer.alloc(20)).subarray(0, 21));
    expect(received).toEqual([]);
  });
});
