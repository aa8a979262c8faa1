import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { fanOutCodec } from './fan-out.codec.ts';
import { fanOut } from './fan-out.ts';

describe('stored events of fanOut', () => {
  codecSpec(fanOut, fanOutCodec, new URL('./fan-out.samples.json', import.meta.url));
});
