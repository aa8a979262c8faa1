import { randomUUID } from 'node:crypto';
import {
  type BrokerServiceServer,
  type Forwarding,
  ForwardingState,
  type ReportForwardingRequest,
  type WatchZoneResponse,
} from '@privatelink/proto/broker/v1/broker_service';
import { ResourceType } from '@privatelink/proto/provider/v1/endpoint_service';
import { Unavailable } from '@privatelink/shared/app/errors';
import { toBandwidth } from '@privatelink/shared/grpc/bandwidth';
import { enumName } from '@privatelink/shared/grpc/enums';
import { serverStream, unary } from '@privatelink/shared/grpc/unary';
import { checkCount, checkId, checkName, checkText, violations } from '@privatelink/shared/grpc/validate';
import { holdLease, type LeaseOptions } from '@privatelink/shared/postgres/lease';
import type { ConnectionCommand } from '../connection/connection.commands.ts';
import { type Connection, isReverse } from '../connection/connection.ts';
import { desiredForwarding, zoneBandwidth } from '../connection/forwarding.ts';
import type { Repositories } from '../repositories.ts';
import { type FollowDeps, followConnections } from './follow-connections.ts';

type ForwardingRpcs = Pick<BrokerServiceServer, 'watchZone' | 'reportForwarding' | 'reportZoneHealth'>;

export type ForwardingDeps = FollowDeps & Pick<LeaseOptions, 'clock' | 'log'>;

const MAX_TEXT = 64;
/** Each port of 100 targets, in two address families. */
const MAX_LISTENERS = 200;

/** What the agents of a zone follow and report. */
export const forwardingHandlers = (deps: ForwardingDeps, connections: Repositories['connections']): ForwardingRpcs => ({
  watchZone: serverStream(async function* (request, rpc): AsyncIterable<WatchZoneResponse> {
    const { zoneId, agent } = request;
    const v = violations();
    checkName(v, 'zone_id', zoneId);
    checkName(v, 'agent', agent);
    v.throwIfAny();
    const turn = takeTurn(deps, { zoneId, agent, signal: rpc.signal });
    try {
      const signal = await turn.mine;
      const options = { where: { zone_ids: zoneId }, signal };
      const told = new Map<string, string>();
      for await (const followed of followConnections(deps, connections, options)) {
        if (followed.kind === 'synced') {
          yield { told: { $case: 'synced', value: true }, position: followed.position };
          continue;
        }
        const forwarding = toForwarding(followed.id, followed.state, zoneId);
        if (!forwarding) continue;
        // Most events of a connection change nothing of its forwarding.
        const text = JSON.stringify(forwarding, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
        if (told.get(followed.id) === text) continue;
        if (forwarding.state === ForwardingState.REMOVED) told.delete(followed.id);
        else told.set(followed.id, text);
        const { position, traceparent } = followed;
        const trace = traceparent !== '' && { traceparent };
        yield { told: { $case: 'forwarding', value: forwarding }, position, ...trace };
      }
      if (!rpc.signal.aborted) throw new Unavailable('ZONE_TAKEN_OVER', 'another agent of the zone has taken over');
    } finally {
      turn.end();
    }
  }),

  reportForwarding: unary(async (request, rpc) => {
    await connections.execute(request.connectionId, toReport(request), rpc.command);
    return {};
  }),

  reportZoneHealth: unary(async ({ connectionId, zoneId, healthy, bandwidthKept = null }, rpc) => {
    const v = violations();
    checkId(v, 'connection_id', connectionId, 'ep');
    checkName(v, 'zone_id', zoneId);
    v.throwIfAny();
    const data = { zoneId, healthy, bandwidthKept };
    await connections.execute(connectionId, { type: 'ReportZoneHealth', data }, rpc.command);
    return {};
  }),
});

/** One agent of a zone at a time, whichever replica of the broker it asks. */
const takeTurn = (
  { db, clock, log }: ForwardingDeps,
  { zoneId, agent, signal }: Readonly<{ zoneId: string; agent: string; signal: AbortSignal }>,
): Readonly<{ mine: Promise<AbortSignal>; end: () => void }> => {
  const ended = new AbortController();
  const mine = Promise.withResolvers<AbortSignal>();
  const wanted = AbortSignal.any([signal, ended.signal]);
  const lease = { db, name: `zone/${zoneId}`, holder: `${agent}/${randomUUID()}`, clock, log, signal: wanted };
  const holding = holdLease(lease, async (held) => {
    mine.resolve(held.signal);
    await new Promise((resolve) => held.signal.addEventListener('abort', resolve, { once: true }));
    ended.abort();
  });
  holding.then(() => mine.resolve(wanted), mine.reject);
  return { mine: mine.promise, end: () => ended.abort() };
};

/** Null where the connection has no interface in the zone. */
const toForwarding = (connectionId: string, state: Connection, zoneId: string): Forwarding | null => {
  const zone = state.zones[zoneId];
  if (!zone) return state.formerZones.includes(zoneId) ? removed(connectionId, state) : null;
  const desired = desiredForwarding(state, zone);
  const { resource, forwarding } = zone;
  return {
    connectionId,
    generation: BigInt(state.generation),
    state: state.status === 'GONE' ? ForwardingState.REMOVED : ForwardingState[desired],
    vpcId: state.vpcId,
    eniId: zone.eniId,
    ipv4Address: zone.ipv4,
    ipv6Address: zone.ipv6,
    resource: resource
      ? { ...resource, targets: [...resource.targets], resourceType: ResourceType.UNSPECIFIED, autoAllocated: true }
      : undefined,
    confirmed: forwarding?.generation === state.generation && forwarding.state === desired,
    listeners: [...zone.listeners],
    endFlows: zone.migration?.force ?? false,
    healthy: zone.healthy,
    bandwidth: toBandwidth(zoneBandwidth(state)),
    bandwidthKept: zone.bandwidthKept,
    reverse: isReverse(state),
    targets: [...state.targets],
    ingress: state.ingress ? { rules: [...state.ingress] } : undefined,
  };
};

/** An interface that the endpoint had here once. */
const removed = (connectionId: string, state: Connection): Forwarding => ({
  ...{
    connectionId,
    generation: BigInt(state.generation),
    state: ForwardingState.REMOVED,
    vpcId: state.vpcId,
    eniId: '',
  },
  ...{
    ipv4Address: '',
    ipv6Address: '',
    resource: undefined,
    confirmed: true,
    listeners: [],
    endFlows: false,
    healthy: true,
    bandwidth: undefined,
    bandwidthKept: true,
    reverse: isReverse(state),
    targets: [],
    ingress: undefined,
  },
});

const toReport = (request: ReportForwardingRequest): ConnectionCommand => {
  const { connectionId, zoneId, generation, forwarder, listeners } = request;
  const v = violations();
  checkId(v, 'connection_id', connectionId, 'ep');
  checkName(v, 'zone_id', zoneId);
  checkCount(v, 'generation', generation);
  checkText(v, 'forwarder', forwarder, MAX_TEXT);
  const state = enumName(ForwardingState, request.state);
  v.check('state', state === 'READY' || state === 'CLOSED', 'must be READY or CLOSED');
  v.check('listeners', listeners.length <= MAX_LISTENERS, `must be at most ${MAX_LISTENERS}`);
  for (const [index, { port, address }] of listeners.slice(0, MAX_LISTENERS).entries()) {
    v.check(`listeners[${index}].port`, port >= 1 && port <= 65_535, 'must be 1 to 65535');
    checkText(v, `listeners[${index}].address`, address, MAX_TEXT);
  }
  v.throwIfAny();
  const zone = { zoneId, state: state === 'READY' ? 'READY' : 'CLOSED', forwarder, listeners } as const;
  const none = { assigned: [], names: null, healthRevision: 0, namesGraceOver: false, factsSeen: null };
  const data = { ...none, zones: [zone] };
  return { type: 'ReportProgress', data: { generation: Number(generation), ...data } };
};
