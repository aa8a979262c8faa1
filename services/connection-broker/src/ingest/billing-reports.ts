import { randomUUID } from 'node:crypto';
import type { BillingScope } from '@privatelink/proto/broker/v1/broker_service';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { violations } from '@privatelink/shared/grpc/validate';
import { type Consumer, InvalidMessage } from '@privatelink/shared/nats/consumer';
import type { IncomingMessage } from '@privatelink/shared/nats/incoming-message';
import { z } from 'zod';
import { checkReport } from '../api/billing-handlers.ts';
import type { Repositories } from '../repositories.ts';

/** `billing.v1.<account>.overdue` and `.settled`: the account is the scope unless the report names a resource. */
const SUBJECT = /^billing\.v1\.(\d{16})\.(overdue|settled)$/;

const reportSchema = z.strictObject({
  source: z.string(),
  sequence: z.union([z.number().int().nonnegative(), z.string().regex(/^\d+$/)]).transform(BigInt),
  resource_id: z.string().optional(),
  message: z.string().default(''),
});

const PATIENCE_MS = 30_000;

/** Takes in what billing announces, as `ReportPaymentOverdue` and `ReportPaymentSettled` do. In JSON. */
export const billingReports = (scopes: Repositories['scopes'], clock: Clock): Consumer => ({
  durable: 'broker__billing_reports',
  stream: 'BILLING',
  filterSubject: 'billing.v1.>',
  handle: async (message) => {
    const { scope, overdue, source, sequence, text } = readReport(message);
    const data = { overdue, source, sequence, actor: 'service:billing', message: text };
    // A repeat is the same request, and one of the same number that says something else is not a newer one.
    const requestId = `billing/${source}/${scope}/${sequence}`;
    const context: CommandContext = {
      ...{ actor: 'service:billing', accountId: '', requestId, fingerprint: requestId },
      ...{ correlationId: message.headers['correlation-id'] ?? randomUUID(), causationId: '' },
      deadline: clock.now().getTime() + PATIENCE_MS,
    };
    await scopes.execute(scope, { type: 'ReportPayment', data }, context);
  },
});

const readReport = ({ subject, body }: Pick<IncomingMessage, 'subject' | 'body'>) => {
  const [, account = '', said] = SUBJECT.exec(subject) ?? [];
  if (said === undefined) throw new InvalidMessage(`${subject} is not billing.v1.<account>.overdue or .settled`);
  const parsed = reportSchema.safeParse(readJson(body));
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new InvalidMessage(`${subject} carries no report: ${issues.join('; ')}`);
  }
  const { source, sequence, resource_id: resourceId, message } = parsed.data;
  const scope: BillingScope['scope'] = resourceId
    ? { $case: 'resourceId', value: resourceId }
    : { $case: 'accountId', value: account };
  const v = violations();
  checkReport(v, { source, sequence, message, scope: { scope } });
  try {
    v.throwIfAny();
  } catch (cause) {
    throw new InvalidMessage(`${subject}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  return { scope: scope.value, overdue: said === 'overdue', source, sequence: Number(sequence), text: message };
};

const readJson = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
};
