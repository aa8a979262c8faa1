import { factSpec } from '@privatelink/shared/testing/fact-spec';
import { describe } from 'vitest';
import { endpointCodec } from '../endpoint/endpoint.codec.ts';
import { endpoint } from '../endpoint/endpoint.decide.ts';
import { endpointFacts } from './endpoint-facts.ts';

describe('a fact of an endpoint', () => {
  factSpec({
    rules: { decider: endpoint, codec: endpointCodec },
    translation: endpointFacts('privatelink.internal'),
    samples: new URL('../endpoint/endpoint.samples.json', import.meta.url),
    golden: new URL('./endpoint-facts.golden.json', import.meta.url),
  });
});
