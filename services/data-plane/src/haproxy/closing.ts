import type { Clock } from '@privatelink/shared/eventing/ports';
import { type Cli, type Flow, NoAnswer, readFlows, readFrontends, readInfo } from './cli.ts';
import { send } from './processes.ts';
import { serversOf } from './render.ts';

const POLL_MS = 5;
/** How often the flows of a closed forward are looked at before something slower has to cut them. */
const LOOKS = 20;

/**
 * Makes a worker accept nothing more for these forwards (their sections by name), and cuts their flows.
 *
 * @returns whether none is left: a flow whose target has closed, but whose client has not, cannot be cut this way
 */
export const closeForwards = async (
  worker: Cli,
  sections: ReadonlyMap<string, string>,
  clock: Clock,
): Promise<boolean> => {
  const names = [...sections.keys()];
  const cut = (name: string) =>
    serversOf(sections.get(name) ?? '').map((server) => `shutdown sessions server ${name}/${server}`);
  // HAProxy refuses to cut the flows of a frontend that has been shut down: until then it is paused.
  await worker(...names.flatMap((name) => [`disable frontend ${name}`, ...cut(name)]));
  let left: readonly string[] = names;
  for (let look = 0; look < LOOKS; look++) {
    const busy = new Set(
      readFrontends(await worker('show stat -1 1 -1')).flatMap(({ name, sessions }) => (sessions > 0 ? [name] : [])),
    );
    left = left.filter((name) => busy.has(name));
    if (left.length === 0) break;
    await worker(...left.flatMap(cut));
    await clock.sleep(POLL_MS);
  }
  await worker(...names.map((name) => `shutdown frontend ${name}`));
  return left.length === 0;
};

const SWEEP_TIMEOUT_MS = 5_000;
const PARALLEL = 4;

/** A worker that ends while it is asked says nothing. */
const askWorker = async (master: Cli, pid: number, command: string): Promise<string | null> => {
  try {
    return await master(`@!${pid} ${command}`);
  } catch (error) {
    if (error instanceof NoAnswer) return null;
    throw error;
  }
};

/** Waits until a replaced worker has stopped accepting, or is gone. */
export const awaitStopping = async (master: Cli, pid: number, clock: Clock): Promise<void> => {
  const deadline = clock.now().getTime() + SWEEP_TIMEOUT_MS;
  for (;;) {
    const answer = await askWorker(master, pid, 'show info');
    const info = answer === null ? null : readInfo(answer);
    if (answer !== null && (!info || info.stopping)) return;
    if (clock.now().getTime() > deadline) throw new Error(`HAProxy's replaced worker ${pid} does not stop`);
    await clock.sleep(POLL_MS);
  }
};

/** Leaves a replaced worker no flows but those of the kept forwards. */
export const sweepWorker = async (master: Cli, pid: number, kept: ReadonlySet<string>, clock: Clock): Promise<void> => {
  // A flow's id is an address that the next flow may get; a worker that accepts none has no next flow.
  await awaitStopping(master, pid, clock);
  const deadline = clock.now().getTime() + SWEEP_TIMEOUT_MS;
  for (;;) {
    const answer = await askWorker(master, pid, 'show sess');
    const flows = readFlows(answer ?? '');
    const doomed = flows.filter(({ name }) => !kept.has(name));
    if (answer !== null && doomed.length === 0) return;
    if (clock.now().getTime() > deadline) throw new Error(`HAProxy's replaced worker ${pid} keeps closed flows`);
    if (doomed.length > 0 && doomed.length === flows.length) send(pid, 'SIGTERM');
    else await cutFlows(master, pid, doomed);
    await clock.sleep(POLL_MS);
  }
};

const cutFlows = async (master: Cli, pid: number, flows: readonly Flow[]): Promise<void> => {
  const share = Math.ceil(flows.length / PARALLEL);
  const shares = Array.from({ length: PARALLEL }, (_, part) => flows.slice(part * share, (part + 1) * share));
  await Promise.all(shares.map((part) => master(...part.map(({ id }) => `@!${pid} shutdown session ${id}`))));
};
