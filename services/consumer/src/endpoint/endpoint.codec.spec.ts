import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { endpointCodec } from './endpoint.codec.ts';
import { endpoint } from './endpoint.decide.ts';

describe('stored events of endpoint', () => {
  codecSpec(endpoint, endpointCodec, new URL('./endpoint.samples.json', import.meta.url));
});
