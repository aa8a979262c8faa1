import { factSpec } from '@privatelink/shared/testing/fact-spec';
import { describe } from 'vitest';
import { nameSetCodec } from '../name-set/name-set.codec.ts';
import { nameSet } from '../name-set/name-set.ts';
import { nameSetFacts } from './name-set-facts.ts';

describe('a fact of the names of an endpoint', () => {
  factSpec({
    rules: { decider: nameSet, codec: nameSetCodec },
    translation: nameSetFacts,
    samples: new URL('../name-set/name-set.samples.json', import.meta.url),
    golden: new URL('./name-set-facts.golden.json', import.meta.url),
  });
});
