import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { forwarding as measured } from '@privatelink/shared/telemetry/metrics';
import type { Logger } from 'pino';
import { admitForwards } from './admission.ts';
import { NoAnswer, readChecks, readFrontends, readInfo } from './cli.ts';
import { awaitStopping, closeForwards, sweepWorker } from './closing.ts';
import { type Bind, bindKey, type Forward, nameOf, type Refusal } from './forward.ts';
import { createMaster, type Running } from './master.ts';
import { createMeter, type Meter } from './meter.ts';
import { probeBinds, validate } from './probe.ts';
import { CHECKS, type ConfigText, MASTER_SOCKET, readConfig, renderConfig } from './render.ts';

export type EngineOptions = Readonly<{
  /** HAProxy's program. */
  binary: string;
  /** Of its own: configuration, sockets and log. Absolute. */
  dir: string;
  log: Logger;
  clock: Clock;
  /** Flows of what a reload replaced are cut after this long; they live on until then. */
  hardStopAfterSeconds?: number;
  maxSockets?: number;
  /** How often each target is looked at: three misses, and it is down; two hits, and it is up again. */
  checkIntervalMs?: number;
}>;

/** A HAProxy that forwards what it is told. It outlives this process: an engine of the same directory takes it over. */
export type Engine = Readonly<{
  /**
   * Makes HAProxy forward exactly these; it is started if it does not run. Resolves when the new ones accept
   * connections and what is no longer among them neither accepts any nor has a flow left. Flows of the others go on.
   * Does nothing when nothing changed. Calls must not overlap.
   *
   * @throws when HAProxy cannot be made to; whatever it did before goes on, except for what was to be closed
   */
  apply: (forwards: readonly Forward[]) => Promise<Readonly<{ refused: readonly Refusal[] }>>;
  /** Whether targets answer, by `checkName`; those are not there that have not been looked at yet. */
  checks: () => Promise<ReadonlyMap<string, boolean>>;
  /** What goes through it. */
  meter: Pick<Meter, 'id' | 'look' | 'forget'>;
  /** Whether a HAProxy of this directory answers and accepts connections. */
  isAlive: () => Promise<boolean>;
  /** Ends HAProxy and all flows. */
  stop: () => Promise<void>;
}>;

const SIX_HOURS = 6 * 60 * 60;
const ALIVE_TIMEOUT_MS = 1_000;
/** What fits into a socket's address on macOS, which allows less than Linux. */
const MAX_SOCKET_PATH = 103;

/** What the current worker does, as far as we know. */
type Known = Readonly<{ worker: number; config: ConfigText | null }>;

export const createEngine = (options: EngineOptions): Engine => {
  const { binary, dir, log, clock, hardStopAfterSeconds = SIX_HOURS, maxSockets = 65_536 } = options;
  const { checkIntervalMs = 2_000 } = options;
  const socket = join(dir, MASTER_SOCKET);
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
    throw new Error(
      `The directory of HAProxy is too deep: a socket's path has at most ${MAX_SOCKET_PATH} bytes: ${dir}`,
    );
  }
  const program = { binary, dir };
  const configFile = join(dir, 'haproxy.cfg');
  const formerFile = join(dir, 'haproxy.former.cfg');
  const nextFile = join(dir, 'haproxy.next.cfg');
  const master = createMaster(program, configFile, clock);
  const meter = createMeter(dir, master);
  let known: Known | null = null;
  /** Replaced workers may have flows of what is not forwarded any more. */
  let unswept = true;

  const readText = (file: string): Promise<string | null> => readFile(file, 'utf8').catch(unlessAbsent);

  /** What a worker does that we have not started: the file that it was started with, less what was closed since. */
  const adopt = async ({ worker, former }: Running): Promise<Known> => {
    // Whoever was here before us may have ended while one worker took the sockets of another.
    await Promise.all(former.map((pid) => awaitStopping(master.cli, pid, clock)));
    const info = readInfo(await master.cli(`@!${worker} show info`));
    const texts = [await readText(configFile), await readText(formerFile)];
    const config =
      texts.map((text) => readConfig(text ?? '')).find((one) => one !== null && one.id === info?.configId) ?? null;
    const open = new Set(
      readFrontends(await master.cli(`@!${worker} show stat -1 1 -1`)).flatMap((one) => (one.open ? [one.name] : [])),
    );
    log.info({ worker, forwards: open.size, known: config !== null }, 'HAProxy runs already');
    const sections = new Map([...(config?.sections ?? [])].filter(([name]) => open.has(name)));
    return { worker, config: config && { ...config, sections } };
  };

  /** Leaves no flow but those of these names. Not when a worker has to be replaced for that: then it is false. */
  const close = async ({ former }: Running, names: ReadonlySet<string>): Promise<boolean> => {
    if (!known?.config) return false;
    const { sections } = known.config;
    const removed = new Map([...sections].filter(([name]) => !names.has(name)));
    if (removed.size === 0 && !unswept) return true;
    unswept = true;
    const left = new Map([...sections].filter(([name]) => names.has(name)));
    const [closed] = await Promise.all([
      removed.size === 0 || closeForwards(master.worker, removed, clock),
      sweep(former, names),
    ]);
    known = { ...known, config: { ...known.config, sections: left } };
    unswept = !closed;
    return closed;
  };

  const sweep = async (former: readonly number[], names: ReadonlySet<string>): Promise<void> => {
    await Promise.all(former.map((pid) => sweepWorker(master.cli, pid, names, clock)));
  };

  /** Makes this the configuration that runs. */
  const install = async (running: Running | null, config: string): Promise<Running> => {
    await writeFile(nextFile, config, { mode: 0o600 });
    await validate(program, nextFile);
    // Until the worker is replaced, what it was started with is still to be found.
    if (running) await Promise.all([copyFile(configFile, formerFile).catch(unlessAbsent), meter.hold(running.worker)]);
    await rename(nextFile, configFile);
    try {
      const now = running ? await master.reload(running) : await master.start();
      if (running) {
        measured.reloads.inc();
        // What the replaced worker has counted is read at once, and then it may end.
        void meter.look().catch((err: unknown) => log.warn({ err }, 'what was counted is not known'));
      }
      known = { worker: now.worker, config: readConfig(config) };
      return now;
    } catch (error) {
      if (running) await rename(formerFile, configFile).catch(unlessAbsent);
      throw error;
    }
  };

  const apply: Engine['apply'] = async (forwards) => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await chmod(dir, 0o700);
    const names = new Set(forwards.map(nameOf));
    let running = await master.find();
    if (!running) {
      // Workers of a dead master hold their addresses for seconds.
      await master.stop();
      known = null;
      unswept = false;
    } else if (known?.worker !== running.worker) {
      known = await adopt(running);
      unswept = true;
    }
    const closed = running === null || (await close(running, names));

    // Of a worker that we know nothing of we cannot tell what it holds: a reload shows whether it can bind the rest.
    const probe = known && !known.config ? nothingFails : (binds: readonly Bind[]) => probeBinds(program, binds);
    const admission = await admitForwards(forwards, known?.config?.sections ?? new Map(), probe);
    const { admitted, refused, namespaces, stale } = admission;
    const render = (some: readonly Forward[], id: string = randomUUID()) =>
      renderConfig(some, { id, hardStopAfterSeconds, maxSockets, checkIntervalMs, namespaces });

    const current = known?.config;
    const unchanged = current && closed && isSame(current, readConfig(render(admitted)));
    if (unchanged) {
      // Who reloads HAProxy by hand does not open again what was closed since it started.
      const text = render(admitted, current.id);
      if (text !== (await readText(configFile))) {
        await writeFile(nextFile, text, { mode: 0o600 });
        await rename(nextFile, configFile);
      }
      return { refused };
    }
    if (running && stale.size > 0) {
      // HAProxy keeps a socket by its address and its namespace's name: it has to let go of it first.
      const without = admitted.map((one) => ({ ...one, binds: one.binds.filter((bind) => !stale.has(bindKey(bind))) }));
      running = await install(running, render(without));
    }
    running = await install(running, render(admitted));
    if (unswept) await sweep(running.former, names);
    unswept = false;
    return { refused };
  };

  return {
    apply,
    meter,
    checks: async () => {
      try {
        return readChecks(await master.worker(`show stat ${CHECKS} 4 -1`));
      } catch (error) {
        if (error instanceof NoAnswer) return new Map();
        throw error;
      }
    },
    isAlive: async () => (await master.find(ALIVE_TIMEOUT_MS)) !== null,
    stop: async () => {
      await master.stop();
      known = null;
    },
  };
};

const nothingFails = async (): Promise<ReadonlyMap<string, string>> => new Map();

const unlessAbsent = (error: NodeJS.ErrnoException): null => {
  if (error.code !== 'ENOENT') throw error;
  return null;
};

/** Whether what runs is what is wanted. What it looks at besides costs no reload. */
const isSame = (a: ConfigText, b: ConfigText | null): boolean =>
  b !== null &&
  a.common === b.common &&
  [...b.checks].every((line) => a.checks.has(line)) &&
  a.sections.size === b.sections.size &&
  [...a.sections].every(([name, section]) => b.sections.get(name) === section);
