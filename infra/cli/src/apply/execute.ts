import { connectionState, getters } from './answers.ts';
import { type Plan, ready, type Step } from './plan.ts';
import { stepRunner, type Written } from './run-step.ts';
import type { DeclaredSet, Fields, Invoke } from './things.ts';
import { type Patience, type Progress, until } from './waiting.ts';

const POLL_MS = 250;

type Options = Readonly<{ invoke: Invoke; progress: Progress; waitMs: number; pollMs?: number }>;
type Declaration = Pick<DeclaredSet, 'set' | 'declared'>;

/** Carries a plan out, and waits for what follows. Interrupted at any point, another plan finds the rest. */
export const execute = async (
  { set, declared }: Declaration,
  { steps }: Plan,
  known: ReadonlyMap<string, string>,
  { invoke, progress, waitMs, pollMs = POLL_MS }: Options,
): Promise<void> => {
  const ids = new Map(known);
  const patience = { progress, deadline: Date.now() + waitMs, pollMs };
  const written: Written[] = [];
  const run = stepRunner({ set, invoke, patience, ids, written: (what) => void written.push(what) });
  // What is taken away may be in use until the rest is changed.
  await inTurn(
    steps.filter(({ action }) => action !== 'delete'),
    run,
  );
  await inTurn(
    steps.filter(({ action }) => action === 'delete'),
    run,
  );
  await untilConnected(declared, ids, invoke, patience, steps.length > 0);
  // Whoever plans next is to see all of this.
  await Promise.all(
    written.map(({ account, list, token }) =>
      invoke(account, { rpc: list, request: { page_size: 1, consistency_token: token } }),
    ),
  );
};

/** Each step after those that it follows, and all at once that may be. */
const inTurn = async (steps: readonly Step[], run: (step: Step) => Promise<void>): Promise<void> => {
  for (let left = steps; left.length > 0; ) {
    const now = ready(left);
    const results = await Promise.allSettled(now.map(run));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    left = left.filter((step) => !now.includes(step));
  }
};

/** Connections that something holds stay as they are: of the others it is waited until they are up. */
const untilConnected = async (
  declared: Declaration['declared'],
  ids: ReadonlyMap<string, string>,
  invoke: Invoke,
  patience: Patience,
  tell: boolean,
): Promise<void> => {
  for (const { kind, name, account } of declared) {
    const id = ids.get(name);
    if (kind !== 'Endpoint' || id === undefined) continue;
    const what = `${kind} ${name}`;
    let seen = '';
    await until(what, patience, async () => {
      const answer = await invoke(account, getters.Endpoint.of(id));
      seen = connectionState(answer['endpoint'] as Fields);
      return /^(CONNECTED|DISCONNECTED|SERVICE_DELETED)/.test(seen) || seen;
    });
    if (tell) patience.progress.done(`  ${what} ${seen}`);
  }
};
