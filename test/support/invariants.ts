import { connectionTransitions } from '../../services/connection-broker/src/connection/connection-status.ts';
import { endpointTransitions } from '../../services/consumer/src/endpoint/endpoint.ts';
import { gatewayEndpointTransitions } from '../../services/consumer/src/gateway-endpoint/gateway-endpoint.ts';
import { nameSetTransitions } from '../../services/dns/src/name-set/name-set.ts';
import { endpointServiceTransitions } from '../../services/provider/src/endpoint-service/endpoint-service-status.ts';
import { type Category, type EventLog, type Logged, typeOf } from './event-log.ts';
import { routesToNobody } from './route-invariants.ts';

type Row = Readonly<{ from: readonly (string | null)[]; on: string; to: string }>;
const TABLES: Partial<Record<Category, readonly Row[]>> = {
  connection: connectionTransitions,
  endpoint: endpointTransitions,
  gatewayEndpoint: gatewayEndpointTransitions,
  endpointService: endpointServiceTransitions,
  nameSet: nameSetTransitions,
};
const REST_MS = 120_000;

/** Waits for what was started to come to its end, and fails with what is still wrong with the history then. */
export const expectSoundHistory = async (log: EventLog): Promise<void> => {
  await log
    .until((history) => violationsIn(history).length === 0, 'a sound history')
    .catch((error: unknown) => {
      const violations = violationsIn(log.all);
      throw violations.length > 0 ? new Error(violations.join('\n')) : error;
    });
};

/** What is wrong with a history, whatever was done and in which order; nothing, if all is well. */
export const violationsIn = (history: readonly Logged[]): readonly string[] => [
  ...gapsAndRepeats(history),
  ...illegalMoves(history),
  ...addressesGivenTwice(history),
  ...slotsOfNobody(history),
  ...reservationsOfNobody(history),
  ...[...byStream(history, 'vpc').values()].flatMap(routesToNobody),
  ...gatewaysOfNobody(history),
  ...claimsOfNobody(history),
  ...connectedWithoutRight(history),
];

const byStream = (history: readonly Logged[], ...categories: Category[]): ReadonlyMap<string, readonly Logged[]> =>
  Map.groupBy(
    history.filter(({ category }) => categories.length === 0 || categories.includes(category)),
    ({ stream }) => stream,
  );

const gapsAndRepeats = (history: readonly Logged[]): readonly string[] => {
  const gaps = [...byStream(history)].flatMap(([stream, events]) =>
    events.every(({ revision }, index) => revision === BigInt(index))
      ? []
      : [`${stream} has revisions ${events.map(({ revision }) => revision).join(' ')}`],
  );
  const ids = new Set(history.map(({ id }) => id));
  return ids.size === history.length ? gaps : [...gaps, 'an event is recorded twice'];
};

/** Each move starts where the one before it ended, and is a row of the declared table. */
const illegalMoves = (history: readonly Logged[]): readonly string[] =>
  [...byStream(history)].flatMap(([stream, events]) => {
    const table = TABLES[events[0]?.category ?? 'facts'];
    if (!table) return [];
    let status: string | null = null;
    return events.flatMap(({ move }) => {
      if (!move) return [];
      const { from, because, to } = move;
      const legal =
        from === status && table.some((row) => row.on === because && row.to === to && row.from.includes(from));
      const was = status;
      status = to;
      return legal ? [] : [`${stream} is ${was} and moves ${from} --${because}--> ${to}`];
    });
  });

const addressesGivenTwice = (history: readonly Logged[]): readonly string[] =>
  [...byStream(history, 'vpc')].flatMap(([stream, events]) => {
    const held = new Map<string, Readonly<{ endpointId: string; eniId: string; part: unknown }>>();
    const restsUntil = new Map<string, number>();
    const wrong: string[] = [];
    for (const event of events) {
      const at = Date.parse(String(event.data['at']));
      const endpointId = String(event.data['endpointId']);
      const type = typeOf(event);
      const part = event.data['reservationId'];
      if (type === 'ReservationReleased' || type === 'ZoneReleased' || type === 'Ipv6Released') {
        for (const [address, holder] of [...held]) {
          if (holder.endpointId !== endpointId) continue;
          if (type === 'ZoneReleased' && holder.eniId !== event.data['eniId']) continue;
          if (type === 'Ipv6Released' && holder.part !== part) continue;
          held.delete(address);
          restsUntil.set(address, at + REST_MS);
        }
      }
      for (const { address, eniId } of addressesTaken(event)) {
        const holder = held.get(address)?.endpointId;
        if (holder) wrong.push(`${stream} gives ${address} to ${endpointId} while ${holder} has it`);
        if (at < (restsUntil.get(address) ?? 0))
          wrong.push(`${stream} gives ${address} to ${endpointId} while it rests`);
        held.set(address, { endpointId, eniId, part });
      }
    }
    return wrong;
  });

type Taken = Readonly<{ ipv4?: string; ipv6: string; eniId: string }>;
const zonesTaken = (event: Logged): readonly Taken[] => {
  if (typeOf(event) === 'Ipv6Reserved') return event.data['addresses'] as readonly Taken[];
  if (typeOf(event) === 'EndpointReserved') return event.data['zones'] as readonly Taken[];
  return typeOf(event) === 'ZoneReserved' ? [event.data['zone'] as Taken] : [];
};
const addressesTaken = (event: Logged): readonly Readonly<{ address: string; eniId: string }>[] =>
  zonesTaken(event).flatMap(({ ipv4 = '', ipv6, eniId }) =>
    [ipv4, ipv6].filter((address) => address !== '').map((address) => ({ address, eniId })),
  );

/** Endpoints that exist: created, and not gone. */
const existing = (history: readonly Logged[]): ReadonlySet<string> =>
  lastStatusIs(history, 'endpoint', ['CREATING', 'ACTIVE', 'CHANGING', 'DELETING']);

const lastStatusIs = (
  history: readonly Logged[],
  category: Category,
  statuses: readonly string[],
): ReadonlySet<string> =>
  new Set([...lastStatus(history, category)].flatMap(([owner, status]) => (statuses.includes(status) ? [owner] : [])));

const lastStatus = (history: readonly Logged[], category: Category): ReadonlyMap<string, string> =>
  new Map(
    history.flatMap(({ category: of, owner, move }) => (of === category && move ? [[owner, move.to] as const] : [])),
  );

type Claims = Readonly<{ category: Category; of: string; claimed: string; released: string }>;

const claimsLeft = (history: readonly Logged[], { category, of, claimed, released }: Claims): ReadonlySet<string> => {
  const left = new Set<string>();
  for (const event of history) {
    if (event.category !== category) continue;
    const id = String(event.data[of]);
    if (typeOf(event) === claimed) left.add(id);
    if (typeOf(event) === released) left.delete(id);
  }
  return left;
};

const nobodys = (history: readonly Logged[], exist: ReadonlySet<string>, claims: Claims): readonly string[] => {
  const left = claimsLeft(history, claims);
  return [...left].filter((id) => !exist.has(id)).concat([...exist].filter((id) => !left.has(id)));
};

/** Exactly the endpoints that exist have a slot at their service. */
const slotsOfNobody = (history: readonly Logged[]): readonly string[] =>
  nobodys(history, existing(history), {
    ...{ category: 'serviceAdmissions', of: 'endpointId', claimed: 'EndpointAdmitted', released: 'AdmissionReleased' },
  }).map((endpointId) => `${endpointId} has a slot and does not exist, or exists without one`);

/** Exactly the endpoints that exist have addresses. */
const reservationsOfNobody = (history: readonly Logged[]): readonly string[] =>
  nobodys(history, existing(history), {
    ...{ category: 'vpc', of: 'endpointId', claimed: 'EndpointReserved', released: 'ReservationReleased' },
  }).map((endpointId) => `${endpointId} has addresses and does not exist, or exists without them`);

/** Exactly the gateway endpoints that exist have routes. */
const gatewaysOfNobody = (history: readonly Logged[]): readonly string[] => {
  const exist = lastStatusIs(history, 'gatewayEndpoint', ['CREATING', 'ACTIVE', 'CHANGING', 'DELETING']);
  return nobodys(history, exist, {
    ...{ category: 'vpc', of: 'gatewayEndpointId' },
    ...{ claimed: 'GatewayEndpointReserved', released: 'GatewayEndpointReleased' },
  }).map((id) => `${id} has routes and does not exist, or exists without them`);
};

/** Exactly the services that exist count for their accounts. */
const claimsOfNobody = (history: readonly Logged[]): readonly string[] => {
  const exist = lastStatusIs(history, 'endpointService', ['CREATING', 'ACTIVE', 'CHANGING', 'DELETING']);
  return nobodys(history, exist, {
    ...{ category: 'accountServices', of: 'serviceId', claimed: 'ServiceClaimed', released: 'ServiceReleased' },
  }).map((serviceId) => `${serviceId} counts and does not exist, or exists and does not count`);
};

/** Nothing is connected without a service that is there, an acceptance, and an endpoint; nor while it is held. */
const connectedWithoutRight = (history: readonly Logged[]): readonly string[] => {
  const services = lastStatusIs(history, 'endpointService', ['ACTIVE', 'CHANGING']);
  const endpoints = lastStatusIs(history, 'endpoint', ['ACTIVE', 'CHANGING']);
  return [...byStream(history, 'connection')].flatMap(([stream, events]) => {
    const last = events.findLast(({ move }) => move !== null);
    if (last?.move?.to !== 'CONNECTED') return [];
    const decision = events.findLast((event) => /^Connection(Accepted|Rejected)$/.test(typeOf(event)));
    const holds = claimsLeftByKey(events);
    const wrong = [
      services.has(String(events[0]?.data['serviceId'])) ? '' : 'without a service',
      endpoints.has(last.owner) ? '' : 'without an endpoint',
      decision && typeOf(decision) === 'ConnectionAccepted' ? '' : 'without an acceptance',
      holds.length === 0 ? '' : `while held by ${holds.join(', ')}`,
    ].filter((text) => text !== '');
    return wrong.map((text) => `${stream} is CONNECTED ${text}`);
  });
};

const claimsLeftByKey = (events: readonly Logged[]): readonly string[] => {
  const placed = new Set<string>();
  for (const event of events) {
    const key = `${event.data['reason']} of ${event.data['source']}`;
    if (typeOf(event) === 'HoldPlaced') placed.add(key);
    if (typeOf(event) === 'HoldLifted') placed.delete(key);
  }
  return [...placed];
};
