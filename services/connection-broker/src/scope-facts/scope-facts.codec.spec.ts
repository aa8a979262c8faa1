import { codecSpec } from '@privatelink/shared/testing/codec-spec';
import { describe } from 'vitest';
import { scopeFactsCodec } from './scope-facts.codec.ts';
import { scopeFacts } from './scope-facts.ts';

describe('stored events of scopeFacts', () => {
  codecSpec(scopeFacts, scopeFactsCodec, new URL('./scope-facts.samples.json', import.meta.url));
});
