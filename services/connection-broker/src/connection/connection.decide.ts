import type { Decider } from '@privatelink/shared/eventing/decider';
import { assertNever } from '@privatelink/shared/eventing/never';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import {
  acceptedZones,
  bandwidthChange,
  claimedMoves,
  moveZone,
  switchZone,
  update,
  voidPlacement,
} from './connection.changes.ts';
import type { ConnectionCommand, Side } from './connection.commands.ts';
import { evolve } from './connection.evolve.ts';
import { reportProgress, reportZoneHealth } from './connection.progress.ts';
import { type Connection, type ConnectionEvent, initialConnection } from './connection.ts';
import { isEnded, moveBy } from './connection-status.ts';
import { type Fact, factKey } from './holds.ts';
import { type ChangeEvent, moveTo, reasons, settle } from './settle.ts';

export type ConnectionRejection =
  | 'CONNECTION_NOT_FOUND'
  | 'CONNECTION_STATUS_CONFLICT'
  | 'EXPIRE_TIME_PASSED'
  | 'ZONE_NOT_FOUND'
  | 'ZONE_PLACEMENT_ABANDONED'
  | 'BANDWIDTH_UNSUPPORTED'
  | 'LAST_ENABLED_ZONE';

export const connection: Decider<ConnectionCommand, ConnectionEvent, Connection> = {
  category: 'connection',
  initial: initialConnection,
  evolve,
  decide: (command, state, at) => {
    switch (command.type) {
      case 'RequestConnection':
        return state.status === null ? request(command.data, at) : [];
      case 'DeleteConnection':
        return deleteConnection(state, command.data, at);
      case 'AcceptConnection':
        return accept(state, command.data, at);
      case 'RejectConnection': {
        requireManageable(state, 'reject');
        if (state.decision === 'REJECTED' && state.decisionMessage === command.data.message) return [];
        return settle(state, [{ type: 'ConnectionRejected', data: { ...command.data, at, move: null } }], at);
      }
      case 'ExpireApproval':
        return expire(state, command.data.expiresAt, at);
      case 'PauseConnection': {
        requireManageable(state, 'pause');
        const { side, ...data } = command.data;
        if (state.holds[pauseKey(side)]?.message === data.message) return [];
        return settle(
          state,
          [{ type: 'HoldPlaced', data: { ...nextPause(state, side), ...data, at, move: null } }],
          at,
        );
      }
      case 'ResumeConnection': {
        requireManageable(state, 'resume');
        const { side, actor } = command.data;
        if (!(pauseKey(side) in state.holds)) return [];
        const data = { ...nextPause(state, side), actor, message: '', at, move: null };
        return settle(state, [{ type: 'HoldLifted', data }], at);
      }
      case 'EnableZone':
        requireManageable(state, 'enable a zone of');
        return switchZone(state, command.data, true, at);
      case 'DisableZone':
        requireManageable(state, 'disable a zone of');
        return switchZone(state, command.data, false, at);
      case 'SetBandwidth': {
        requireManageable(state, 'set the bandwidth of');
        const { bandwidth, actor } = command.data;
        return settle(state, bandwidthChange(state, bandwidth, actor, at), at);
      }
      case 'PlaceZones': {
        requireManageable(state, 'replace a resource of');
        const { moves, actor } = command.data;
        return settle(state, claimedMoves(state, moves, actor, at), at);
      }
      case 'MoveZone':
        return moveZone(state, command.data, at);
      case 'VoidPlacement':
        return voidPlacement(state, command.data, at);
      case 'RecordZoneUnassigned':
        if (!(command.data.zoneId in state.unreturned)) return [];
        return [{ type: 'ZoneResourceUnassigned', data: { ...command.data, at } }];
      case 'UpdateConnection':
        if (state.status === null) throw notFound(state);
        return update(state, command.data, at);
      case 'RecordEndpointInformed':
        if (command.data.revision <= state.informedRevision) return [];
        return [{ type: 'EndpointInformed', data: { ...command.data, at } }];
      case 'ApplyFacts':
        return applyFacts(state, command.data.facts, at);
      case 'ReportProgress':
        return reportProgress(state, command.data, at);
      case 'ReportZoneHealth':
        return reportZoneHealth(state, command.data, at);
      default:
        return assertNever(command);
    }
  },
};

type DataOf<T extends ConnectionCommand['type']> = Extract<ConnectionCommand, { type: T }>['data'];

const request = (
  { ingress, autoAccept, approvalSeconds, ...data }: DataOf<'RequestConnection'>,
  at: string,
): readonly ConnectionEvent[] => {
  const holds = autoAccept ? [] : ['AWAITING_ACCEPTANCE'];
  const move = moveBy(null, 'requested', autoAccept ? 'CONNECTING' : 'DISCONNECTED', { holds, generation: 1 });
  const requested: readonly ConnectionEvent[] = [
    { type: 'ConnectionRequested', data: { ...data, at, move } },
    ...(ingress ? [{ type: 'IngressChanged', data: { ingress, at } } as const] : []),
  ];
  if (!autoAccept) return requested;
  const expiresAt = approvalSeconds === null ? '' : new Date(Date.parse(at) + approvalSeconds * 1_000).toISOString();
  const accepted = { automatic: true, actor: 'service:broker', message: '', expiresAt, at, move: null };
  return [...requested, { type: 'ConnectionAccepted', data: accepted }];
};

const accept = (state: Connection, command: DataOf<'AcceptConnection'>, at: string): readonly ConnectionEvent[] => {
  requireManageable(state, 'accept');
  const { actor, message, expiresAt, zoneIds, moves, bandwidth } = command;
  const changes = [
    ...acceptedZones(state, zoneIds, actor, at),
    ...claimedMoves(state, moves, actor, at),
    ...bandwidthChange(state, bandwidth, actor, at),
  ];
  const isSame = state.decisionMessage === message && state.expiresAt === expiresAt && changes.length === 0;
  if (state.decision === 'ACCEPTED' && isSame) return [];
  if (expiresAt !== '' && Date.parse(expiresAt) <= Date.parse(at)) {
    const facts = { connection_id: state.endpointId, expire_time: expiresAt, field: 'expire_time' };
    throw new Rejected<ConnectionRejection>('EXPIRE_TIME_PASSED', facts);
  }
  const data = { automatic: false, actor, message, expiresAt, at, move: null };
  return settle(state, [{ type: 'ConnectionAccepted', data }, ...changes], at);
};

/** Of the acceptance that has run out, and no other: a newer decision cancels the expiry. */
const expire = (state: Connection, expiresAt: string, at: string): readonly ConnectionEvent[] => {
  const isAlive = state.status !== null && !isEnded(state.status);
  if (!isAlive || expiresAt === '' || state.expiresAt !== expiresAt || Date.parse(expiresAt) > Date.parse(at))
    return [];
  return settle(state, [{ type: 'ApprovalExpired', data: { at, move: null } }], at);
};

const pauseKey = (side: Side): string => factKey(`PAUSED_BY_${side}`, side.toLowerCase());

/** Pauses are commands: the stream orders them. */
const nextPause = (state: Connection, side: Side) => ({
  reason: `PAUSED_BY_${side}` as const,
  source: side.toLowerCase(),
  revision: (state.seen[pauseKey(side)] ?? 0) + 1,
});

const deleteConnection = (
  state: Connection,
  { endpointId, actor }: Readonly<{ endpointId: string; actor: string }>,
  at: string,
): readonly ConnectionEvent[] => {
  if (state.status === 'DELETING' || state.status === 'GONE') return [];
  if (state.status === null) {
    // The late request for this connection will find it ended.
    const move = moveBy(null, 'endpointDeleted', 'GONE', { holds: [], generation: 0 });
    return [{ type: 'ConnectionDeleted', data: { endpointId, serviceId: '', at, move } }];
  }
  return [{ type: 'DeletionStarted', data: { actor, at, move: moveTo(state, 'endpointDeleted', 'DELETING') } }];
};

/** Commands are refused where nothing they do can have an effect any more; facts never are. */
const requireManageable = (state: Connection, verb: string): void => {
  if (state.status === null || state.status === 'GONE') throw notFound(state);
  if (state.status === 'SERVICE_DELETED' || state.status === 'DELETING') {
    throw new Rejected<ConnectionRejection>('CONNECTION_STATUS_CONFLICT', {
      connection_id: state.endpointId,
      command: verb,
      status: state.status,
      holds: reasons(state).join(','),
      legal: state.status === 'SERVICE_DELETED' ? 'delete the endpoint' : 'none',
    });
  }
};

const notFound = ({ endpointId }: Connection) =>
  new Rejected<ConnectionRejection>('CONNECTION_NOT_FOUND', { connection_id: endpointId });

const applyFacts = (before: Connection, facts: readonly Fact[], at: string): readonly ConnectionEvent[] => {
  if (before.status === null || before.status === 'GONE' || before.status === 'DELETING') return [];
  if (before.status === 'SERVICE_DELETED') return [];
  const deleted = facts.find((fact) => fact.kind === 'serviceDeleted');
  if (deleted) {
    const { revision, actor } = deleted;
    const move = moveTo(before, 'serviceDeleted', 'SERVICE_DELETED');
    return [{ type: 'ServiceDeletionObserved', data: { revision, actor, at, move } }];
  }
  let state = before;
  const events: ChangeEvent[] = [];
  for (const fact of facts) {
    const event = recordFact(state, fact, at);
    if (!event) continue;
    events.push(event);
    state = evolve(state, event);
  }
  return settle(before, events, at);
};

/**
 * Null when the fact is older than what is known of its key. A newer one is recorded also when the hold stays as it
 * is, or else an older one that comes late would still count.
 */
const recordFact = (state: Connection, fact: Fact, at: string): ChangeEvent | null => {
  if (fact.kind === 'serviceDeleted') return null;
  if (fact.kind === 'waitingAccepted') {
    if (state.decision !== 'AWAITING') return null;
    const data = { automatic: true, actor: fact.actor, message: '', expiresAt: '', at, move: null };
    return { type: 'ConnectionAccepted', data };
  }
  const { kind: _kind, placed, ...data } = fact;
  if (fact.revision <= (state.seen[factKey(fact.reason, fact.source)] ?? -1)) return null;
  return { type: placed ? 'HoldPlaced' : 'HoldLifted', data: { ...data, at, move: null } };
};
