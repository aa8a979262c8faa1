import { parseArgs } from 'node:util';
import { CHECKS } from './checks/registry.ts';
import { type Plan, planOf } from './plan.ts';
import { kindOf, shrink } from './shrink.ts';
import { type Report, simulate } from './simulate.ts';

const USAGE = `npm run simulate -- [--minutes M] [--seed S] [--tries N] [--log]

Runs the whole system in one process on simulated time, store, bus and network, each seed another story with other
faults, until M minutes have passed (default 1); or one seed alone. The same seed gives the same story. A failure is
shrunk with at most N further runs (default 150; 0 for none) and printed; then the exit code is 1.
With --log everything that the services log is printed, and at last everything that they recorded.`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    tries: { type: 'string', default: '150' },
    log: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const describePlan = ({ steps, faults, rates, replicas, chaosMs }: Plan): string =>
  [
    `  ${replicas} of each service, chaos until ${seconds(chaosMs)}`,
    ...Object.entries(rates).flatMap(([kind, rate]) => (rate > 0 ? [`  ${kind} with probability ${rate}`] : [])),
    ...[
      ...steps.map(({ at, step, seed }) => ({ at, text: `${step} (${seed})` })),
      ...faults.map(({ at, fault, ...what }) => ({ at, text: `${fault} ${Object.values(what).join(' ')}` })),
    ]
      .sort((a, b) => a.at - b.at)
      .map(({ at, text }) => `  ${seconds(at)} ${text}`),
  ].join('\n');

const describeEvent = ({ position, recordedAt, stream, revision, type, data }: Report['history'][number]): string =>
  `${position} ${recordedAt.slice(14, 23)} ${stream}@${revision} ${type} ${JSON.stringify(data)}`;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;

const tell = async ({ plan, violations }: Report): Promise<void> => {
  console.log(`\nseed ${plan.seed} fails:`);
  for (const violation of violations) console.log(`  ${violation}`);
  const kinds = new Set(violations.map(kindOf));
  const fails = async (smaller: Plan): Promise<boolean> =>
    (await simulate(smaller)).violations.some((violation) => kinds.has(kindOf(violation)));
  console.log(`\nwhat is left of it when the rest is left out (${plan.steps.length} steps at first):`);
  console.log(describePlan(await shrink(plan, fails, Number(values.tries))));
  console.log(`\nagain: npm run simulate -- --seed ${plan.seed}`);
};

const run = async (): Promise<number> => {
  const end = performance.now() + Number(values.minutes) * 60_000;
  const first = Math.floor(Date.now() / 1000);
  const total = { seeds: 0, steps: 0, faults: 0, requests: 0, events: 0, simulatedHours: 0 };
  const troubles: Record<string, number> = {};
  const known: Record<string, number> = {};
  do {
    const planned = planOf(values.seed ?? String(first + total.seeds));
    const report = await simulate(planned, values.log ? { told: console.log } : {});
    if (values.log) for (const event of report.history) console.log(describeEvent(event));
    const { plan } = report;
    total.seeds++;
    total.steps += plan.steps.length;
    total.faults += plan.faults.length;
    total.requests += report.requests;
    total.events += report.history.length;
    total.simulatedHours += report.simulatedMs / 3_600_000;
    for (const what of report.known) known[what] = (known[what] ?? 0) + 1;
    for (const { fault } of plan.faults) troubles[fault] = (troubles[fault] ?? 0) + 1;
    for (const [kind, count] of Object.entries(report.troubles)) troubles[kind] = (troubles[kind] ?? 0) + (count ?? 0);
    if (report.violations.length === 0) continue;
    await tell(report);
    return 1;
  } while (values.seed === undefined && performance.now() < end);

  const which = values.seed ?? `${first} to ${first + total.seeds - 1}`;
  console.log(`seeds ${which}: ${total.seeds} simulations, ${total.simulatedHours.toFixed(1)} simulated hours`);
  console.log(`steps ${total.steps}, requests ${total.requests}, events recorded ${total.events}`);
  console.log(
    `faults: ${Object.entries(troubles)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', ')}`,
  );
  for (const [what, count] of Object.entries(known)) console.log(`known weakness, met ${count} times: ${what}`);
  console.log(`invariants, each held in every simulation:`);
  for (const name of Object.keys(CHECKS)) console.log(`  ${name}`);
  return 0;
};

if (values.help) console.log(USAGE);
else process.exitCode = await run();
