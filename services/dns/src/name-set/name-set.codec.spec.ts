import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { nameSetCodec } from './name-set.codec.ts';
import { nameSet } from './name-set.ts';

describe('stored events of nameSet', () => {
  codecSpec(nameSet, nameSetCodec, new URL('./name-set.samples.json', import.meta.url));
});
