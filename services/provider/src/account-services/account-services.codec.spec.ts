import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { accountServicesCodec } from './account-services.codec.ts';
import { accountServices } from './account-services.ts';

describe('stored events of accountServices', () => {
  codecSpec(accountServices, accountServicesCodec, new URL('./account-services.samples.json', import.meta.url));
});
