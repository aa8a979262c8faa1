import { absent, advance, type Folded } from '@privatelink/shared/app/fold';
import { categoryOfStream, evolveAll, idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { connectionCodec } from '../../../services/connection-broker/src/connection/connection.codec.ts';
import { connection as decider } from '../../../services/connection-broker/src/connection/connection.decide.ts';
import { connectionObstacles } from '../../../services/connection-broker/src/connection/connection.obstacles.ts';
import type { Connection } from '../../../services/connection-broker/src/connection/connection.ts';
import { isServing } from '../../../services/connection-broker/src/connection/forwarding.ts';
import { isWanted } from '../../../services/connection-broker/src/connection/holds.ts';
import { factsForConnection } from '../../../services/connection-broker/src/scope-facts/facts-for-connection.ts';
import { scopeFactsCodec } from '../../../services/connection-broker/src/scope-facts/scope-facts.codec.ts';
import { type ScopeFacts, scopeFacts } from '../../../services/connection-broker/src/scope-facts/scope-facts.ts';
import { typeOf } from '../../support/event-log.ts';

/** One event, with what is known when it is recorded. */
type Moment = Readonly<{
  event: StoredEvent;
  category: string;
  id: string;
  type: string;
  data: Readonly<Record<string, unknown>>;
  /** Any connection as it is after the event. */
  connectionOf: (id: string) => Connection | undefined;
  /** Nothing else was recorded with it. */
  isEndOfAppend: boolean;
}>;

/** Sees every moment in order, and says what is wrong with it. */
type Watcher = (moment: Moment) => readonly string[];

/** What must hold at every moment, and not only in the end. */
export const momentsWrong = (history: readonly StoredEvent[]): readonly string[] => {
  const watchers = [statusFollowsHolds, isExplained, nothingEndsEarly(), establishedByRight(), numbersRise()];
  const rules = { decider, codec: connectionCodec } as unknown as Parameters<typeof advance<never, Connection>>[0];
  const connections = new Map<string, Folded<Connection>>();
  return history.flatMap((event, index) => {
    const [category, id] = [categoryOfStream(event.stream), idOfStream(event.stream)];
    if (category === 'connection') {
      connections.set(id, advance(rules, connections.get(id) ?? absent(decider.initial), event));
    }
    const next = history[index + 1];
    const moment: Moment = {
      ...{ event, category, id, type: typeOf(event), data: event.data as Moment['data'] },
      connectionOf: (wanted) => connections.get(wanted)?.state,
      isEndOfAppend: next?.stream !== event.stream || next.metadata['requestId'] !== event.metadata['requestId'],
    };
    return watchers.flatMap((watch) => watch(moment));
  });
};

const statusFollowsHolds: Watcher = ({ category, id, event, connectionOf, isEndOfAppend }) => {
  const state = connectionOf(id);
  if (category !== 'connection' || !isEndOfAppend || !state) return [];
  const { status } = state;
  if ((status === 'CONNECTED' || status === 'CONNECTING' || status === 'CHANGING') && !isWanted(state))
    return [`connection ${id} is ${status} while held, at ${event.revision}`];
  if (status === 'DISCONNECTED' && isWanted(state))
    return [`connection ${id} is DISCONNECTED without a hold, at ${event.revision}`];
  return [];
};

/** Whoever asks what stands in the way is told something exactly while it is not connected, or nothing there answers. */
const isExplained: Watcher = ({ category, id, event, connectionOf, isEndOfAppend }) => {
  const state = connectionOf(id);
  if (category !== 'connection' || !isEndOfAppend || !state) return [];
  const isFree = connectionObstacles(state).every(({ partial }) => partial);
  const isAnswered = Object.values(state.zones).some((zone) => isServing(zone) && zone.healthy);
  return isFree === (state.status === 'CONNECTED' && isAnswered)
    ? []
    : [`${state.status} of ${id} is not explained, at ${event.revision}`];
};

/** Connection before endpoint, and both before the addresses. */
const nothingEndsEarly = (): Watcher => {
  const existing = new Set<string>();
  return ({ type, id, data, connectionOf }) => {
    if (type === 'EndpointCreated') existing.add(id);
    if (type === 'EndpointDeleted') {
      existing.delete(id);
      const status = connectionOf(id)?.status ?? null;
      return status === 'GONE' ? [] : [`endpoint ${id} is gone while its connection is ${status}`];
    }
    if (type !== 'ReservationReleased') return [];
    const endpointId = String(data['endpointId']);
    return existing.has(endpointId) ? [`addresses of ${endpointId} are released while it exists`] : [];
  };
};

/** On a service and an endpoint that are there, with every fact applied that the establishment says it has seen. */
const establishedByRight = (): Watcher => {
  const gone = new Set<string>();
  /** The facts of each scope, as of each of their versions. */
  const versions = new Map<string, ScopeFacts[]>();
  return ({ event, category, type, id, data, connectionOf }) => {
    if (type === 'EndpointServiceDeleted' || type === 'EndpointDeleted') gone.add(id);
    if (category === 'facts') {
      const known = versions.get(id) ?? [scopeFacts.initial];
      const before = known.at(-1) ?? scopeFacts.initial;
      versions.set(id, [...known, evolveAll(scopeFacts, before, [scopeFactsCodec.decode(event)])]);
    }
    const state = connectionOf(id);
    if (type !== 'ConnectionEstablished' || !state) return [];
    const absences = [id, state.serviceId].filter((one) => gone.has(one));
    const passed = Object.entries(data['factsSeen'] as Record<string, number>).flatMap(([scope, version]) => {
      const facts = versions.get(scope)?.[version] ?? scopeFacts.initial;
      const command = { type: 'ApplyFacts', data: { facts: factsForConnection(state, scope, facts) } } as const;
      return decider.decide(command, state, '').map((news) => `${news.type} of ${scope}`);
    });
    return [
      ...absences.map((one) => `connection ${id} is established after ${one} is gone`),
      ...passed.map((news) => `connection ${id} is established past ${news}`),
    ];
  };
};

/** What comes late is not taken for the latest. */
const numbersRise = (): Watcher => {
  const highest = new Map<string, number>();
  const rises = (key: string, number: number, mayStay: boolean): readonly string[] => {
    const before = highest.get(key) ?? -1;
    highest.set(key, number);
    return number > before || (mayStay && number === before) ? [] : [`${key} goes from ${before} to ${number}`];
  };
  return ({ event, category, type, id, data }) => {
    if (category === 'nameSet') return rises(`generation of ${event.stream}`, Number(data['generation']), true);
    if (!/^Payment(Overdue|Settled)Reported$/.test(type)) return [];
    return rises(`sequence of ${data['source']} for ${id}`, Number(data['sequence']), false);
  };
};
