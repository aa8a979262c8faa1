import { randomUUID } from 'node:crypto';
import streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import { describe, expect, it } from 'vitest';
import { type StoredEvent, tombstoneRevision } from '../storage/records.ts';
import { caughtUpResponse, checkpointResponse, eventResponse } from './read-responses.ts';
import { decodeUuid } from './requests.ts';

const event: StoredEvent = {
  position: 2 ** 52 + 129,
  stream: 'stream-żółw',
  revision: 2 ** 31 + 5,
  id: randomUUID(),
  type: 'Typ-🐢',
  json: 1,
  created: 1_764_104_400_123,
  data: Buffer.from('{"a":"ü"}'),
  metadata: new Uint8Array(),
};

const decode = (bytes: Buffer) => streams.ReadResp.deserializeBinary(new Uint8Array(bytes));

describe('an encoded response', () => {
  it.each(['string', 'structured'] as const)('carries an event, its id %s', (format) => {
    const read = decode(eventResponse({ ...event }, format)).getEvent();
    const recorded = read?.getEvent();
    expect(read?.getCommitPosition()).toBe(String(event.position));
    expect(recorded?.getPreparePosition()).toBe(String(event.position));
    expect(recorded?.getStreamRevision()).toBe(String(event.revision));
    expect(recorded?.getId()?.hasStructured()).toBe(format === 'structured');
    expect(decodeUuid(recorded?.getId())).toBe(event.id);
    expect(Buffer.from(recorded?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).toBe(event.stream);
    expect(Buffer.from(recorded?.getData_asU8() ?? []).toString()).toBe('{"a":"ü"}');
    expect(Object.fromEntries(recorded?.getMetadataMap().entries() ?? [])).toEqual({
      type: event.type,
      'content-type': 'application/json',
      created: '17641044001230000',
    });
  });

  it.each([0, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 53 - 2])('carries the number %i', (position) => {
    const checkpoint = decode(checkpointResponse(position)).getCheckpoint();
    expect(checkpoint?.getCommitPosition()).toBe(String(position));
    expect(checkpoint?.getTimestamp()?.toDate().getTime()).toBeCloseTo(Date.now(), -4);
  });

  it('gives a tombstone the largest int64', () => {
    const recorded = decode(eventResponse({ ...event, revision: tombstoneRevision }, 'string'))
      .getEvent()
      ?.getEvent();
    expect(recorded?.getStreamRevision()).toBe('9223372036854775807');
  });

  it('leaves out where an empty source stands', () => {
    const caughtUp = decode(caughtUpResponse({})).getCaughtUp();
    expect([caughtUp?.hasTimestamp(), caughtUp?.hasPosition(), caughtUp?.hasStreamRevision()]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
