import { createRepository } from '@privatelink/shared/app/repository';
import { InvalidMessage } from '@privatelink/shared/nats/consumer';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createMemoryStore } from '@privatelink/shared/testing/memory-store';
import { describe, expect, it } from 'vitest';
import { scopeFactsCodec } from '../scope-facts/scope-facts.codec.ts';
import { scopeFacts } from '../scope-facts/scope-facts.ts';
import { billingReports } from './billing-reports.ts';

const ACCOUNT = '2'.repeat(16);
const ENDPOINT = `ep-${'a'.repeat(20)}`;

const open = () => {
  const store = createMemoryStore();
  const scopes = createRepository({ store, clock: systemClock, producer: 'broker' }, scopeFacts, scopeFactsCodec);
  const { handle } = billingReports(scopes, systemClock);
  const say = (subject: string, body: unknown) =>
    handle({
      ...{ subject, headers: {}, deliveryCount: 1 },
      body: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
    });
  const payments = async (scope: string) => (await scopes.fold(scope)).state.payments;
  return { store, say, payments };
};

const report = { source: 'erp', sequence: 1, message: 'invoice 7' };

describe('a billing report on NATS', () => {
  it('is about the account of its subject, or about the resource that it names', async () => {
    const { say, payments } = open();
    await say(`billing.v1.${ACCOUNT}.overdue`, report);
    await say(`billing.v1.${ACCOUNT}.overdue`, { ...report, resource_id: ENDPOINT });
    const recorded = { sequence: 1, overdue: true, actor: 'service:billing', message: 'invoice 7' };
    expect([await payments(ACCOUNT), await payments(ENDPOINT)]).toEqual([{ erp: recorded }, { erp: recorded }]);
  });

  it('counts once, and only when it is newer', async () => {
    const { store, say, payments } = open();
    await say(`billing.v1.${ACCOUNT}.settled`, { ...report, sequence: '3' });
    const before = await store.tail();
    await say(`billing.v1.${ACCOUNT}.settled`, { ...report, sequence: 3 });
    await say(`billing.v1.${ACCOUNT}.overdue`, { ...report, sequence: 3 });
    await say(`billing.v1.${ACCOUNT}.overdue`, { ...report, sequence: 2 });
    expect(await store.tail()).toBe(before);
    expect(await payments(ACCOUNT)).toMatchObject({ erp: { sequence: 3, overdue: false } });
  });

  it.each([
    ['of another subject', `billing.v1.${ACCOUNT}.paid`, report],
    ['of no account', 'billing.v1.acme.overdue', report],
    ['that is no JSON', `billing.v1.${ACCOUNT}.overdue`, '{'],
    ['without a sequence', `billing.v1.${ACCOUNT}.overdue`, { source: 'erp' }],
    ['of the sequence 0', `billing.v1.${ACCOUNT}.overdue`, { ...report, sequence: 0 }],
    ['of a sequence that cannot be kept', `billing.v1.${ACCOUNT}.overdue`, { ...report, sequence: '9007199254740993' }],
    ['of no source', `billing.v1.${ACCOUNT}.overdue`, { ...report, source: '' }],
    ['on no resource', `billing.v1.${ACCOUNT}.overdue`, { ...report, resource_id: 'nlb-1' }],
    ['that says more', `billing.v1.${ACCOUNT}.overdue`, { ...report, amount: 7 }],
  ])('%s is set aside, and nothing is recorded', async (_what, subject, body) => {
    const { store, say } = open();
    await expect(say(subject, body)).rejects.toThrow(InvalidMessage);
    expect(await store.tail()).toBe(0n);
  });
});
