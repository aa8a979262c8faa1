import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { serviceAdmissionsCodec } from './service-admissions.codec.ts';
import { serviceAdmissions } from './service-admissions.ts';

describe('stored events of serviceAdmissions', () => {
  codecSpec(serviceAdmissions, serviceAdmissionsCodec, new URL('./service-admissions.samples.json', import.meta.url));
});
