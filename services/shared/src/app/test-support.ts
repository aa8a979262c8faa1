import { z } from 'zod';
import { defineCodec } from '../eventing/codec.ts';
import type { CommandContext } from '../eventing/command-context.ts';
import type { Decider } from '../eventing/decider.ts';
import type { Cmd, Ev, StoredEvent } from '../eventing/message.ts';
import { assertNever } from '../eventing/never.ts';
import type { Clock, EventStore } from '../eventing/ports.ts';
import { Rejected } from '../eventing/rejected.ts';
import { systemClock } from '../runtime/clock.ts';
import { createMemoryStore, type MemoryStore } from '../testing/memory-store.ts';
import { createRepository } from './repository.ts';

type Opened = Ev<'Opened', { at: string }>;
type Added = Ev<'Added', { by: number; note: string }>;
export type CounterEvent = Opened | Added;
type Open = Cmd<'Open', Record<string, never>>;
type Add = Cmd<'Add', { by: number; note?: string }>;
/** Adds in two events. */
type AddTwice = Cmd<'AddTwice', { by: number }>;
type Reach = Cmd<'Reach', { value: number }>;
export type CounterCommand = Open | Add | AddTwice | Reach;
export type Counter = Readonly<{ openedAt: string | null; value: number }>;

export const LIMIT = 1_000_000;

const added = (by: number, note = ''): Added => ({ type: 'Added', data: { by, note } });

export const counter: Decider<CounterCommand, CounterEvent, Counter> = {
  category: 'counter',
  initial: { openedAt: null, value: 0 },
  evolve: (state, event) => {
    switch (event.type) {
      case 'Opened':
        return { ...state, openedAt: event.data.at };
      case 'Added':
        return { ...state, value: state.value + event.data.by };
      default:
        return assertNever(event);
    }
  },
  decide: (command, state, now) => {
    if (command.type === 'Open') return state.openedAt === null ? [{ type: 'Opened', data: { at: now } }] : [];
    if (state.openedAt === null) throw new Rejected('COUNTER_NOT_FOUND');
    const wanted = command.type === 'Reach' ? command.data.value : state.value + command.data.by;
    if (wanted > LIMIT) throw new Rejected('LIMIT_REACHED', { value: String(state.value) });
    switch (command.type) {
      case 'Add':
        return [added(command.data.by, command.data.note)];
      case 'AddTwice':
        return [added(command.data.by), added(command.data.by)];
      case 'Reach':
        return wanted === state.value ? [] : [added(wanted - state.value)];
      default:
        return assertNever(command);
    }
  },
};

export const counterCodec = (stateVersion = 1) =>
  defineCodec<CounterEvent>({
    category: 'counter',
    stateVersion,
    events: {
      Opened: { version: 1, schema: z.object({ at: z.string() }) },
      Added: { version: 1, schema: z.object({ by: z.number(), note: z.string() }) },
    },
  });

export const open: Open = { type: 'Open', data: {} };
export const add = (by: number, note?: string): Add => ({
  type: 'Add',
  data: note === undefined ? { by } : { by, note },
});
export const reach = (value: number): Reach => ({ type: 'Reach', data: { value } });

export const request = (id: string, changes: Partial<CommandContext> = {}): CommandContext => ({
  actor: 'user:alice',
  accountId: '1000000000000001',
  requestId: `1000000000000001/Counter/${id}`,
  fingerprint: 'body',
  correlationId: `correlation-${id}`,
  causationId: `cause-${id}`,
  deadline: Number.POSITIVE_INFINITY,
  ...changes,
});

type Step = 'append' | 'read';

/** A store that counts its calls, and that calls `before` and `after` around each of them. */
export const watchedStore = (
  store: EventStore,
  {
    before = async () => {},
    after = async () => {},
  }: Partial<Record<'before' | 'after', (step: Step) => Promise<void>>>,
): EventStore & Readonly<{ calls: Step[] }> => {
  const calls: Step[] = [];
  return {
    ...store,
    calls,
    append: async (stream, events, expected) => {
      calls.push('append');
      await before('append');
      const appended = await store.append(stream, events, expected);
      await after('append');
      return appended;
    },
    read: async function* (stream, options) {
      calls.push('read');
      await before('read');
      yield* store.read(stream, options);
      await after('read');
    },
  };
};

/** One service instance over a store that it may share with others. */
export const openCounters = (
  memory: MemoryStore = createMemoryStore(),
  options: Parameters<typeof watchedStore>[1] & { clock?: Clock; stateVersion?: number } = {},
) => {
  const store = watchedStore(memory, options);
  const clock = options.clock ?? systemClock;
  const counters = createRepository({ store, clock, producer: 'spec' }, counter, counterCodec(options.stateVersion));
  return { memory, store, counters };
};

export const eventsOf = async (store: EventStore, stream: string): Promise<StoredEvent[]> => {
  const events: StoredEvent[] = [];
  for await (const event of store.read(stream, { from: 'start', direction: 'forwards', maxCount: 1e6 })) {
    events.push(event);
  }
  return events;
};
