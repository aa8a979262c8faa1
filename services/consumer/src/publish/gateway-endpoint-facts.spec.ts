import { factSpec } from '@privatelink/shared/testing/fact-spec';
import { describe } from 'vitest';
import { gatewayEndpointCodec } from '../gateway-endpoint/gateway-endpoint.codec.ts';
import { gatewayEndpoint } from '../gateway-endpoint/gateway-endpoint.ts';
import { gatewayEndpointFacts } from './gateway-endpoint-facts.ts';

describe('a fact of a gateway endpoint', () => {
  factSpec({
    rules: { decider: gatewayEndpoint, codec: gatewayEndpointCodec },
    translation: gatewayEndpointFacts,
    samples: new URL('../gateway-endpoint/gateway-endpoint.samples.json', import.meta.url),
    golden: new URL('./gateway-endpoint-facts.golden.json', import.meta.url),
  });
});
