import {
  type BrokerServiceServer,
  ReplacementMode,
  type ZoneResource,
} from '@privatelink/proto/broker/v1/broker_service';
import { ConnectionSide } from '@privatelink/proto/broker/v1/connection';
import { failpoint } from '@privatelink/shared/app/failpoint';
import { checkRevision } from '@privatelink/shared/app/plan-batch';
import type { Outcome } from '@privatelink/shared/app/repository';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { checkBandwidth, fromBandwidth } from '@privatelink/shared/grpc/bandwidth';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { enumName } from '@privatelink/shared/grpc/enums';
import { instantOf } from '@privatelink/shared/grpc/timestamp';
import { unary } from '@privatelink/shared/grpc/unary';
import {
  checkEnum,
  checkId,
  checkName,
  checkRequestId,
  checkText,
  checkZoneIds,
  MAX_ZONES,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import type { AllocationRejection } from '../allocation/allocation.ts';
import { requireZone } from '../connection/connection.changes.ts';
import type { ConnectionCommand, Side, ZoneMove } from '../connection/connection.commands.ts';
import { connection as decider } from '../connection/connection.decide.ts';
import type { Connection, ConnectionEvent } from '../connection/connection.ts';
import type { BrokerApiDeps } from './broker-service.ts';
import { relationsTo, toConnection, viewOf } from './connection-view.ts';
import { createPlacer, type Wish } from './placement.ts';
import { requireVisible, visibleIn } from './visible.ts';

type DecisionRpcs = Pick<
  BrokerServiceServer,
  | 'acceptConnection'
  | 'rejectConnection'
  | 'pauseConnection'
  | 'resumeConnection'
  | 'enableZoneConnection'
  | 'disableZoneConnection'
  | 'replaceZoneResource'
  | 'setConnectionBandwidth'
>;

type Decision = Readonly<{ requestId: string; connectionId: string; expectedRevision?: bigint | undefined }>;

const checkAll = (request: Decision, check: (v: Violations) => void): void => {
  const v = violations();
  checkRequestId(v, request.requestId);
  checkId(v, 'connection_id', request.connectionId, 'ep');
  check(v);
  v.throwIfAny();
};

const MAX_MESSAGE = 256;

const RELATION = { CONSUMER: 'counterpart', PROVIDER: 'owner' } as const;

const checkZoneResources = (v: Violations, wishes: readonly ZoneResource[]): void => {
  v.check('zone_resources', wishes.length <= MAX_ZONES, `must be at most ${MAX_ZONES}`);
  const zoneIds = wishes.map(({ zoneId }) => zoneId);
  v.check('zone_resources', new Set(zoneIds).size === zoneIds.length, 'must name each zone once');
  for (const [index, { zoneId, resourceId }] of wishes.slice(0, MAX_ZONES).entries()) {
    checkName(v, `zone_resources[${index}].zone_id`, zoneId);
    checkName(v, `zone_resources[${index}].resource_id`, resourceId);
  }
};

/** @throws Rejected when the zone is not there, or has no resource yet */
const requirePlaced = (state: Connection, zoneId: string): void => {
  if (requireZone(state, zoneId).resource) return;
  throw new Rejected<AllocationRejection>('ZONE_NOT_PLACED', { endpoint_id: state.endpointId });
};

/** What the two sides decide about a connection. */
export const decisionHandlers = (deps: BrokerApiDeps): DecisionRpcs => {
  const { connections, tokens, view } = deps;
  const { claim, release } = createPlacer(deps);

  const decide = async (
    request: Decision,
    rpc: RpcContext,
    command: ConnectionCommand,
    check: (v: Violations) => void = () => undefined,
  ) => {
    checkAll(request, check);
    const outcome: Outcome<ConnectionEvent, Connection> = await connections.execute(
      request.connectionId,
      command,
      rpc.command,
      {
        expectedRevision: request.expectedRevision,
        guard: ({ state }) => requireVisible(state, request.connectionId, rpc),
      },
    );
    return reply(outcome, rpc);
  };

  const reply = (outcome: Outcome<ConnectionEvent, Connection>, rpc: RpcContext) => {
    const revision = outcome.revision ?? 0n;
    const seenBy = viewOf(relationsTo(outcome.state, rpc.caller.accountId));
    return {
      connection: toConnection(outcome.state, revision, seenBy, view),
      revision,
      consistencyToken: tokens.issue(outcome.latest.position),
    };
  };
  const withMessage = (message: string) => (v: Violations) => checkText(v, 'message', message, MAX_MESSAGE);
  const withZone = (zoneId: string) => (v: Violations) => checkName(v, 'zone_id', zoneId);

  /** Whose pause it is: of an account that is both sides, unless said, its role's; the consumer's when it has both. */
  const sideOf = async (
    request: Decision & Readonly<{ side?: ConnectionSide | undefined }>,
    rpc: RpcContext,
  ): Promise<Side> => {
    const { state } = await connections.fold(request.connectionId);
    const own = relationsTo(state, rpc.caller.accountId);
    const said = enumName(ConnectionSide, request.side ?? ConnectionSide.UNSPECIFIED);
    const v = violations();
    if (request.side) checkEnum(v, 'side', request.side);
    if (own.length === 0 && rpc.allows()) v.check('side', said !== undefined, 'is required of an operator');
    if (own.length > 0 && said) v.check('side', own.includes(RELATION[said]), "must be the caller's own");
    v.throwIfAny();
    return said ?? (own.includes('counterpart') && rpc.caller.roles.includes('consumer') ? 'CONSUMER' : 'PROVIDER');
  };

  /** Claims the places first, then gives the one command that is all of it; if that fails, the claims are given back. */
  const placeAnd = async (
    request: Decision,
    rpc: RpcContext,
    wishes: readonly Wish[],
    commandOf: (moves: readonly ZoneMove[]) => ConnectionCommand,
  ) => {
    const { connectionId, expectedRevision } = request;
    const folded = await visibleIn(connections)(connectionId, rpc);
    const before = await connections.recall(connectionId, rpc.command);
    if (before) return reply(before, rpc);
    checkRevision(expectedRevision, folded);
    // What would be refused anyhow claims nothing.
    decider.decide(commandOf([]), folded.state, deps.follow.clock.now().toISOString());
    for (const { zoneId } of wishes) requirePlaced(folded.state, zoneId);
    const claims: ZoneMove[] = [];
    try {
      for (const wish of wishes) claims.push(await claim(folded.state, wish, rpc));
      await failpoint('placing:after-claim');
      return reply(await connections.execute(connectionId, commandOf(claims), rpc.command, { expectedRevision }), rpc);
    } catch (error) {
      // What cannot be given back now is when the claim runs out.
      for (const claimed of claims) await release(folded.state, claimed, rpc).catch(() => undefined);
      throw error;
    }
  };

  return {
    acceptConnection: unary(async (request, rpc) => {
      const { message, expireTime, zoneIds, zoneResources } = request;
      const expiresAt = expireTime ? instantOf(expireTime) : '';
      const data = {
        actor: rpc.actor,
        message,
        expiresAt: expiresAt ?? '',
        zoneIds,
        bandwidth: fromBandwidth(request.bandwidth),
      };
      const commandOf = (moves: readonly ZoneMove[]) =>
        ({ type: 'AcceptConnection', data: { ...data, moves } }) as const;
      const check = (v: Violations): void => {
        withMessage(message)(v);
        v.check('expire_time', expiresAt !== null, 'must be a time');
        checkZoneIds(v, 'zone_ids', zoneIds);
        checkZoneResources(v, zoneResources);
        checkBandwidth(v, 'bandwidth', request.bandwidth);
      };
      if (zoneResources.length === 0) return decide(request, rpc, commandOf([]), check);
      checkAll(request, check);
      const wishes = zoneResources.map(({ zoneId, resourceId }) => ({ zoneId, resourceId, force: false }));
      return placeAnd(request, rpc, wishes, commandOf);
    }),

    rejectConnection: unary((request, rpc) => {
      const data = { actor: rpc.actor, message: request.message };
      return decide(request, rpc, { type: 'RejectConnection', data }, withMessage(request.message));
    }),

    pauseConnection: unary(async (request, rpc) => {
      const { message } = request;
      const data = { side: await sideOf(request, rpc), actor: rpc.actor, message };
      return decide(request, rpc, { type: 'PauseConnection', data }, withMessage(message));
    }),

    resumeConnection: unary(async (request, rpc) => {
      const data = { side: await sideOf(request, rpc), actor: rpc.actor };
      return decide(request, rpc, { type: 'ResumeConnection', data });
    }),

    replaceZoneResource: unary(async (request, rpc) => {
      const { zoneId, resourceId, automatic } = request;
      checkAll(request, (v) => {
        checkName(v, 'zone_id', zoneId);
        if (!automatic) checkName(v, 'resource_id', resourceId);
        else v.check('resource_id', resourceId === '', 'must be empty');
        if (request.mode !== ReplacementMode.UNSPECIFIED) checkEnum(v, 'mode', request.mode);
      });
      const wish = { zoneId, resourceId, force: request.mode === ReplacementMode.FORCE };
      const commandOf = (moves: readonly ZoneMove[]) =>
        ({ type: 'PlaceZones', data: { moves, actor: rpc.actor } }) as const;
      return placeAnd(request, rpc, [wish], commandOf);
    }),

    setConnectionBandwidth: unary((request, rpc) => {
      const bandwidth = fromBandwidth(request.bandwidth) ?? { mode: 'SCALABILITY', limitMbps: 0 };
      return decide(request, rpc, { type: 'SetBandwidth', data: { bandwidth, actor: rpc.actor } }, (v) => {
        v.check('bandwidth', request.bandwidth !== undefined, 'is required');
        checkBandwidth(v, 'bandwidth', request.bandwidth);
      });
    }),

    enableZoneConnection: unary((request, rpc) => {
      const data = { zoneId: request.zoneId, actor: rpc.actor };
      return decide(request, rpc, { type: 'EnableZone', data }, withZone(request.zoneId));
    }),

    disableZoneConnection: unary((request, rpc) => {
      const data = { zoneId: request.zoneId, actor: rpc.actor };
      return decide(request, rpc, { type: 'DisableZone', data }, withZone(request.zoneId));
    }),
  };
};
