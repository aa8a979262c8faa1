import { expect, it } from 'vitest';
import { applySchema, writtenApplySchema } from '../../infra/apply-schema.ts';

it('docs/apply.schema.json is what plctl apply reads by: npm run apply-schema writes it', () => {
  expect(writtenApplySchema()).toBe(applySchema());
});
