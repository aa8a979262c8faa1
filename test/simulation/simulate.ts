import { createHash } from 'node:crypto';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { endingOf } from './checks/aggregates.ts';
import { watchForwarding } from './checks/forwarding.ts';
import { KNOWN } from './checks/known.ts';
import { CHECKS, type Ended } from './checks/registry.ts';
import { CALM_MS, type Plan, type PlannedFault } from './plan.ts';
import { STEPS } from './steps/registry.ts';
import { differenceOf } from './steps/requests.ts';
import { createKnown } from './steps/step.ts';
import type { Client, Outcome } from './world/client.ts';
import { describe } from './world/log.ts';
import type { Mutation } from './world/mutation.ts';
import { createRandom } from './world/random.ts';
import { START, type Timeline } from './world/timeline.ts';
import { inWorld, type World } from './world/world.ts';

export type Report = Readonly<{
  plan: Plan;
  /** `<check>: <what is wrong>`; empty when all is well. */
  violations: readonly string[];
  /** Known weaknesses that were met, each as often as it was. */
  known: readonly string[];
  /** Everything that was recorded, in order. */
  history: readonly StoredEvent[];
  requests: number;
  troubles: Readonly<Partial<Record<string, number>>>;
  simulatedMs: number;
  /** Of the history: the same for the same plan. */
  trace: string;
}>;

/** Trouble that has struck already. */
const UNDER_WAY_MS = 6_000;
/** Longer than the longest back-off, and than an unacknowledged message waits. */
const LONG_MS = 58_000;
/** Longer than the longest back-off, when nothing is lost any more. */
const SOON_MS = 32_000;
const REPEATED_WITHIN_MS = 120_000;

type Options = Readonly<{ mutation?: Mutation; told?: (line: string) => void }>;

/** Chaos, then everything heals, then what was begun must come to its end; and all of it must be right. */
export const simulate = (plan: Plan, { mutation = {}, told }: Options = {}): Promise<Report> =>
  inWorld({ ...plan, mutation, told }, async (world) => {
    const { timeline, trouble, cluster, client } = world;
    const crashes = schedule(plan, world);
    const forwarding = watchForwarding(plan, world.machines);
    world.onRecorded(forwarding.see);
    world.onRequest(forwarding.hear);
    timeline.after(CALM_MS, trouble.begin);
    await timeline.runUntil(START + plan.chaosMs);
    trouble.heal();
    await timeline.runUntil(timeline.now() + UNDER_WAY_MS);
    const duringChaos = cluster.complaints.length;
    const isSettled = await world.quiesce(LONG_MS);
    const again = await repeatAll(timeline, client);
    await world.quiesce(SOON_MS);

    const history = await world.history();
    const ended: Ended = {
      ...{ plan, world, history, isSettled, ending: endingOf(history) },
      untruths: forwarding.wrong,
      grievances: [...crashes, ...differencesIn(client, again, history)],
      // Once all is well there is nothing to complain of.
      complaints: cluster.complaints.filter((text, index) => index >= duringChaos || !isExcused(text)),
    };
    const violations: string[] = [];
    const known: string[] = [];
    for (const [name, check] of Object.entries(CHECKS)) {
      for (const text of await check(ended)) {
        const reason = KNOWN.find(({ explains }) => explains(text, ended));
        if (reason) known.push(reason.what);
        else violations.push(`${name}: ${text}`);
      }
    }
    return {
      ...{ plan, violations, known, history, requests: client.journal.length },
      ...{ troubles: trouble.counts, simulatedMs: timeline.now() - START, trace: traceOf(history) },
    };
  });

/** What is away for long may end a program, and a proxy that refuses is a reason to complain. */
const isExcused = (complaint: string): boolean => / ended itself|^agent-/.test(complaint);

/** Puts the plan on the timeline. Gives what goes wrong in the clients themselves. */
const schedule = (plan: Plan, { timeline, cluster, client, bus, machines, txt }: World): readonly string[] => {
  const known = createKnown();
  const crashes: string[] = [];
  for (const { at, step, seed } of plan.steps) {
    timeline.after(at, () => {
      const random = createRandom(seed);
      let ids = 0;
      const requestId = (): string => `${seed.replaceAll(' ', '-')}-${++ids}`;
      STEPS[step].run({ client, known, random, requestId, txt, now: timeline.now }).catch((error: unknown) => {
        crashes.push(`the client's own step ${step} failed: ${describe(error)}`);
      });
    });
  }
  const inflict = (fault: PlannedFault): void => {
    if (fault.fault === 'wipeBus') bus.wipe();
    else if (fault.fault === 'killProxy') machines.find((one) => one.zoneId === fault.zoneId)?.killProxy();
    else if (fault.fault === 'targets') machines.find((one) => one.zoneId === fault.zoneId)?.setAnswering(fault.answer);
    else if (fault.fault === 'freeze') cluster.freeze(fault.program, fault.replica, fault.ms);
    else cluster[fault.fault](fault.program, fault.replica);
  };
  for (const fault of plan.faults) timeline.after(fault.at, () => inflict(fault));
  return crashes;
};

/** Sends every request once more, with its id. */
const repeatAll = async (timeline: Timeline, client: Client): Promise<readonly (Outcome | undefined)[]> => {
  const outcomes: (Outcome | undefined)[] = client.journal.map(() => undefined);
  let open = outcomes.length;
  for (const [index, entry] of client.journal.entries()) {
    void client.repeat(entry).then((again) => {
      outcomes[index] = again;
      open--;
    });
  }
  await timeline.runUntil(timeline.now() + REPEATED_WITHIN_MS, () => open === 0);
  return outcomes;
};

const differencesIn = (
  client: Client,
  again: readonly (Outcome | undefined)[],
  history: readonly StoredEvent[],
): readonly string[] => {
  const recorded = new Map(history.map(({ metadata, revision }) => [metadata['requestId'] ?? '', revision]));
  return client.journal.flatMap((entry, index) => {
    const outcome = again[index];
    return outcome ? (differenceOf(entry, outcome, recorded) ?? []) : [`${entry.rpc} is not answered when repeated`];
  });
};

const traceOf = (history: readonly StoredEvent[]): string => {
  const hash = createHash('sha256');
  for (const { id, stream, recordedAt, data } of history) hash.update(JSON.stringify([id, stream, recordedAt, data]));
  return hash.digest('hex');
};
