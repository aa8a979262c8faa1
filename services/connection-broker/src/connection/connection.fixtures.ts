import type { ConnectionCommand, Progress, Side } from './connection.commands.ts';
import type { ConnectionEvent, RequestedZone, Target } from './connection.ts';
import type { ConnectionStatus, Move, On } from './connection-status.ts';
import type { Fact, FactReason, HoldFact } from './holds.ts';

/** Histories of one connection, by hand: an endpoint in the zones `h` and `i`. For tests. */

export const at = '2026-01-02T03:04:05.000Z';
const endpointId = 'ep-1';
const serviceId = 'epsrv-1';

const identity = {
  endpointId,
  endpointAccountId: '2000000000000002',
  vpcId: 'vpc-1',
  endpointRegion: 'cn-hangzhou',
  endpointType: 'INTERFACE',
  serviceId,
  serviceName: 'com.privatelink.cn-hangzhou.epsrv-1',
  serviceAccountId: '1000000000000001',
  serviceRegion: 'cn-hangzhou',
  serviceVersion: 4,
  payer: 'ENDPOINT',
} as const;

export const resource = (zoneId: string, resourceId = `nlb-${zoneId}`) => ({
  resourceId,
  zoneId,
  targets: [{ ip: '10.0.0.10', port: 443 }],
  vpcId: '',
  proxyProtocol: false,
});

export const wanted = {
  ...identity,
  zones: [
    { zoneId: 'h', eniId: 'eni-h', ipv4: '10.1.0.5', ipv6: '' },
    { zoneId: 'i', eniId: 'eni-i', ipv4: '10.1.1.5', ipv6: '' },
  ],
  resources: [resource('h'), resource('i')],
  customDomains: [] as readonly string[],
  zoneAffinity: false,
  targets: [] as readonly Target[],
  bandwidthTerms: {
    connectBandwidth: { mode: 'SCALABILITY', limitMbps: 0 },
    modes: ['SCALABILITY', 'BANDWIDTH_LIMIT'],
    minMbps: 100,
    maxMbps: 50_000,
  },
} as const;

export const request = (autoAccept: boolean): ConnectionCommand => ({
  type: 'RequestConnection',
  data: { ...wanted, ingress: null, autoAccept, approvalSeconds: null },
});
export const accept = (message = 'yes', expiresAt = '', ...zoneIds: readonly string[]): ConnectionCommand => ({
  type: 'AcceptConnection',
  data: { actor: 'user:paula', message, expiresAt, zoneIds, moves: [], bandwidth: null },
});
export const pause = (side: Side, message = 'hold on'): ConnectionCommand => ({
  type: 'PauseConnection',
  data: { side, actor: 'user:carl', message },
});
export const resume = (side: Side): ConnectionCommand => ({
  type: 'ResumeConnection',
  data: { side, actor: 'user:carl' },
});
export const switched = (type: 'EnableZone' | 'DisableZone', zoneId: string): ConnectionCommand => ({
  type,
  data: { zoneId, actor: 'user:paula' },
});
export const moved = (zoneId: string, resourceId: string, placement: number, force = false): ConnectionCommand => ({
  type: 'MoveZone',
  data: { zoneId, resource: resource(zoneId, resourceId), placement, force, actor: 'user:paula' },
});
export const requestedZone = (zoneId: string): RequestedZone => ({
  ...{ zoneId, eniId: `eni-${zoneId}`, ipv4: zoneId === 'h' ? '10.1.0.5' : '10.1.1.5', ipv6: '' },
});
/** The endpoint in these zones, at a revision of its own. */
export const updated = (
  revision: number,
  zoneIds: readonly string[],
  securityLocked = false,
  customDomains: readonly string[] = [],
  zoneAffinity = false,
): ConnectionCommand => ({
  type: 'UpdateConnection',
  data: {
    ...{
      revision,
      securityLocked,
      customDomains,
      zoneAffinity,
      targets: [],
      ingress: null,
      actor: 'user:carl',
      message: securityLocked ? 'abuse' : '',
    },
    zones: zoneIds.map(requestedZone),
    resources: zoneIds.map((zoneId) => resource(zoneId)),
  },
});
export const reject = (message = 'no'): ConnectionCommand => ({
  type: 'RejectConnection',
  data: { actor: 'user:paula', message },
});
export const remove: ConnectionCommand = { type: 'DeleteConnection', data: { endpointId, actor: 'user:carl' } };
export const apply = (...facts: readonly Fact[]): ConnectionCommand => ({ type: 'ApplyFacts', data: { facts } });
export const report = (generation: number, progress: Partial<Progress> = {}): ConnectionCommand => ({
  type: 'ReportProgress',
  data: {
    ...{ generation, assigned: [], zones: [], names: null, healthRevision: 0, namesGraceOver: false, factsSeen: {} },
    ...progress,
  },
});
export const zone = (zoneId: string, state: 'READY' | 'CLOSED'): Progress['zones'][number] => ({
  zoneId,
  state,
  forwarder: 'haproxy/loopback',
  listeners: state === 'READY' ? [{ port: 443, address: '127.64.0.1:443' }] : [],
});
export const zones = (state: 'READY' | 'CLOSED'): Progress['zones'] => [zone('h', state), zone('i', state)];

const hold =
  (placed: boolean) =>
  (revision: number, source = 'billing:ep-1', reason: FactReason = 'ENDPOINT_PAYMENT_OVERDUE'): HoldFact => ({
    kind: 'hold',
    reason,
    source,
    placed,
    revision,
    actor: 'user:bill',
    message: 'invoice 7',
  });
export const placed = hold(true);
export const lifted = hold(false);
export const waitingAccepted = (revision: number): Fact => ({ kind: 'waitingAccepted', revision, actor: 'user:paula' });
export const serviceDeleted: Fact = { kind: 'serviceDeleted', revision: 9, actor: 'user:paula' };

export const move = (
  from: ConnectionStatus | null,
  because: On,
  to: ConnectionStatus,
  generation: number,
  ...holds: readonly string[]
): Move => ({ from, to, because, generation, holds });

export const requestedAs = (to: 'CONNECTING' | 'DISCONNECTED', ...holds: readonly string[]): ConnectionEvent => ({
  type: 'ConnectionRequested',
  data: { ...wanted, at, move: move(null, 'requested', to, 1, ...holds) },
});
export const acceptedAs = (recordedMove: Move | null, message = 'yes', automatic = false): ConnectionEvent => ({
  type: 'ConnectionAccepted',
  data: {
    automatic,
    actor: automatic ? 'service:broker' : 'user:paula',
    message,
    expiresAt: '',
    at,
    move: recordedMove,
  },
});
export const rejectedAs = (recordedMove: Move | null, message = 'no'): ConnectionEvent => ({
  type: 'ConnectionRejected',
  data: { actor: 'user:paula', message, at, move: recordedMove },
});
export const holdAs = ({ kind: _kind, placed: isPlaced, ...fact }: HoldFact, recorded: Move | null) =>
  ({ type: isPlaced ? 'HoldPlaced' : 'HoldLifted', data: { ...fact, at, move: recorded } }) as ConnectionEvent;
export const zonesAs = (type: 'ZoneConnected' | 'ZoneDisconnected', generation: number): readonly ConnectionEvent[] =>
  type === 'ZoneDisconnected'
    ? ['h', 'i'].map((zoneId) => ({ type, data: { zoneId, generation, at } }))
    : zones('READY').map(({ state: _ready, ...zone }) => ({ type, data: { ...zone, generation, at } }));
export const namesAs = (
  type: 'NamesPublished' | 'NamesWithdrawn' | 'NamesRemoved',
  generation: number,
): ConnectionEvent => ({ type, data: { generation, at } });
export const movedAs = (
  type: 'ConnectingStarted' | 'DisconnectingStarted' | 'ConnectionDisconnected',
  recorded: Move,
): ConnectionEvent => ({ type, data: { at, move: recorded } });

const OVERDUE = 'ENDPOINT_PAYMENT_OVERDUE';

/** By the status that each leads to. */
export const awaiting = [requestedAs('DISCONNECTED', 'AWAITING_ACCEPTANCE')];
export const connecting = [requestedAs('CONNECTING'), acceptedAs(null, '', true)];
export const connected: readonly ConnectionEvent[] = [
  ...connecting,
  ...zonesAs('ZoneConnected', 1),
  namesAs('NamesPublished', 1),
  {
    type: 'ConnectionEstablished',
    data: { factsSeen: {}, at, move: move('CONNECTING', 'confirmed', 'CONNECTED', 1) },
  },
];
export const disconnecting: readonly ConnectionEvent[] = [
  ...connected,
  holdAs(placed(1), null),
  movedAs('DisconnectingStarted', move('CONNECTED', 'firstHoldPlaced', 'DISCONNECTING', 2, OVERDUE)),
];
export const disconnected: readonly ConnectionEvent[] = [
  ...disconnecting,
  ...zonesAs('ZoneDisconnected', 2),
  namesAs('NamesWithdrawn', 2),
  movedAs('ConnectionDisconnected', move('DISCONNECTING', 'tornDown', 'DISCONNECTED', 2, OVERDUE)),
];
export const ofDeletedService: readonly ConnectionEvent[] = [
  ...connected,
  {
    type: 'ServiceDeletionObserved',
    data: {
      revision: 9,
      actor: 'user:paula',
      at,
      move: move('CONNECTED', 'serviceDeleted', 'SERVICE_DELETED', 2),
    },
  },
];
export const deleting: readonly ConnectionEvent[] = [
  ...connected,
  {
    type: 'DeletionStarted',
    data: { actor: 'user:carl', at, move: move('CONNECTED', 'endpointDeleted', 'DELETING', 2) },
  },
];
export const gone: readonly ConnectionEvent[] = [
  ...deleting,
  ...zonesAs('ZoneDisconnected', 2),
  namesAs('NamesRemoved', 2),
  { type: 'ConnectionDeleted', data: { endpointId, serviceId, at, move: move('DELETING', 'tornDown', 'GONE', 2) } },
];
