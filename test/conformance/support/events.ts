import { randomUUID } from 'node:crypto';
import {
  type AllStreamSubscription,
  type EventData,
  jsonEvent,
  type KurrentDBClient,
  type ResolvedEvent,
  type StreamSubscription,
  streamNameFilter,
} from '@kurrent/kurrentdb-client';

/** A name no other test uses, so that the suite can run on a server that has other streams. */
export function newStream(category = 'conformance'): string {
  return `${category}-${randomUUID()}`;
}

export function newEvent(type = 'Happened', data: Record<string, unknown> = {}): EventData & { id: string } {
  return { ...jsonEvent({ type, data }), id: randomUUID() } as EventData & { id: string };
}

export function newEvents(count: number, type = 'Happened'): (EventData & { id: string })[] {
  return Array.from({ length: count }, (_, number) => newEvent(type, { number }));
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** The recorded event of a resolved one. */
export function recorded(resolved: ResolvedEvent) {
  if (resolved.event === undefined) throw new Error('the server resolved a link to nothing');
  return resolved.event;
}

export function idsOf(events: readonly ResolvedEvent[]): string[] {
  return events.map((event) => recorded(event).id);
}

export function revisionsOf(events: readonly ResolvedEvent[]): number[] {
  return events.map((event) => Number(recorded(event).revision));
}

/** The place of an event in `$all`. */
export function positionOf(resolved: ResolvedEvent): bigint {
  const position = recorded(resolved).position;
  if (position === undefined) throw new Error('the event has no position');
  return position.commit;
}

/** Reads `$all` restricted to streams with a prefix. */
export function readByPrefix(client: KurrentDBClient, prefix: string): Promise<ResolvedEvent[]> {
  return collect(client.readAll({ filter: streamNameFilter({ prefixes: [prefix] }) }));
}

/** Takes the next `count` events of a subscription and leaves it open. */
export async function take(
  subscription: StreamSubscription | AllStreamSubscription,
  count: number,
): Promise<ResolvedEvent[]> {
  const events: ResolvedEvent[] = [];
  const iterator = subscription.iterator({ destroyOnReturn: false });
  while (events.length < count) {
    const next = await iterator.next();
    if (next.done === true) throw new Error(`the subscription ended after ${events.length} of ${count} events`);
    events.push(next.value);
  }
  return events;
}

/** The error a promise is rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}
