import { factSpec } from '@privatelink/shared/testing/fact-spec';
import { describe } from 'vitest';
import { endpointServiceCodec } from '../endpoint-service/endpoint-service.codec.ts';
import { endpointService } from '../endpoint-service/endpoint-service.decide.ts';
import { endpointServiceFacts } from './endpoint-service-facts.ts';

describe('a fact of an endpoint service', () => {
  factSpec({
    rules: { decider: endpointService, codec: endpointServiceCodec },
    translation: endpointServiceFacts,
    samples: new URL('../endpoint-service/endpoint-service.samples.json', import.meta.url),
    golden: new URL('./endpoint-service-facts.golden.json', import.meta.url),
  });
});
