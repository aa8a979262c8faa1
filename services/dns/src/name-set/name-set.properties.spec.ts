import { evolveAll } from '@privatelink/shared/eventing/decider';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, namesOf, owned, put } from './name-set.fixtures.ts';
import {
  type NameSet,
  type NameSetCommand,
  type NameSetEvent,
  type NameState,
  nameSet,
  nameSetTransitions,
} from './name-set.ts';

const STATES: readonly NameState[] = ['WITHDRAWN', 'PUBLISHED', 'REMOVED'];

type Step = Readonly<{ before: NameSet; command: NameSetCommand; events: readonly NameSetEvent[]; after: NameSet }>;

const run = (commands: readonly NameSetCommand[]): readonly Step[] => {
  const steps: Step[] = [];
  for (const command of commands) {
    const before = steps.at(-1)?.after ?? nameSet.initial;
    const events = nameSet.decide(command, before, at);
    steps.push({ before, command, events, after: evolveAll(nameSet, before, events) });
  }
  return steps;
};

const anyCommand = fc.record({ state: fc.constantFrom(...STATES), generation: fc.nat(6), health: fc.nat(3) });
const anyCommands = fc
  .array(anyCommand, { maxLength: 20 })
  .map((list) => list.map(({ state, generation, health }) => put(state, generation, health)));

/** As the broker asks: an endpoint's end is its last generation. */
const life = fc
  .tuple(
    fc.uniqueArray(fc.tuple(fc.constantFrom('WITHDRAWN' as const, 'PUBLISHED' as const), fc.nat(5), fc.nat(2))),
    fc.boolean(),
  )
  .map(([puts, ends]) => [...puts.map((said) => put(...said)), ...(ends ? [put('REMOVED', 6)] : [])])
  .filter((commands) => commands.length > 0);

const rank = ({ data }: NameSetCommand): number =>
  100 * data.generation + 10 * STATES.indexOf(data.state) + data.healthRevision;

const rowOf = (from: NameState | null, on: string, to: NameState): string => `${from ?? '(none)'} --${on}--> ${to}`;
const rows = nameSetTransitions.flatMap(({ from, on, to }) => from.map((state) => rowOf(state, on, to)));
const movesOf = (steps: readonly Step[]) =>
  steps.flatMap(({ events }) => events.flatMap((event) => ('move' in event.data ? [event.data.move] : [])));

describe('commands', () => {
  it('in any order, repeated, lead to what the newest one wants', () => {
    const orders = life.chain((commands) => {
      const twice = [...commands, ...commands];
      return fc.tuple(fc.constant(commands), fc.shuffledSubarray(twice, { minLength: twice.length }));
    });
    fc.assert(
      fc.property(orders, ([commands, order]) => {
        const newest = commands.toSorted((a, b) => rank(a) - rank(b)).at(-1);
        const { state, generation, healthRevision } = newest?.data ?? {};
        const names = namesOf(generation ?? 0);
        expect(run(order).at(-1)?.after).toEqual({ ...owned, state, generation, healthRevision, names });
      }),
    );
  });

  it('of a lower generation, or of an earlier step of the same one, change nothing', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        for (const { before, command, events } of run(commands)) {
          if (before.state === null) continue;
          const held = put(before.state, before.generation, before.healthRevision);
          if (rank(command) <= rank(held)) expect(events).toEqual([]);
        }
      }),
    );
  });

  it('bring nothing back that was removed', () => {
    fc.assert(
      fc.property(anyCommands, anyCommands, (commands, late) => {
        const [first, ...after] = run([put('REMOVED', 9), ...commands, ...late]);
        expect(first?.after.state).toBe('REMOVED');
        for (const { events } of after) expect(events).toEqual([]);
      }),
    );
  });
});

describe('the transition table', () => {
  it('is never left, and each move starts where the names are', () => {
    fc.assert(
      fc.property(anyCommands, (commands) => {
        for (const step of run(commands)) {
          const { before, events, after } = step;
          expect(events.length).toBeLessThanOrEqual(1);
          const [move] = movesOf([step]);
          expect(after.state).toBe(move ? move.to : before.state);
          if (!move) continue;
          expect(move.from).toBe(before.state);
          expect(rows).toContain(rowOf(move.from, move.because, move.to));
        }
      }),
    );
  });

  it('has no row that is not reached', () => {
    const reached = new Set<string>();
    const sampled = fc.sample(anyCommands, { numRuns: 500, seed: 1 });
    for (const commands of sampled) {
      for (const { from, because, to } of movesOf(run(commands))) reached.add(rowOf(from, because, to));
    }
    expect([...reached].sort()).toEqual([...rows].sort());
  });
});
