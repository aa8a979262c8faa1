import { assertNever } from '@privatelink/shared/eventing/never';
import type { Connection, ConnectionEvent, Names, RequestedZone, Zone } from './connection.ts';
import type { Move } from './connection-status.ts';
import { isOpen } from './forwarding.ts';
import { factKey, type Hold } from './holds.ts';

export const evolve = (connection: Connection, event: ConnectionEvent): Connection => {
  const { at } = event.data;
  const isLater = at > connection.latestAt;
  return { ...change(connection, event), latestAt: isLater ? at : connection.latestAt };
};

const change = (connection: Connection, event: ConnectionEvent): Connection => {
  switch (event.type) {
    case 'ConnectionRequested': {
      const { zones, move, at, ...identity } = event.data;
      const decisionHold: Hold = { reason: 'AWAITING_ACCEPTANCE', source: '', actor: '', message: '', at };
      const bandwidth = identity.bandwidthTerms?.connectBandwidth ?? null;
      const requested = { ...connection, ...identity, bandwidth, createdAt: at, decisionHold };
      const waiting = Object.fromEntries(zones.map((zone) => [zone.zoneId, newZone(zone)]));
      return applyMove({ ...requested, zones: waiting }, move, at);
    }
    case 'ConnectionAccepted': {
      const { message, expiresAt, move, at } = event.data;
      const accepted = { decision: 'ACCEPTED', decisionHold: null, decisionMessage: message, expiresAt } as const;
      return applyMove({ ...connection, ...accepted }, move, at);
    }
    case 'ConnectionRejected': {
      const { actor, message, move, at } = event.data;
      const decisionHold: Hold = { reason: 'REJECTED', source: '', actor, message, at };
      const rejected = { decision: 'REJECTED', decisionHold, decisionMessage: message, expiresAt: '' } as const;
      return applyMove({ ...connection, ...rejected }, move, at);
    }
    case 'ApprovalExpired': {
      const { move, at } = event.data;
      const decisionHold: Hold = { reason: 'APPROVAL_EXPIRED', source: '', actor: '', message: '', at };
      return applyMove({ ...connection, decision: 'EXPIRED', decisionHold, expiresAt: '' }, move, at);
    }
    case 'HoldPlaced': {
      const { reason, source, revision, actor, message, move, at } = event.data;
      const key = factKey(reason, source);
      const holds = { ...connection.holds, [key]: { reason, source, actor, message, at } };
      return applyMove({ ...connection, holds, seen: { ...connection.seen, [key]: revision } }, move, at);
    }
    case 'HoldLifted': {
      const { reason, source, revision, move, at } = event.data;
      const { [factKey(reason, source)]: _lifted, ...holds } = connection.holds;
      const seen = { ...connection.seen, [factKey(reason, source)]: revision };
      return applyMove({ ...connection, holds, seen }, move, at);
    }
    case 'ConnectionUpdated': {
      const { revision, resources } = event.data;
      const known = connection.resources.filter(({ resourceId, zoneId }) =>
        resources.every((newer) => newer.resourceId !== resourceId || newer.zoneId !== zoneId),
      );
      return { ...connection, endpointRevision: revision, resources: [...known, ...resources] };
    }
    case 'EndpointInformed':
      return { ...connection, informedRevision: event.data.revision };
    case 'ZoneAdded': {
      const { zone } = event.data;
      const formerZones = connection.formerZones.filter((zoneId) => zoneId !== zone.zoneId);
      return { ...connection, zones: { ...connection.zones, [zone.zoneId]: newZone(zone) }, formerZones };
    }
    case 'ZoneAddressesChanged': {
      const { zoneId, ipv4, ipv6 } = event.data;
      return withZone(connection, zoneId, { ipv4, ipv6 });
    }
    case 'ZoneRemovalStarted':
      return withZone(connection, event.data.zoneId, { removing: true });
    case 'ZoneRemoved': {
      const { zoneId } = event.data;
      const { [zoneId]: removed, ...zones } = connection.zones;
      const unreturned = removed ? { ...connection.unreturned, [zoneId]: removed.eniId } : connection.unreturned;
      return { ...connection, zones, formerZones: [...connection.formerZones, zoneId], unreturned };
    }
    case 'ZoneResourceUnassigned': {
      const { [event.data.zoneId]: _returned, ...unreturned } = connection.unreturned;
      return { ...connection, unreturned };
    }
    case 'CustomDomainsChanged': {
      const { customDomains } = event.data;
      const former = [...connection.formerDomains, ...connection.customDomains];
      const formerDomains = [...new Set(former)].filter((name) => !customDomains.includes(name));
      return { ...connection, customDomains, formerDomains };
    }
    case 'ZoneAffinityChanged':
      return { ...connection, zoneAffinity: event.data.zoneAffinity };
    case 'BandwidthChanged':
      return { ...connection, bandwidth: event.data.bandwidth };
    case 'TargetsChanged':
      return { ...connection, targets: event.data.targets };
    case 'IngressChanged':
      return { ...connection, ingress: event.data.ingress };
    case 'ZoneEnabled':
      return withZone(connection, event.data.zoneId, { enabled: true });
    case 'ZoneDisabled':
      return withZone(connection, event.data.zoneId, { enabled: false });
    case 'ZoneMigrationStarted': {
      const { zoneId, resource, placement, force } = event.data;
      const zone = connection.zones[zoneId];
      const isConnected = connection.status === 'CONNECTED' || connection.status === 'CHANGING';
      const hasFlows = isConnected && zone && isOpen(zone);
      return withZone(connection, zoneId, {
        ...{ resource, placement, moved: true, migration: hasFlows ? { force, done: false } : null },
      });
    }
    case 'ZoneMigrationCompleted': {
      const { zoneId } = event.data;
      const isForced = connection.zones[zoneId]?.migration?.force;
      return withZone(connection, zoneId, { migration: isForced ? null : { force: false, done: true } });
    }
    case 'ZoneResourceAssigned': {
      const { zoneId, resource, placement } = event.data;
      return withZone(connection, zoneId, { resource, placement });
    }
    case 'ZoneConnected': {
      const { zoneId, generation, forwarder, listeners } = event.data;
      return withZone(connection, zoneId, { forwarding: { state: 'READY', generation }, forwarder, listeners });
    }
    case 'ZoneDisconnected': {
      const { zoneId, generation } = event.data;
      return withZone(connection, zoneId, {
        ...{ forwarding: { state: 'CLOSED', generation }, migration: null, healthy: true, bandwidthKept: true },
      });
    }
    case 'ZoneHealthChanged': {
      const { zoneId, healthy } = event.data;
      return { ...withZone(connection, zoneId, { healthy }), healthRevision: connection.healthRevision + 1 };
    }
    case 'BandwidthKeepingChanged': {
      const { zoneId, kept } = event.data;
      return withZone(connection, zoneId, { bandwidthKept: kept });
    }
    case 'NamesPublished':
      return withNames(connection, 'PUBLISHED', event.data.generation);
    case 'NamesWithdrawn':
      return withNames(connection, 'WITHDRAWN', event.data.generation);
    case 'NamesRemoved':
      return withNames(connection, 'REMOVED', event.data.generation);
    case 'NamesGraceElapsed':
      return { ...connection, namesGraceOver: event.data.generation };
    case 'ServiceDeletionObserved': {
      const { move, at } = event.data;
      return applyMove({ ...connection, teardown: 'PENDING' }, move, at);
    }
    case 'TeardownConfirmed':
      return { ...connection, teardown: 'DONE' };
    case 'ConnectionDeleted': {
      const { endpointId, move, at } = event.data;
      return applyMove({ ...connection, endpointId }, move, at);
    }
    case 'ConnectingStarted':
    case 'ConnectionEstablished':
    case 'ChangeStarted':
    case 'ChangeCompleted':
    case 'DisconnectingStarted':
    case 'ConnectionDisconnected':
    case 'DeletionStarted':
      return applyMove(connection, event.data.move, event.data.at);
    default:
      return assertNever(event);
  }
};

/** The one place where a status changes. */
const applyMove = (connection: Connection, move: Move | null, at: string): Connection => {
  if (!move) return connection;
  const statusAt = move.to === connection.status ? connection.statusAt : at;
  return { ...connection, status: move.to, statusAt, generation: move.generation };
};

/** DNS was told all names of a generation: those of an earlier one are gone. */
const withNames = (connection: Connection, state: Names, generation: number): Connection => ({
  ...connection,
  names: { state, generation, healthRevision: connection.healthRevision },
  formerDomains: [],
});

const newZone = (zone: RequestedZone): Zone => ({
  ...zone,
  ...{
    enabled: true,
    removing: false,
    resource: null,
    placement: 0,
    moved: false,
    migration: null,
    forwarding: null,
    healthy: true,
    bandwidthKept: true,
    forwarder: '',
    listeners: [],
  },
});

const withZone = (connection: Connection, zoneId: string, change: Partial<Zone>): Connection => {
  const zone = connection.zones[zoneId];
  return zone ? { ...connection, zones: { ...connection.zones, [zoneId]: { ...zone, ...change } } } : connection;
};
