import { factSpec } from '@privatelink/shared/testing/fact-spec';
import { describe } from 'vitest';
import { connectionCodec } from '../connection/connection.codec.ts';
import { connection } from '../connection/connection.decide.ts';
import { connectionFacts } from './connection-facts.ts';

describe('a fact of a connection', () => {
  factSpec({
    rules: { decider: connection, codec: connectionCodec },
    translation: connectionFacts({
      dnsSuffix: 'privatelink.internal',
      forwarder: 'none',
      stuckAfterMs: 60_000,
      now: () => new Date('2026-01-02T03:04:05.678Z'),
    }),
    samples: new URL('../connection/connection.samples.json', import.meta.url),
    golden: new URL('./connection-facts.golden.json', import.meta.url),
  });
});
