import {
  type ConsumerServiceServer,
  type EvaluatePolicyRequest,
  PolicyDecision,
} from '@privatelink/proto/consumer/v1/consumer_service';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { unary } from '@privatelink/shared/grpc/unary';
import { checkText, isId, type Violations } from '@privatelink/shared/grpc/validate';
import { type Evaluation, evaluate } from '../policy/evaluate.ts';
import { readPolicy } from '../policy/read-policy.ts';
import type { ConsumerApiDeps } from './consumer-service.ts';
import { checkMutation, type EndpointChanges } from './endpoint-changes.ts';
import { canonicalPolicy, check, checkPolicy } from './requests.ts';
import { requireEvaluable, requireEvaluableGateway } from './visible.ts';

type PolicyRpcs = Pick<ConsumerServiceServer, 'setEndpointPolicy' | 'evaluatePolicy'>;

const MAX_ACTION = 256;
const MAX_NAME = 2_048;
const MAX_KEYS = 64;

export const policyHandlers = (
  { endpoints, gateways }: ConsumerApiDeps,
  { change, reply }: EndpointChanges,
): PolicyRpcs => {
  const policyOf = async (endpointId: string, rpc: RpcContext): Promise<string> => {
    if (isId(endpointId, 'vpce')) {
      const { state } = await gateways.fold(endpointId);
      requireEvaluableGateway(state, rpc);
      return state.policy;
    }
    const { state } = await endpoints.fold(endpointId);
    requireEvaluable(state, rpc);
    return state.policy;
  };

  return {
    setEndpointPolicy: unary(async (request, rpc) => {
      checkMutation(request, (v) => checkPolicy(v, request.policy));
      const data = { policy: canonicalPolicy(request.policy), actor: rpc.actor };
      return reply(await change(request, { type: 'SetPolicy', data }, rpc));
    }),

    evaluatePolicy: unary(async (request, rpc) => {
      check('', (v) => checkEvaluation(v, request));
      const { decision, statement } = evaluated(await policyOf(request.endpointId, rpc), request);
      return { decision: PolicyDecision[decision], statement };
    }),
  };
};

/** Without a policy everything is allowed. */
const evaluated = (policy: string, request: EvaluatePolicyRequest): Evaluation => {
  if (policy === '') return { decision: 'ALLOWED', statement: undefined };
  const read = readPolicy(policy);
  if (!read.policy) throw new Error('a policy was kept that is none');
  return evaluate(read.policy, request);
};

const checkEvaluation = (v: Violations, request: EvaluatePolicyRequest): void => {
  const { endpointId, action, resource, principal, context } = request;
  const isAny = isId(endpointId, 'ep') || isId(endpointId, 'vpce');
  v.check('endpoint_id', isAny, 'must be ep- or vpce- and 20 characters of [0-9a-z]');
  v.check('action', action !== '', 'must not be empty');
  checkText(v, 'action', action, MAX_ACTION);
  v.check('resource', resource !== '', 'must not be empty');
  checkText(v, 'resource', resource, MAX_NAME);
  checkText(v, 'principal', principal, MAX_NAME);
  const entries = Object.entries(context);
  v.check('context', entries.length <= MAX_KEYS, `must be at most ${MAX_KEYS}`);
  for (const [key, value] of entries.slice(0, MAX_KEYS)) {
    v.check('context', key.length <= MAX_ACTION && value.length <= MAX_NAME, 'has a key or a value that is too long');
  }
};
