import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { vpcCodec } from './vpc.codec.ts';
import { vpc } from './vpc.decide.ts';

describe('stored events of vpc', () => {
  codecSpec(vpc, vpcCodec, new URL('./vpc.samples.json', import.meta.url));
});
