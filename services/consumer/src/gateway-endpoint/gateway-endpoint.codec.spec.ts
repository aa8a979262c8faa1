import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { gatewayEndpointCodec } from './gateway-endpoint.codec.ts';
import { gatewayEndpoint } from './gateway-endpoint.ts';

describe('stored events of gatewayEndpoint', () => {
  codecSpec(gatewayEndpoint, gatewayEndpointCodec, new URL('./gateway-endpoint.samples.json', import.meta.url));
});
