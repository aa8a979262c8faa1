import type {
  BrokerServiceServer,
  ReportPaymentOverdueRequest,
  ReportPaymentSettledRequest,
} from '@privatelink/proto/broker/v1/broker_service';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { unary } from '@privatelink/shared/grpc/unary';
import {
  checkRequestId,
  checkText,
  isAccountId,
  isId,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import type { BrokerApiDeps } from './broker-service.ts';

type Report = ReportPaymentOverdueRequest | ReportPaymentSettledRequest;

const MAX_MESSAGE = 256;
const MAX_SEQUENCE = BigInt(Number.MAX_SAFE_INTEGER);

/** What a report says, by whatever way it comes. */
export const checkReport = (v: Violations, { source, scope, sequence, message }: Omit<Report, 'requestId'>): void => {
  v.check('source', /^[a-z0-9-]{1,64}$/.test(source), 'must be 1 to 64 characters of [a-z0-9-]');
  v.check('sequence', sequence >= 1n && sequence <= MAX_SEQUENCE, 'must be at least 1');
  checkText(v, 'message', message, MAX_MESSAGE);
  const { value = '', $case } = scope?.scope ?? {};
  if ($case === 'accountId') v.check('scope.account_id', isAccountId(value), 'must be 16 digits');
  else v.check('scope.resource_id', isId(value, 'ep') || isId(value, 'epsrv'), 'must be an endpoint or a service id');
};

/** Reports of payments, each recorded in the stream of its scope before any connection hears of it. */
export const billingHandlers = ({
  scopes,
  tokens,
}: BrokerApiDeps): Pick<BrokerServiceServer, 'reportPaymentOverdue' | 'reportPaymentSettled'> => {
  const report = async (request: Report, overdue: boolean, rpc: RpcContext) => {
    const scope = request.scope?.scope?.value ?? '';
    const v = violations();
    checkRequestId(v, request.requestId);
    checkReport(v, request);
    v.throwIfAny();
    const { source, message } = request;
    const data = { overdue, source, sequence: Number(request.sequence), actor: rpc.actor, message };
    const { revision, latest } = await scopes.execute(scope, { type: 'ReportPayment', data }, rpc.command);
    return { revision: revision ?? 0n, consistencyToken: tokens.issue(latest.position) };
  };
  return {
    reportPaymentOverdue: unary((request, rpc) => report(request, true, rpc)),
    reportPaymentSettled: unary((request, rpc) => report(request, false, rpc)),
  };
};
