import { factSpec } from '@privatelink/shared/testing/fact-spec';
import { describe } from 'vitest';
import { scopeFactsCodec } from '../scope-facts/scope-facts.codec.ts';
import { scopeFacts } from '../scope-facts/scope-facts.ts';
import { paymentFacts } from './payment-facts.ts';

describe('a fact of a bill', () => {
  factSpec({
    rules: { decider: scopeFacts, codec: scopeFactsCodec },
    translation: paymentFacts,
    samples: new URL('../scope-facts/scope-facts.samples.json', import.meta.url),
    golden: new URL('./payment-facts.golden.json', import.meta.url),
  });
});
