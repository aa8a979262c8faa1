import { instant as at } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { type ScopeFactsEvent, scopeFacts } from './scope-facts.ts';

const text = z.string();
const count = z.number().int().nonnegative();
const revision = count;
const closing = { regionId: text.nullable(), revision };
const payment = z.object({ source: text, sequence: count, actor: text, message: text, at });

export const scopeFactsCodec: Codec<ScopeFactsEvent> = defineCodec<ScopeFactsEvent>({
  category: scopeFacts.category,
  stateVersion: 1,
  events: {
    PaymentOverdueReported: { version: 1, schema: payment, personal: ['actor', 'message'] },
    PaymentSettledReported: { version: 1, schema: payment, personal: ['actor', 'message'] },
    ServiceUserListed: {
      version: 1,
      schema: z.object({ accountId: text, revision, actor: text, at }),
      personal: ['actor'],
    },
    ServiceUserUnlisted: {
      version: 1,
      schema: z.object({ accountId: text, exceptAccountIds: z.array(text), revision, actor: text, at }),
      personal: ['actor'],
    },
    ServiceLocked: {
      version: 1,
      schema: z.object({ revision, actor: text, message: text, at }),
      personal: ['actor', 'message'],
    },
    ServiceUnlocked: { version: 1, schema: z.object({ revision, actor: text, at }), personal: ['actor'] },
    WaitingConnectionsAccepted: {
      version: 1,
      schema: z.object({ revision, actor: text, at }),
      personal: ['actor'],
    },
    ServiceClosingStarted: {
      version: 1,
      schema: z.object({ ...closing, force: z.boolean(), actor: text, at }),
      personal: ['actor'],
    },
    ServiceClosingRefused: { version: 1, schema: z.object({ ...closing, blockerCount: count, at }) },
    ServiceClosed: { version: 1, schema: z.object({ ...closing, at }) },
    ServiceTeardownCompleted: { version: 1, schema: z.object({ ...closing, connectionCount: count, at }) },
  },
});
