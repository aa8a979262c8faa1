import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { allocationCodec } from './allocation.codec.ts';
import { allocation } from './allocation.ts';

describe('stored events of allocation', () => {
  codecSpec(allocation, allocationCodec, new URL('./allocation.samples.json', import.meta.url));
});
