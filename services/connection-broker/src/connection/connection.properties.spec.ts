import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionCommand } from './connection.commands.ts';
import { connection } from './connection.decide.ts';
import { evolve } from './connection.evolve.ts';
import * as the from './connection.fixtures.ts';
import {
  anyCommand,
  anyState,
  holdFact,
  last,
  lateStory,
  movesOf,
  run,
  type Step,
  settled,
  settling,
  shuffled,
  story,
  take,
  visible,
  waitingAccepted,
  zoneStory,
} from './connection.stories.ts';
import { connectionTransitions } from './connection-status.ts';
import { type Fact, holdsOf, isWanted } from './holds.ts';
import { zoneStatus } from './zone-status.ts';

const rowOf = (from: string | null, on: string, to: string): string => `${from ?? '(none)'} --${on}--> ${to}`;
const rows = connectionTransitions.flatMap(({ from, on, to }) => from.map((status) => rowOf(status, on, to)));

describe('facts', () => {
  it('of different keys commute, and repetition changes nothing', () => {
    const twoOrders = fc
      .tuple(
        anyState,
        fc.uniqueArray(holdFact, { selector: (fact) => JSON.stringify([fact.kind === 'hold' && fact.source]) }),
        waitingAccepted,
      )
      .chain(([state, facts, waiting]) => {
        const all = [...facts, waiting];
        return fc.tuple(fc.constant(state), shuffled(all), shuffled([...all, ...all]));
      });
    fc.assert(
      fc.property(twoOrders, ([state, one, other]) => {
        const outcome = (order: readonly Fact[]) =>
          visible(
            settled(
              last(
                run(
                  order.map((fact) => the.apply(fact)),
                  state,
                ),
              ),
            ),
          );
        expect(outcome(one)).toEqual(outcome(other));
      }),
    );
  });

  it('of one key are ordered by revision: an older or equal one, however late, changes nothing', () => {
    fc.assert(
      fc.property(anyState, holdFact, fc.nat(6), fc.boolean(), (state, fact, older, placed) => {
        if (fact.kind !== 'hold') return;
        const after = last(run([the.apply(fact)], state));
        const late = { ...fact, placed, revision: fact.revision - older };
        expect(take(after, the.apply(late)).events).toEqual([]);
      }),
    );
  });

  it('and progress in every interleaving end in the same status and with the same holds', () => {
    const interleavings = fc
      .tuple(fc.boolean(), fc.array(fc.oneof({ weight: 9, arbitrary: holdFact }, waitingAccepted), { maxLength: 7 }))
      .chain(([autoAccept, facts]) => {
        const commands = facts.map((fact) => the.apply(fact));
        const pauses = Array<ConnectionCommand>(5).fill(settling);
        const order = shuffled([...commands, ...commands.slice(0, 2), ...pauses]);
        return fc.tuple(fc.constant(the.request(autoAccept)), fc.constant(commands), order, order);
      });
    fc.assert(
      fc.property(interleavings, ([request, all, one, other]) => {
        const [first, second, plain] = [one, other, all].map((order) => settled(last(run([request, ...order]))));
        if (!first || !second || !plain) throw new Error('three runs');
        expect(visible(first)).toEqual(visible(second));
        expect(visible(first)).toEqual(visible(plain));
        expect(first.status).toBe(isWanted(first) ? 'CONNECTED' : 'DISCONNECTED');
        expect(first.seen).toEqual(plain.seen);
      }),
      { numRuns: 300 },
    );
  });

  it('with the end of the service or of the endpoint among them end alike, wherever it falls', () => {
    const interleavings = fc
      .tuple(fc.array(holdFact, { maxLength: 5 }), fc.constantFrom(the.remove, the.apply(the.serviceDeleted)))
      .chain(([facts, end]) => {
        const pauses = Array<ConnectionCommand>(3).fill(settling);
        return fc.tuple(fc.constant(end), shuffled([end, ...facts.map((fact) => the.apply(fact)), ...pauses]));
      });
    fc.assert(
      fc.property(interleavings, fc.boolean(), ([end, order], autoAccept) => {
        const state = settled(last(run([the.request(autoAccept), ...order])));
        expect(state.status).toBe(end === the.remove ? 'GONE' : 'SERVICE_DELETED');
        if (end !== the.remove) expect(state.teardown).toBe('DONE');
      }),
    );
  });
});

describe('no sequence of commands, facts and reports', () => {
  const always = (check: (step: Step) => void): void => {
    fc.assert(
      fc.property(fc.oneof(story, lateStory, zoneStory), (commands) => run(commands).forEach(check)),
      { numRuns: 300 },
    );
  };

  it('leaves the declared table, and each append moves the status at most once', () =>
    always(({ before, events, after }) => {
      const moves = movesOf(events);
      expect(moves.length).toBeLessThanOrEqual(1);
      for (const { from, to, because, holds } of moves) {
        expect(rows).toContain(rowOf(from, because, to));
        expect([from, to]).toEqual([before.status, after.status]);
        if (to === 'DISCONNECTED') expect(holds).not.toEqual([]);
      }
      if (moves.length === 0) expect(after.status).toBe(before.status);
    }));

  it('lowers the generation, or changes it without a move', () =>
    always(({ before, events, after }) => {
      expect(after.generation).toBeGreaterThanOrEqual(before.generation);
      expect(movesOf(events).at(-1)?.generation ?? before.generation).toBe(after.generation);
    }));

  it('is recorded with other holds than it leaves', () =>
    always(({ events, after }) => {
      const recorded = movesOf(events).at(-1)?.holds;
      if (recorded) expect(recorded).toEqual([...new Set(holdsOf(after).map((hold) => hold.reason))]);
    }));

  it('makes the status differ from what holds and progress say', () =>
    always(({ after }) => {
      const { status, generation } = after;
      if (status === 'DISCONNECTED') expect(isWanted(after)).toBe(false);
      if (status === 'CONNECTING' || status === 'CONNECTED' || status === 'CHANGING')
        expect(isWanted(after)).toBe(true);
      if (status === 'CONNECTED') {
        expect(after.names).toMatchObject({ state: 'PUBLISHED', generation });
        for (const zone of Object.values(after.zones)) {
          expect(zone.removing).toBe(false);
          expect(zone.forwarding).toEqual({ state: zone.enabled ? 'READY' : 'CLOSED', generation });
          const isUp = zone.migration ? 'MIGRATED' : 'CONNECTED';
          expect(zoneStatus(after, zone)).toBe(zone.enabled ? isUp : 'DISCONNECTED');
        }
      }
    }));

  it('brings back what is gone, deleted or being deleted', () =>
    always(({ before, after }) => {
      if (before.status === 'GONE') expect(after).toEqual(before);
      if (before.status === 'DELETING') expect(['DELETING', 'GONE']).toContain(after.status);
      if (before.status === 'SERVICE_DELETED') expect(['SERVICE_DELETED', 'DELETING']).toContain(after.status);
      if (before.teardown === 'DONE') expect(after.teardown).toBe('DONE');
    }));

  it('is other than idempotent: the same command again appends nothing', () => {
    fc.assert(
      fc.property(anyState, anyCommand, (state, command) => {
        const { after } = take(state, command);
        expect(take(after, command).events).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a connection from settling', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        if (state.status === null) return;
        const { status } = settled(state);
        expect(['CONNECTED', 'DISCONNECTED', 'SERVICE_DELETED', 'GONE']).toContain(status);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the declared table', () => {
  it('has no row that no life reaches', () => {
    const lives = [
      ...fc.sample(story, { numRuns: 1_500, seed: 3 }),
      ...fc.sample(zoneStory, { numRuns: 1_000, seed: 3 }),
      ...fc.sample(lateStory, { numRuns: 100, seed: 3 }),
    ];
    const reached = lives.flatMap((commands) =>
      run(commands).flatMap(({ events }) => movesOf(events).map(({ from, because, to }) => rowOf(from, because, to))),
    );
    expect(rows.filter((row) => !reached.includes(row))).toEqual([]);
  });
});

describe('evolve', () => {
  it('is total: events in any order are applied, and state stays JSON', () => {
    const events = run([
      the.request(false),
      the.accept(),
      settling,
      the.apply(the.placed(1)),
      settling,
      the.apply(the.lifted(2)),
      settling,
      the.reject(),
      settling,
      the.apply(the.serviceDeleted),
      settling,
      the.remove,
      settling,
    ]).flatMap((step) => step.events);
    fc.assert(
      fc.property(fc.shuffledSubarray([...events]), (order) => {
        const state = order.reduce(evolve, connection.initial);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      }),
    );
  });
});
