import {
  type BrokerServiceServer,
  ReplacementMode,
  type ZoneResource,
} from '@privatelink/proto/broker/v1/broker_service';
import type { Folded } from '@privatelink/shared/app/fold';
import { checkRevision } from '@privatelink/shared/app/plan-batch';
import type { Outcome } from '@privatelink/shared/app/repository';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { instantOf } from '@privatelink/shared/grpc/timestamp';
import { unary } from '@privatelink/shared/grpc/unary';
import {
  checkEnum,
  checkId,
  checkName,
  checkRequestId,
  checkText,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import { requireZone } from '../connection/connection.changes.ts';
import { connection as decider, requireManageable } from '../connection/connection.decide.ts';
import type { Connection, ConnectionCommand, ConnectionEvent, Side } from '../connection/connection.ts';
import type { BrokerApiDeps } from './broker-service.ts';
import { relationsTo, toConnection, viewOf } from './connection-view.ts';
import { createPlacer } from './placement.ts';
import { requireVisible } from './visible.ts';

type DecisionRpcs = Pick<
  BrokerServiceServer,
  | 'acceptConnection'
  | 'rejectConnection'
  | 'pauseConnection'
  | 'resumeConnection'
  | 'enableZoneConnection'
  | 'disableZoneConnection'
  | 'replaceZoneResource'
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
const MAX_ZONES = 10;

const checkZoneResources = (v: Violations, wishes: readonly ZoneResource[]): void => {
  v.check('zone_resources', wishes.length <= MAX_ZONES, `must be at most ${MAX_ZONES}`);
  const zoneIds = wishes.map(({ zoneId }) => zoneId);
  v.check('zone_resources', new Set(zoneIds).size === zoneIds.length, 'must name each zone once');
  for (const [index, { zoneId, resourceId }] of wishes.slice(0, MAX_ZONES).entries()) {
    checkName(v, `zone_resources[${index}].zone_id`, zoneId);
    checkName(v, `zone_resources[${index}].resource_id`, resourceId);
  }
};

/** What the two sides decide about a connection. */
export const decisionHandlers = (deps: BrokerApiDeps): DecisionRpcs => {
  const { connections, tokens, view } = deps;
  const { place } = createPlacer(deps);

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

  /** Which side pauses: of an account that is both, the one that its role speaks for; the consumer when both do. */
  const sideOf = async (connectionId: string, { caller }: RpcContext): Promise<Side> => {
    const { state } = await connections.fold(connectionId);
    const relations = relationsTo(state, caller.accountId);
    return relations.includes('counterpart') && caller.roles.includes('consumer') ? 'CONSUMER' : 'PROVIDER';
  };

  const visible = async (connectionId: string, rpc: RpcContext): Promise<Folded<Connection>> => {
    const folded = await connections.fold(connectionId);
    requireVisible(folded.state, connectionId, rpc);
    return folded;
  };

  /** Before the acceptance, so that it connects to these: unless that would be refused, or was given before. */
  const placeFirst = async (
    { connectionId, expectedRevision }: Decision,
    rpc: RpcContext,
    acceptance: ConnectionCommand,
    wishes: readonly ZoneResource[],
  ): Promise<void> => {
    const folded = await visible(connectionId, rpc);
    if (await connections.recall(connectionId, rpc.command)) return;
    checkRevision(expectedRevision, folded);
    decider.decide(acceptance, folded.state, deps.follow.clock.now().toISOString());
    for (const { zoneId } of wishes) requireZone(folded.state, zoneId);
    for (const { zoneId, resourceId } of wishes) {
      const command = await place(folded.state, { zoneId, resourceId, force: false }, rpc);
      const context = { ...rpc.command, requestId: `${rpc.command.requestId}/move/${zoneId}` };
      if (command) await connections.execute(connectionId, command, context);
    }
  };

  return {
    acceptConnection: unary(async (request, rpc) => {
      const { message, expireTime, zoneIds, zoneResources } = request;
      const expiresAt = expireTime ? instantOf(expireTime) : '';
      const data = { actor: rpc.actor, message, expiresAt: expiresAt ?? '', zoneIds };
      const command = { type: 'AcceptConnection', data } as const;
      const check = (v: Violations): void => {
        withMessage(message)(v);
        v.check('expire_time', expiresAt !== null, 'must be a time');
        v.check('zone_ids', zoneIds.length <= MAX_ZONES, `must be at most ${MAX_ZONES}`);
        for (const [index, zoneId] of zoneIds.slice(0, MAX_ZONES).entries()) checkName(v, `zone_ids[${index}]`, zoneId);
        checkZoneResources(v, zoneResources);
      };
      if (zoneResources.length > 0) {
        checkAll(request, check);
        await placeFirst(request, rpc, command, zoneResources);
      }
      return decide(request, rpc, command, check);
    }),

    rejectConnection: unary((request, rpc) => {
      const data = { actor: rpc.actor, message: request.message };
      return decide(request, rpc, { type: 'RejectConnection', data }, withMessage(request.message));
    }),

    pauseConnection: unary(async (request, rpc) => {
      const { connectionId, message } = request;
      const data = { side: await sideOf(connectionId, rpc), actor: rpc.actor, message };
      return decide(request, rpc, { type: 'PauseConnection', data }, withMessage(message));
    }),

    resumeConnection: unary(async (request, rpc) => {
      const data = { side: await sideOf(request.connectionId, rpc), actor: rpc.actor };
      return decide(request, rpc, { type: 'ResumeConnection', data });
    }),

    replaceZoneResource: unary(async (request, rpc) => {
      const { connectionId, zoneId, resourceId, automatic, expectedRevision } = request;
      checkAll(request, (v) => {
        checkName(v, 'zone_id', zoneId);
        if (!automatic) checkName(v, 'resource_id', resourceId);
        else v.check('resource_id', resourceId === '', 'must be empty');
        if (request.mode !== ReplacementMode.UNSPECIFIED) checkEnum(v, 'mode', request.mode);
      });
      const folded = await visible(connectionId, rpc);
      const before = await connections.recall(connectionId, rpc.command);
      if (before) return reply(before, rpc);
      checkRevision(expectedRevision, folded);
      requireManageable(folded.state, 'replace a resource of');
      requireZone(folded.state, zoneId);
      const wish = { zoneId, resourceId, force: request.mode === ReplacementMode.FORCE };
      const command = await place(folded.state, wish, rpc);
      if (command) return reply(await connections.execute(connectionId, command, rpc.command), rpc);
      return reply({ ...folded, events: [], latest: folded, repeated: false }, rpc);
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
