import { Rejected } from '@privatelink/shared/eventing/rejected';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { isId } from '@privatelink/shared/grpc/validate';
import { type EndpointRejection, notFound } from '../endpoint/endpoint.rejections.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { type GatewayEndpoint, gatewayNotFound } from '../gateway-endpoint/gateway-endpoint.ts';
import type { VpcRejection } from '../vpc/vpc.rejections.ts';
import type { Vpc } from '../vpc/vpc.ts';

/** A foreign VPC does not exist for the caller. */
export const requireOwnVpc = (vpc: Vpc, rpc: RpcContext): void => {
  const exists = vpc.accountId !== '' && !vpc.deregistered;
  if (!exists || !rpc.allows(vpc.accountId === rpc.caller.accountId ? ['owner'] : [])) {
    throw new Rejected<VpcRejection>('VPC_NOT_FOUND', { field: 'vpc_id' });
  }
};

/** A foreign endpoint does not exist for the caller; nor does one that is gone, except for deleting it again. */
export const requireOwnEndpoint = (endpoint: Endpoint, rpc: RpcContext, { alsoGone = false } = {}): void => {
  const isThere = exists(endpoint) || (alsoGone && endpoint.status === 'GONE');
  if (!isThere || !rpc.allows(endpoint.accountId === rpc.caller.accountId ? ['owner'] : [])) throw notFound();
};

/** As an endpoint. */
export const requireOwnGateway = (gateway: GatewayEndpoint, rpc: RpcContext, { alsoGone = false } = {}): void => {
  const isThere = exists(gateway) || (alsoGone && gateway.status === 'GONE');
  const relations = gateway.accountId === rpc.caller.accountId ? (['owner'] as const) : [];
  if (!isThere || !rpc.allows(relations)) throw gatewayNotFound();
};

/** Whoever asks for a service like an object store is known by its role alone. */
export const requireEvaluableGateway = (gateway: GatewayEndpoint, rpc: RpcContext): void => {
  const relations = gateway.accountId === rpc.caller.accountId ? (['owner'] as const) : [];
  if (!exists(gateway) || !rpc.allows(relations)) throw notFound();
};

/** Also the service behind the endpoint asks what its policy allows. */
export const requireEvaluable = (endpoint: Endpoint, rpc: RpcContext): void => {
  const { accountId } = rpc.caller;
  const relations = [
    ...(endpoint.accountId === accountId ? (['owner'] as const) : []),
    ...(endpoint.admission.serviceAccountId === accountId ? (['counterpart'] as const) : []),
  ];
  if (!exists(endpoint) || !rpc.allows(relations)) throw notFound();
};

export const exists = ({ status }: Pick<Endpoint, 'status'>): boolean =>
  status !== null && status !== 'ABANDONED' && status !== 'GONE';

/** What cannot be an id is one that does not exist: it is not looked for. */
export const wellFormed = (id: string, prefix: 'vpc' | 'ep'): string => {
  if (isId(id, prefix)) return id;
  const [reason, field] = prefix === 'vpc' ? ['VPC_NOT_FOUND', 'vpc_id'] : ['ENDPOINT_NOT_FOUND', 'endpoint_id'];
  throw new Rejected(reason as VpcRejection | EndpointRejection, { field: field as string });
};
