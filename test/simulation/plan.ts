import { OPENING, STEPS, type StepName } from './steps/registry.ts';
import { ALL_ZONES, type Forwarding } from './world/programs.ts';
import { createRandom, type Random } from './world/random.ts';
import { NO_TROUBLE, type Rates, TROUBLES, type TroubleKind } from './world/trouble.ts';

/** What a client does, with random choices of its own. */
export type PlannedStep = Readonly<{ at: number; step: StepName; seed: string }>;

/** What is done to the servers. */
export type PlannedFault = Readonly<{ at: number }> &
  (
    | Readonly<{ fault: 'kill' | 'stop'; program: string; replica: number }>
    | Readonly<{ fault: 'freeze'; program: string; replica: number; ms: number }>
    | Readonly<{ fault: 'wipeBus' }>
    | Readonly<{ fault: 'killProxy'; zoneId: string }>
    | Readonly<{ fault: 'targets'; zoneId: string; answer: boolean }>
  );

/** All that happens in a simulation follows from this. */
export type Plan = Readonly<{
  seed: string;
  replicas: number;
  forwarding: Forwarding;
  /** Until the chaos ends, in simulated milliseconds from the start. */
  chaosMs: number;
  rates: Rates;
  steps: readonly PlannedStep[];
  faults: readonly PlannedFault[];
}>;

/** The services start, and the opening steps are made, before anything goes wrong. */
const WARM_UP_MS = 2_000;
export const CALM_MS = 3_000;

export const planOf = (seed: string): Plan => {
  const random = createRandom(`plan ${seed}`);
  const chaosMs = random.between(15_000, 40_000);
  const at = (): number => random.between(CALM_MS, chaosMs);
  // What comes together meets each other.
  const rushes = Array.from({ length: 1 + random.int(4) }, at);
  const atStep = (): number => (random.chance(0.7) ? random.pick(rushes) + random.between(0, 2_500) : at());
  const opening = OPENING.map((step, index) => ({
    at: WARM_UP_MS + index * 100,
    step,
    seed: `${seed} opening ${index}`,
  }));
  const steps = Array.from({ length: 60 + random.int(120) }, (_, index): PlannedStep => {
    return { at: atStep(), step: weighted(random), seed: `${seed} ${index}` };
  });
  return {
    ...{ seed, chaosMs, replicas: random.chance(0.5) ? 1 : 2, rates: ratesOf(random) },
    forwarding: random.chance(0.5) ? 'agents' : 'none',
    steps: [...opening, ...inOrder(steps)],
    faults: inOrder([
      ...Array.from({ length: random.int(12) }, () => faultOf(random, at())),
      ...failuresOf(random.fork('targets'), chaosMs),
    ]),
  };
};

/** Targets of a zone that cease to answer, most of them for a while only. */
const failuresOf = (random: Random, chaosMs: number): readonly PlannedFault[] =>
  Array.from({ length: random.int(8) }, () => ({
    ...{ at: random.between(CALM_MS, chaosMs), fault: 'targets' as const },
    ...{ zoneId: random.pick(ALL_ZONES), answer: random.chance(0.5) },
  }));

const inOrder = <T extends Readonly<{ at: number }>>(items: readonly T[]): readonly T[] =>
  items.toSorted((a, b) => a.at - b.at);

const weighted = (random: Random): StepName => {
  const all = Object.entries(STEPS) as [StepName, { weight: number }][];
  let rest = random.between(
    0,
    all.reduce((sum, [, { weight }]) => sum + weight, 0),
  );
  for (const [name, { weight }] of all) {
    rest -= weight;
    if (rest < 0) return name;
  }
  return 'createEndpoint';
};

const PROGRAMS = ['provider', 'consumer', 'broker', 'dns', ...ALL_ZONES.map((zoneId) => `agent-${zoneId}`)];

const faultOf = (random: Random, at: number): PlannedFault => {
  const program = random.pick(PROGRAMS);
  const replica = random.int(2);
  const dice = random.int(10);
  if (dice === 0) {
    return random.chance(0.5) ? { at, fault: 'wipeBus' } : { at, fault: 'killProxy', zoneId: random.pick(ALL_ZONES) };
  }
  if (dice < 3) return { at, fault: 'freeze', program, replica, ms: random.between(500, 9_000) };
  return { at, fault: dice < 4 ? 'stop' : 'kill', program, replica };
};

/** How often each trouble strikes where it strikes at all. */
const USUAL: Rates = {
  requestDropped: 0.05,
  requestLost: 0.02,
  replyDropped: 0.05,
  requestDuplicated: 0.15,
  slowNetwork: 0.05,
  appendLost: 0.01,
  appendReplyLost: 0.03,
  storeUnavailable: 0.01,
  streamBroken: 0.01,
  proxyRefuses: 0.05,
  proxySlow: 0.15,
  subscriptionSlow: 0.02,
  subscriptionBroken: 0.01,
  subscriptionStalled: 0.001,
  databaseBroken: 0.005,
  databaseReplyLost: 0.005,
  publishLost: 0.02,
  publishReplyLost: 0.02,
  acknowledgementLost: 0.05,
  crashAfterAppend: 0.01,
  crashAfterCall: 0.02,
  crashAfterEffect: 0.0005,
  resolverFails: 0.1,
};

const ratesOf = (random: Random): Rates => {
  const intensity = random.chance(0.1) ? 0 : random.pick([0.5, 1, 2, 3]);
  const entries = TROUBLES.map((kind): [TroubleKind, number] => [
    kind,
    random.chance(0.7) ? USUAL[kind] * intensity : 0,
  ]);
  return { ...NO_TROUBLE, ...Object.fromEntries(entries) };
};
