import { failpoint } from '@privatelink/shared/app/failpoint';
import type { Folded } from '@privatelink/shared/app/fold';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Reactor, WorkResult } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import { valueAt } from '@privatelink/shared/eventing/parted';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { allocationId, endpointZoneOf } from '../allocation/allocation.ts';
import type { ConnectionCommand, Progress } from '../connection/connection.commands.ts';
import { connection as decider } from '../connection/connection.decide.ts';
import { isUpdated } from '../connection/connection.progress.ts';
import { type Connection, type Forwarding, hasNames, type Names } from '../connection/connection.ts';
import { isEnded } from '../connection/connection-status.ts';
import {
  areNamesOutdated,
  isConfirmed,
  isForwarded,
  outstandingNames,
  waitsForNames,
  zoneGoal,
} from '../connection/forwarding.ts';
import type { Fact } from '../connection/holds.ts';
import type { ConsumerPort } from '../dispatch/consumer.ts';
import type { DnsPort } from '../dispatch/dns.ts';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { Repositories } from '../repositories.ts';
import { factsForConnection, scopesOf } from '../scope-facts/facts-for-connection.ts';
import { givingBack } from './giving-back.ts';
import { withoutOffer } from './moving.ts';
import { serviceZones } from './service-zones.ts';

/**
 * The saga of a connection; the connection's own stream is its inbox and outbox.
 *
 * Whatever its status, it has a resource in each zone and reserved names. CONNECTING: the agents of its zones put
 * forwarding in place and report it; what is newly known of the service and the payer is applied once more, then the
 * names appear, and it is CONNECTED. DISCONNECTING, SERVICE_DELETED, DELETING: the names go, then the agents
 * close forwarding, and both are confirmed. GONE: its resources are given back, as a zone's is when it was removed, and
 * the consumer service may release the addresses.
 */
export type ConnectingDeps = Repositories &
  Readonly<{
    dns: DnsPort;
    consumer: ConsumerPort;
    provider: Pick<ProviderPort, 'resourcesOf'>;
    /** `none`: there are no agents, and what they would report is taken for done. */
    forwarding: 'agents' | 'none';
    clock: Clock;
  }>;

const SERVICE = { service: 'broker' } as const;

/** Teardown waits so long for names to go before it closes forwarding. */
const NAMES_GRACE_MS = 300;

type Known = Folded<Connection>;
type Assigned = Progress['assigned'][number];
type Done = { -readonly [K in keyof Progress]: Progress[K] };

export const connecting = (deps: ConnectingDeps): Reactor => {
  const { connections, scopes, allocations, dns, consumer, provider, clock } = deps;
  const { giveBack, giveBackZones, completeMoves } = givingBack(deps);
  const zonesOfService = serviceZones(deps);

  const work = async (connectionId: string, revision: bigint | null): Promise<WorkResult> => {
    for (let atLeast = revision; ; ) {
      const known = await connections.fold(connectionId, atLeast);
      if (known.state.status === 'GONE') await giveBack(known);
      else await giveBackZones(known);
      if (!(await takeStep(known))) {
        await completeMoves(known);
        return untilExpiry(known.state);
      }
      atLeast = known.revision;
    }
  };

  /** An acceptance that runs out is looked at when it does. */
  const untilExpiry = ({ status, expiresAt }: Connection): WorkResult => {
    if (expiresAt === '' || status === null || isEnded(status)) return 'settled';
    return { againMs: Math.max(1, Date.parse(expiresAt) - clock.now().getTime()) };
  };

  /** Does what is outstanding for this status and reports it; false when nothing was. */
  const takeStep = async (known: Known): Promise<boolean> => {
    const { status, expiresAt } = known.state;
    if (status === null || status === 'GONE') return false;
    if (await informEndpoint(known)) return true;
    if (expiresAt !== '' && Date.parse(expiresAt) <= clock.now().getTime() && !isEnded(status)) {
      const { events } = await give(known, { type: 'ExpireApproval', data: { expiresAt } });
      return events.length > 0;
    }
    switch (status) {
      case 'CONNECTED':
        return rename(known);
      case 'CONNECTING':
      case 'CHANGING':
        return connect(known);
      case 'DISCONNECTED':
        return reserve(known);
      case 'DELETING':
        return tearDown(known, 'REMOVED');
      default:
        return tearDown(known, 'WITHDRAWN');
    }
  };

  const connect = async (known: Known): Promise<boolean> => {
    const done = nothingDone(known);
    let held = false;
    await reporting(known, done, async () => {
      let factsSeen: Done['factsSeen'];
      try {
        [{ held, factsSeen }] = await Promise.all([applyFacts(known), assignResources(known, done)]);
        // Agents wait for the resources: those are reported first.
        if (held || (done.assigned.length > 0 && deps.forwarding === 'agents')) return;
        openWithoutAgents(known, done);
        if (!isForwarded(known.state) && done.zones.length === 0) return await reserveFirstNames(known, done);
      } catch (error) {
        await reserveFirstNames(known, done);
        throw error;
      }
      await publishNames(known, done);
      // A hold that comes later is told to the connection, before or after this is reported.
      if (known.state.status === 'CONNECTING' && isClosed(known, done)) done.factsSeen = factsSeen;
    });
    return held || isAny(done);
  };

  /** Zones that are off close after the names have left them. */
  const publishNames = async (known: Known, done: Done): Promise<void> => {
    const isWanted = outstandingNames(known.state) !== null || areNamesOutdated(known.state);
    const published = isWanted ? putNames(known, done, 'PUBLISHED') : Promise.resolve();
    await nobodyWaits(known, done, published);
    closeWithoutAgents(known, done);
    await published;
  };

  /** What answers in the zones has changed, and so what names answer. */
  const rename = async (known: Known): Promise<boolean> => {
    if (!areNamesOutdated(known.state)) return false;
    const done = nothingDone(known);
    await reporting(known, done, () => putNames(known, done, 'PUBLISHED'));
    return true;
  };

  const reserve = async (known: Known): Promise<boolean> => {
    const done = nothingDone(known);
    let held = false;
    await reporting(known, done, async () => {
      const steps = [applyFacts(known), assignResources(known, done), reserveNames(known, done)] as const;
      [{ held }] = await Promise.all(steps);
    });
    return held || isAny(done);
  };

  const tearDown = async (known: Known, names: Names): Promise<boolean> => {
    if (known.state.teardown === 'DONE' && known.state.status === 'SERVICE_DELETED') return false;
    const done = nothingDone(known);
    await reporting(known, done, async () => {
      const withdrawn = outstandingNames(known.state) ? putNames(known, done, names) : Promise.resolve();
      await nobodyWaits(known, done, withdrawn);
      closeWithoutAgents(known, done);
      await withdrawn;
    });
    return isAny(done);
  };

  /** Zones that are to close wait for names only so long. */
  const nobodyWaits = async (known: Known, done: Done, names: Promise<void>): Promise<void> => {
    if (!waitsForNames(known.state)) return;
    const grace = new AbortController();
    await Promise.race([names.catch(() => undefined), clock.sleep(NAMES_GRACE_MS, grace.signal)]);
    grace.abort();
    // Told at once: the names may stay away for long.
    if (done.names === null) await give(known, progress({ ...done, namesGraceOver: true }), 'grace');
  };

  /** The endpoint's owner waits for a change that has arrived here. */
  const informEndpoint = async (known: Known): Promise<boolean> => {
    const { endpointId, endpointRevision: revision, informedRevision } = known.state;
    if (revision <= informedRevision || !isUpdated(known.state)) return false;
    await consumer.confirmConnectionUpdated(endpointId, revision, known.cause);
    await give(known, { type: 'RecordEndpointInformed', data: { revision } });
    return true;
  };

  /** Reports whatever was achieved, also before a failure. */
  const reporting = async (known: Known, done: Done, step: () => Promise<unknown>): Promise<void> => {
    try {
      await step();
    } finally {
      await failpoint('connecting:before-report');
      if (isAny(done)) await give(known, progress(done));
    }
  };

  const assignResources = async (known: Known, done: Done): Promise<void> => {
    const { endpointId, serviceId, serviceVersion, resources, zones } = known.state;
    const lacking = Object.values(zones).filter((zone) => zone.resource === null);
    const assigned = lacking.map(async ({ zoneId }) => {
      const chosen = await zonesOfService.choose(known, zoneId);
      const { id: serviceZone } = chosen;
      const endpointZone = endpointZoneOf(endpointId, zoneId);
      const candidates = resources.filter((resource) => resource.zoneId === serviceZone);
      const id = allocationId(serviceId, serviceZone);
      const resourceIds = candidates.map((resource) => resource.resourceId);
      const data = { endpointZone, serviceVersion, candidates: resourceIds, others: {} };
      const context = processContext(`assign/${endpointZone}`, known, clock.now(), SERVICE);
      const assign = allocations.execute(id, { type: 'AssignResource', data }, context);
      const ledger = await assign.catch((error: unknown) => {
        if (isNoResource(error)) return null;
        throw error;
      });
      const { assigned: taken = {}, placements = {} } = ledger?.latest.state ?? {};
      const resource = candidates.find(({ resourceId }) => resourceId === valueAt(taken, endpointZone));
      const placed = resource && { zoneId, resource, placement: valueAt(placements, endpointZone) ?? 0 };
      const current = placed ?? assignCurrent(known, zoneId, serviceZone);
      const found = await Promise.resolve(current).catch(async (error: unknown) => {
        if (isNoResource(error)) await zonesOfService.forget(known, zoneId, chosen);
        throw error;
      });
      done.assigned = [...done.assigned, found];
    });
    await settleAll(assigned);
  };

  /** What was offered at admission is not there any more: the service may offer others by now. */
  const assignCurrent = async (known: Known, zoneId: string, serviceZone: string): Promise<Assigned> => {
    const { endpointId, serviceId } = known.state;
    const endpointZone = endpointZoneOf(endpointId, zoneId);
    const { version: serviceVersion, resources } = await provider.resourcesOf(serviceId, known.cause);
    const inZone = resources.filter((resource) => resource.zoneId === serviceZone);
    const candidates = inZone.filter(({ autoAllocated }) => autoAllocated).map(({ resourceId }) => resourceId);
    const context = processContext(`assign-at-${serviceVersion}/${endpointZone}`, known, clock.now(), SERVICE);
    const data = { endpointZone, serviceVersion, candidates, others: {} };
    const command = { type: 'AssignResource', data } as const;
    const { latest } = await allocations.execute(allocationId(serviceId, serviceZone), command, context);
    const { assigned, placements } = latest.state;
    const chosen = inZone.find(({ resourceId }) => resourceId === valueAt(assigned, endpointZone));
    if (!chosen) throw new Error(`${endpointZone} is on a resource that its service has not in ${serviceZone}`);
    return { zoneId, resource: withoutOffer(chosen), placement: valueAt(placements, endpointZone) ?? 0 };
  };

  const reserveNames = async (known: Known, done: Done): Promise<void> => {
    const { names, generation } = known.state;
    if (hasNames(known.state) && names?.generation !== generation) await putNames(known, done, 'WITHDRAWN');
  };

  /** Until forwarding is in place the names exist without an answer. */
  const reserveFirstNames = async (known: Known, done: Done): Promise<void> => {
    if (known.state.names === null) await reserveNames(known, done);
  };

  const putNames = async (known: Known, done: Done, names: Names): Promise<void> => {
    await dns.putNames(known.state, names, known.cause);
    done.names = names;
  };

  const openWithoutAgents = (known: Known, done: Done): void => takeForDone(known, done, 'READY');
  const closeWithoutAgents = (known: Known, done: Done): void => takeForDone(known, done, 'CLOSED');

  /** Without agents, what they would report is taken for done. */
  const takeForDone = ({ state }: Known, done: Done, desired: Forwarding): void => {
    if (deps.forwarding === 'agents') return;
    const outstanding = Object.values(state.zones).filter(
      (zone) => zoneGoal(state, zone) === desired && !isConfirmed(state, zone),
    );
    const report = { state: desired, forwarder: 'none', listeners: [] };
    done.zones = [...done.zones, ...outstanding.map(({ zoneId }) => ({ zoneId, ...report }))];
  };

  /** Whether the zones that are off are known to be closed. */
  const isClosed = ({ state }: Known, done: Done): boolean =>
    Object.values(state.zones).every(
      (zone) =>
        zoneGoal(state, zone) === 'READY' ||
        isConfirmed(state, zone) ||
        deps.forwarding === 'none' ||
        done.zones.some(({ zoneId }) => zoneId === zone.zoneId),
    );

  /** Applies what the scopes say now; `held` when that changed something. */
  const applyFacts = async (known: Known): Promise<Readonly<{ held: boolean; factsSeen: Done['factsSeen'] }>> => {
    const facts: Fact[] = [];
    const factsSeen: Record<string, number> = {};
    const readings = scopesOf(known.state).map(async (scope) => {
      const { state } = await scopes.fold(scope);
      factsSeen[scope] = state.version;
      facts.push(...factsForConnection(known.state, scope, state));
    });
    await Promise.all(readings);
    const command = { type: 'ApplyFacts', data: { facts } } as const;
    const isNew = decider.decide(command, known.state, clock.now().toISOString()).length > 0;
    const held = isNew && (await give(known, command)).events.length > 0;
    return { held, factsSeen };
  };

  const give = (known: Known, command: ConnectionCommand, step: string = command.type) =>
    connections.execute(
      known.state.endpointId,
      command,
      processContext(`${step}/${known.state.endpointId}`, known, clock.now(), SERVICE),
    );

  return { name: 'connecting', prefixes: ['connection-'], key: (event) => idOfStream(event.stream), work };
};

const nothingDone = ({ state }: Known): Done => ({
  generation: state.generation,
  assigned: [],
  zones: [],
  names: null,
  healthRevision: state.healthRevision,
  namesGraceOver: false,
  factsSeen: null,
});

const isAny = ({ assigned, zones, names, factsSeen }: Done): boolean =>
  assigned.length > 0 || zones.length > 0 || names !== null || factsSeen !== null;

const progress = (data: Progress): ConnectionCommand => ({ type: 'ReportProgress', data });

/** Waits for all, so that what was achieved is known; then fails if one did. */
const settleAll = async (steps: readonly Promise<void>[]): Promise<void> => {
  for (const result of await Promise.allSettled(steps)) if (result.status === 'rejected') throw result.reason;
};

const isNoResource = (error: unknown): boolean => error instanceof Rejected && error.reason === 'NO_AVAILABLE_RESOURCE';
