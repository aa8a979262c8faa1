import type { BrokerServiceServer, ExplainReachabilityRequest } from '@privatelink/proto/broker/v1/broker_service';
import { AddressType, EndpointType } from '@privatelink/proto/common/v1/common';
import { type Obstacle, ObstacleReason } from '@privatelink/proto/common/v1/obstacle';
import { EndpointStatus } from '@privatelink/proto/consumer/v1/endpoint';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { enumName } from '@privatelink/shared/grpc/enums';
import { unary } from '@privatelink/shared/grpc/unary';
import {
  checkAccountId,
  checkEnum,
  checkId,
  checkName,
  checkText,
  checkZoneIds,
  violations,
} from '@privatelink/shared/grpc/validate';
import { connectionObstacles } from '../connection/connection.obstacles.ts';
import type { ExplainedAdmission } from '../dispatch/provider.ts';
import { factsForConnection, scopesOf } from '../scope-facts/facts-for-connection.ts';
import type { BrokerApiDeps } from './broker-service.ts';
import { relationsTo, viewOf } from './connection-view.ts';
import { obstacleOf, toObstacle, withAdvice } from './obstacles.ts';
import { exists, notFound } from './visible.ts';

type ExplainRpcs = Pick<BrokerServiceServer, 'explainReachability'>;

const MAX_NAME = 253;

const check = (request: ExplainReachabilityRequest, rpc: RpcContext): void => {
  const { endpointId, service, accountId, zoneIds } = request;
  const v = violations();
  checkEnum(v, 'endpoint_type', request.endpointType);
  checkEnum(v, 'address_type', request.addressType);
  if (accountId !== '') checkAccountId(v, 'account_id', accountId);
  if (endpointId !== '' || service === '') {
    const isAlone = service === '' && accountId === '' && zoneIds.length === 0;
    const isTyped = request.endpointType !== EndpointType.UNSPECIFIED;
    const isUntyped = !isTyped && request.addressType === AddressType.UNSPECIFIED;
    const isPlaced = request.regionId !== undefined;
    checkId(v, 'endpoint_id', endpointId, 'ep') &&
      v.check('endpoint_id', isAlone && isUntyped && !isPlaced, 'is given alone, or not at all');
  } else {
    v.check('account_id', accountId !== '' || rpc.caller.accountId !== '', 'is required of a caller without one');
  }
  checkText(v, 'service', service, MAX_NAME);
  checkZoneIds(v, 'zone_ids', zoneIds);
  if (request.regionId !== undefined) checkName(v, 'region_id', request.regionId);
  v.throwIfAny();
};

/** Everything that stands in the way, as each side may know it. */
export const explainHandlers = ({ connections, scopes, consumer, provider }: BrokerApiDeps): ExplainRpcs => {
  const ofEndpoint = async (endpointId: string, rpc: RpcContext): Promise<readonly Obstacle[]> => {
    const [{ state }, endpoint] = await Promise.all([
      connections.fold(endpointId),
      consumer.getEndpoint(endpointId, rpc),
    ]);
    const { accountId } = rpc.caller;
    const asOwner = endpoint?.accountId === accountId ? (['counterpart'] as const) : [];
    const relations = exists(state) ? relationsTo(state, accountId) : asOwner;
    if (!(exists(state) || endpoint) || !rpc.allows(relations)) throw notFound(endpointId);
    const view = viewOf(relations);
    const status = enumName(EndpointStatus, endpoint?.status ?? EndpointStatus.UNSPECIFIED) ?? '';
    const notActive = obstacleOf('ENDPOINT_NOT_ACTIVE', endpointId, {
      since: endpoint?.updateTime,
      facts: { status },
    });
    const connected = connectionObstacles(state).map((obstacle) => toObstacle(endpointId, state, obstacle, view));
    return [...(status === 'ACTIVE' ? [] : [notActive]), ...connected];
  };

  const ofAccount = async (request: ExplainReachabilityRequest, rpc: RpcContext): Promise<readonly Obstacle[]> => {
    const { service, zoneIds, regionId } = request;
    const own = rpc.caller.accountId;
    const accountId = request.accountId || own;
    const endpointType = enumName(EndpointType, request.endpointType) ?? 'INTERFACE';
    const addressType = enumName(AddressType, request.addressType) ?? 'IPV4';
    const applicant = { service, accountId, endpointType, addressType, zoneIds, regionId };
    const explained = await provider.explainAdmission(applicant, rpc);
    const isOwner = explained !== null && rpc.allows(explained.serviceAccountId === own ? ['owner'] : []);
    const isListed = explained?.listed === true && accountId === own;
    if (!explained || !(isOwner || isListed)) return [obstacleOf('SERVICE_NOT_FOUND', service)];
    const told = explained.obstacles.map((obstacle) => withAdvice(isOwner ? obstacle : { ...obstacle, message: '' }));
    // Whether somebody pays is nobody else's business who has no endpoint of theirs.
    const mayKnow = ({ reason }: Obstacle): boolean =>
      reason !== ObstacleReason.ENDPOINT_PAYMENT_OVERDUE || accountId === own || rpc.allows();
    return [...told, ...(await paymentsOf(explained, accountId)).filter(mayKnow)];
  };

  /** Bills that would hold a new endpoint at once. */
  const paymentsOf = async (
    { serviceId, serviceAccountId, serviceVersion, payer }: ExplainedAdmission,
    endpointAccountId: string,
  ): Promise<readonly Obstacle[]> => {
    const endpoint = {
      endpointId: '',
      endpointRegion: '',
      endpointAccountId,
      serviceId,
      serviceAccountId,
      serviceVersion,
      payer,
    };
    const concerned = scopesOf(endpoint).filter((scope) => scope !== '');
    const facts = await Promise.all(
      concerned.map(async (scope) => factsForConnection(endpoint, scope, (await scopes.fold(scope)).state)),
    );
    const reasons = facts.flat().flatMap((fact) => (fact.kind === 'hold' && fact.placed ? [fact.reason] : []));
    return [...new Set(reasons)].map((reason) =>
      obstacleOf(reason, reason.startsWith('SERVICE_') ? serviceId : endpointAccountId),
    );
  };

  return {
    explainReachability: unary(async (request, rpc) => {
      check(request, rpc);
      const { endpointId } = request;
      const obstacles = endpointId === '' ? await ofAccount(request, rpc) : await ofEndpoint(endpointId, rpc);
      return { reachable: obstacles.every(({ partial }) => partial), obstacles: [...obstacles] };
    }),
  };
};
