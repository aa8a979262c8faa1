import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createFakeClock } from '../testing/fake-clock.ts';
import { createMemoryStore, noMetadata } from '../testing/memory-store.ts';
import { runReactor } from './run-reactor.ts';

const log = pino({ level: 'silent' });
const KEYS = ['a', 'b', 'c', 'd'];

type Step =
  | Readonly<{ do: 'event'; key: string }>
  | Readonly<{ do: 'time'; ms: number }>
  /** The process is gone at whatever it awaits; what it had asked for may still happen or not. */
  | Readonly<{ do: 'crash' }>
  /** Another takes over, while this one does not know yet, or winds up. */
  | Readonly<{ do: 'takeover'; notices: boolean }>
  | Readonly<{ do: 'disconnect' }>;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('event' as const), key: fc.constantFrom(...KEYS) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.nat(700) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('takeover' as const), notices: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('disconnect' as const) }) },
);

type Fate = 'settled' | 'again' | 'fails';

type Schedule = Readonly<{ steps: readonly Step[]; waits: readonly number[]; fates: readonly Fate[] }>;

/** Runs a schedule, and then lets a last life work everything off. */
const run = async ({ steps, waits, fates }: Schedule) => {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const events = new Map<string, bigint[]>();
  /** How many of a key's events the last successful look at it knew. */
  const known = new Map<string, number>();
  const rows = new Map<string, { due: number; attempt: number }>();
  let checkpoint: bigint | null = null;
  let epoch = 0;
  let drawn = 0;
  let isCalm = false;
  const draw = <T>(values: readonly T[], calm: T): T => (isCalm ? calm : (values[drawn++ % values.length] ?? calm));
  const turns = async (): Promise<void> => {
    for (let n = draw(waits, 0); n > 0; n--) await new Promise((resolve) => setImmediate(resolve));
  };

  const wrong: string[] = [];
  const checkSave = (position: bigint): void => {
    if (position < (checkpoint ?? 0n)) wrong.push(`the checkpoint went back from ${checkpoint} to ${position}`);
    for (const [key, positions] of events) {
      const passed = positions.filter((at) => at <= position).length;
      if ((known.get(key) ?? 0) < passed && !rows.has(key)) wrong.push(`${key} was passed over at ${position}`);
    }
  };

  const live = () => {
    const mine = ++epoch;
    const stopping = new AbortController();
    let isDead = false;
    /** Where the process may die, before and after whatever it asks of others. */
    const await_ = async (): Promise<void> => {
      await turns();
      if (isDead) await new Promise(() => undefined);
    };
    const call = async <T>(effect: () => T): Promise<T> => {
      await await_();
      const result = effect();
      await await_();
      return result;
    };
    const fenced = (effect: () => void) => () => {
      if (mine !== epoch) throw new Error('lease lost');
      effect();
    };
    const ended = runReactor(
      {
        store,
        log,
        signal: stopping.signal,
        clock: {
          now: clock.now,
          sleep: async (ms, signal) => {
            await clock.sleep(ms, signal);
            if (isDead) await new Promise(() => undefined);
          },
        },
        rows: {
          schedule: (key, due, attempt) => call(fenced(() => void rows.set(key, { due: due.getTime(), attempt }))),
          due: (now, limit) =>
            call(() =>
              [...rows]
                .filter(([, row]) => row.due <= now.getTime())
                .slice(0, limit)
                .map(([key, { attempt }]) => ({ key, attempt })),
            ),
          remove: (key) => call(fenced(() => void rows.delete(key))),
        },
        checkpoint: {
          load: () => call(() => checkpoint),
          save: (position) =>
            call(
              fenced(() => {
                checkSave(position);
                checkpoint = position;
              }),
            ),
        },
      },
      {
        name: 'jobs',
        prefixes: ['job-'],
        key: ({ stream }) => stream.slice('job-'.length),
        work: async (key) => {
          await await_();
          const fold = events.get(key)?.length ?? 0;
          await await_();
          const fate = draw(fates, 'settled');
          if (fate === 'fails') throw new Error('not now');
          known.set(key, Math.max(known.get(key) ?? 0, fold));
          await await_();
          return fate === 'settled' ? 'settled' : { againMs: 300 };
        },
      },
    ).catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
    return {
      kill: () => {
        isDead = true;
      },
      stop: async () => {
        stopping.abort();
        await clock.advance(6_000);
        await ended;
      },
      loseLease: () => stopping.abort(),
    };
  };

  const lives = [live()];
  for (const { ...next } of steps) {
    const current = lives.at(-1);
    if (next.do === 'event') {
      const held = events.get(next.key) ?? [];
      const expected = held.length === 0 ? ('no-stream' as const) : BigInt(held.length - 1);
      const event = { id: `${next.key}${held.length}`, type: 'Asked.v1', data: {}, metadata: noMetadata };
      // Known to the fold before it is known to the subscription, never the other way round.
      events.set(next.key, held);
      held.push((await store.tail()) + 1n);
      await store.append(`job-${next.key}`, [event], expected);
      await turns();
    }
    if (next.do === 'time') await clock.advance(next.ms);
    if (next.do === 'disconnect') store.disconnect();
    if (next.do === 'crash') {
      current?.kill();
      lives.push(live());
    }
    if (next.do === 'takeover') {
      if (next.notices) current?.loseLease();
      lives.push(live());
    }
  }
  isCalm = true;
  for (const life of lives.slice(0, -1)) life.loseLease();
  await clock.advance(70_000);
  const outcome = {
    wrong,
    known: Object.fromEntries([...known].toSorted()),
    events: Object.fromEntries([...events].map(([key, { length }]) => [key, length] as const).toSorted()),
    rows: rows.size,
    checkpoint,
    tail: await store.tail(),
  };
  await lives.at(-1)?.stop();
  return outcome;
};

test('whatever crashes and takes over when: no event is passed over, and in the end all are done with', async () => {
  const schedule = fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 40 }),
    waits: fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }),
    fates: fc.array(fc.constantFrom<Fate>('settled', 'settled', 'again', 'fails'), { minLength: 1, maxLength: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(schedule, async (chosen) => {
      const { wrong, known, events, rows, checkpoint, tail } = await run(chosen);
      expect(wrong).toEqual([]);
      expect(known).toEqual(events);
      expect(rows).toBe(0);
      expect(checkpoint ?? 0n).toBe(tail);
    }),
    { numRuns: 40 },
  );
});
