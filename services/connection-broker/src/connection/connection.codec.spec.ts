import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { connectionCodec } from './connection.codec.ts';
import { connection } from './connection.decide.ts';

describe('stored events of connection', () => {
  codecSpec(connection, connectionCodec, new URL('./connection.samples.json', import.meta.url));
});
