import {
  type AllStreamSubscription,
  eventTypeFilter,
  type Position,
  START,
  streamNameFilter,
} from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idsOf, newEvents, newStream, positionOf, readByPrefix, recorded } from './support/events.ts';
import { openTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());

/** What a filtered subscription did, in order. */
type Step = { readonly kind: 'event' | 'checkpoint'; readonly position: bigint };

type Recording = {
  readonly steps: Step[];
  readonly subscription: AllStreamSubscription;
  /** Resolves when the steps so far satisfy a condition. */
  until(condition: (steps: readonly Step[]) => boolean): Promise<void>;
};

function record(prefix: string, options: { window: number; interval?: number; from?: Position }): Recording {
  const steps: Step[] = [];
  let check = (): void => {};
  const add = (step: Step): void => {
    steps.push(step);
    check();
  };
  const subscription = target.client.subscribeToAll({
    fromPosition: options.from ?? START,
    filter: streamNameFilter({
      prefixes: [prefix],
      maxSearchWindow: options.window,
      checkpointInterval: options.interval ?? 1,
      checkpointReached: (_, { commit }) => add({ kind: 'checkpoint', position: commit }),
    }),
  });
  subscription.on('data', (event) => add({ kind: 'event', position: positionOf(event) }));
  return {
    steps,
    subscription,
    until: (condition) =>
      new Promise((resolve) => {
        check = () => {
          if (condition(steps)) resolve();
        };
        check();
      }),
  };
}

/** Checkpoints rise strictly, lie never below an event delivered before nor at or above one delivered later. */
function expectSound(steps: readonly Step[]): void {
  let last = -1n;
  let lastCheckpoint = -1n;
  for (const { kind, position } of steps) {
    if (kind === 'event') {
      expect(position).toBeGreaterThan(last);
      expect(position).toBeGreaterThan(lastCheckpoint);
    } else {
      expect(position).toBeGreaterThan(lastCheckpoint);
      expect(position).toBeGreaterThanOrEqual(last);
      lastCheckpoint = position;
    }
    if (kind === 'event') last = position;
  }
}

const checkpointsOf = (steps: readonly Step[]): bigint[] =>
  steps.filter(({ kind }) => kind === 'checkpoint').map(({ position }) => position);
const eventsOf = (steps: readonly Step[]): bigint[] =>
  steps.filter(({ kind }) => kind === 'event').map(({ position }) => position);

async function noise(count: number): Promise<void> {
  await target.client.appendToStream(newStream('conformanceNoise'), newEvents(count));
}

describe('checkpoints of a filtered subscription', () => {
  it.each([
    { window: 1, interval: 1 },
    { window: 10, interval: 1 },
    { window: 7, interval: 3 },
    { window: 500, interval: 2 },
  ])('are sound while it catches up and live (window $window, interval $interval)', async ({ window, interval }) => {
    const prefix = newStream('conformanceCheckpoint');
    for (let i = 0; i < 5; i++) {
      await target.client.appendToStream(prefix, newEvents(7));
      await noise(50);
    }
    const recording = record(prefix, { window, interval });
    await recording.until((steps) => eventsOf(steps).length === 35);
    for (let i = 0; i < 5; i++) {
      await target.client.appendToStream(prefix, newEvents(3));
      await noise(40);
    }
    await recording.until((steps) => eventsOf(steps).length === 50);
    await noise(window * interval * 2);
    const end = eventsOf(recording.steps).at(-1) ?? expect.fail();
    await recording.until((steps) => (checkpointsOf(steps).at(-1) ?? -1n) > end);
    expectSound(recording.steps);
    expect(eventsOf(recording.steps)).toEqual((await readByPrefix(target.client, prefix)).map(positionOf));
    await recording.subscription.unsubscribe();
  });

  it('come while nothing matches: catching up (#3320, #2606) and live', async () => {
    const prefix = newStream('conformanceSilent');
    await noise(200);
    const recording = record(prefix, { window: 10 });
    await recording.until((steps) => steps.length > 0);
    const caughtUp = checkpointsOf(recording.steps).length;
    for (let i = 0; i < 4; i++) await noise(25);
    await recording.until((steps) => checkpointsOf(steps).length >= caughtUp + 5);
    expectSound(recording.steps);
    await recording.subscription.unsubscribe();
  });

  it('are not repeated once live (#3697)', async () => {
    const prefix = newStream('conformanceRepeat');
    await target.client.appendToStream(prefix, newEvents(10));
    const recording = record(prefix, { window: 1 });
    await recording.until((steps) => eventsOf(steps).length === 10);
    for (let i = 0; i < 20; i++) await target.client.appendToStream(prefix, newEvents(1));
    await recording.until((steps) => eventsOf(steps).length === 30);
    await noise(5);
    const last = eventsOf(recording.steps).at(-1) ?? expect.fail();
    await recording.until((steps) => (checkpointsOf(steps).at(-1) ?? 0n) > last);
    const checkpoints = checkpointsOf(recording.steps);
    expect(new Set(checkpoints).size).toBe(checkpoints.length);
    expectSound(recording.steps);
    await recording.subscription.unsubscribe();
  });

  it('lose nothing to a restart from any of them (#4990, #4991)', async () => {
    const prefix = newStream('conformanceRestart');
    for (let i = 0; i < 4; i++) {
      await noise(300);
      await target.client.appendToStream(prefix, newEvents(2));
    }
    const recording = record(prefix, { window: 32 });
    await recording.until((steps) => eventsOf(steps).length === 8);
    const all = eventsOf(recording.steps);
    await recording.subscription.unsubscribe();
    const checkpoints = checkpointsOf(recording.steps);
    const sample = checkpoints.filter((_, i) => i % Math.ceil(checkpoints.length / 12) === 0);
    for (const commit of sample) {
      const later = all.filter((position) => position > commit);
      const again = record(prefix, { window: 32, from: { commit, prepare: commit } });
      await again.until((steps) => eventsOf(steps).length === later.length);
      expect(eventsOf(again.steps)).toEqual(later);
      await again.subscription.unsubscribe();
    }
    expect(sample.length).toBeGreaterThan(3);
  });

  it('come every interval, counted in events examined', async () => {
    const prefix = newStream('conformanceInterval');
    await noise(1);
    const recording = record(prefix, { window: 20, interval: 2 });
    await recording.until((steps) => steps.length > 0);
    const before = checkpointsOf(recording.steps).length;
    await noise(400);
    await recording.until((steps) => checkpointsOf(steps).length >= before + 10);
    const stream = (await readByPrefix(target.client, 'conformanceNoise')).map(positionOf);
    const gaps = checkpointsOf(recording.steps)
      .slice(before)
      .map((checkpoint) => stream.filter((position) => position <= checkpoint).length)
      .flatMap((count, i, counts) => (i === 0 ? [] : [count - (counts[i - 1] ?? 0)]));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(40);
    await recording.subscription.unsubscribe();
  });
});

describe('filters of a subscription', () => {
  it.each([
    { name: 'type prefix', filter: (type: string) => eventTypeFilter({ prefixes: [type] }) },
    { name: 'type regex', filter: (type: string) => eventTypeFilter({ regex: `^${type}$` }) },
  ])('match by $name, before and after it is live', async ({ filter }) => {
    const type = newStream('Conforming');
    const stream = newStream();
    const write = async () => {
      const events = [...newEvents(3, type), ...newEvents(3, 'Other')];
      await target.client.appendToStream(stream, events);
      return events.slice(0, 3).map((event) => event.id);
    };
    const expected = await write();
    const subscription = target.client.subscribeToAll({ filter: filter(type) });
    const seen: string[] = [];
    const done = (async () => {
      for await (const event of subscription) {
        expect(recorded(event).type).toBe(type);
        seen.push(...idsOf([event]));
        if (seen.length === 3) expected.push(...(await write()));
        if (seen.length === 6) return;
      }
    })();
    await done;
    expect(seen).toEqual(expected);
  });
});
