import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { endpointServiceCodec } from './endpoint-service.codec.ts';
import { endpointService } from './endpoint-service.decide.ts';

describe('stored events of endpointService', () => {
  codecSpec(endpointService, endpointServiceCodec, new URL('./endpoint-service.samples.json', import.meta.url));
});
