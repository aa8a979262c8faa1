import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Logger } from 'pino';
import { readSamples, type Sample } from './open-metrics.ts';

/** A process whose metrics are read, as it was last heard. */
export type Process = Readonly<{
  /** `host:port`, of a name that leads to several each. */
  address: string;
  heardAt: Date | null;
  /** Whether it answered when it was asked last. */
  isAnswering: boolean;
  samples: readonly Sample[];
}>;

export type WatchDeps = Readonly<{
  resolve?: (host: string) => Promise<readonly string[]>;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}>;

type Watch = Readonly<{
  /** `host:port` each. A name may lead to several processes, and to others later. */
  addresses: readonly string[];
  /** The metrics that are read. */
  names: ReadonlySet<string>;
  onRound: (processes: readonly Process[], time: Date) => void;
}>;

const EVERY_MS = 2_000;
const TIMEOUT_MS = 1_500;
const PARALLEL = 32;
const MAX_PROCESSES = 1_000;
const MAX_CHARACTERS = 4 * 1024 * 1024;
/** A process to which no name leads any more may be about to come back. */
const FORGET_AFTER_MS = 60_000;

const addressesOf = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** Asks all processes for their metrics, again and again, until the signal aborts. Only the last answer is kept. */
export const watchProcesses = async (deps: WatchDeps, { addresses, names, onRound }: Watch): Promise<void> => {
  const { resolve = addressesOf, clock, log, signal } = deps;
  const places = new Map<string, readonly string[]>();
  let known: ReadonlyMap<string, Process> = new Map();

  const find = async (address: string): Promise<void> => {
    const { host, port } = split(address);
    if (isIP(host) === 0) {
      const found = await resolve(host).catch(() => []);
      if (found.length > 0)
        places.set(
          address,
          found.map((ip) => join(ip, port)),
        );
    }
  };

  const ask = async (address: string): Promise<Process> => {
    const before = known.get(address) ?? { address, heardAt: null, isAnswering: false, samples: [] };
    try {
      const samples = await readFrom(address, names, signal);
      if (!before.isAnswering) log.info({ address }, 'a process gives metrics');
      return { address, heardAt: clock.now(), isAnswering: true, samples };
    } catch (err) {
      if (before.isAnswering && !signal.aborted) log.warn({ address, err }, 'a process does not give metrics any more');
      return { ...before, isAnswering: false };
    }
  };

  while (!signal.aborted) {
    await Promise.all(addresses.map(find));
    const named = addresses.flatMap((address) => places.get(address) ?? [address]);
    const silentSince = clock.now().getTime() - FORGET_AFTER_MS;
    const missed = [...known.values()].filter(({ heardAt }) => heardAt && heardAt.getTime() > silentSince);
    const asked = [...new Set([...named, ...missed.map(({ address }) => address)])].slice(0, MAX_PROCESSES);
    const heard = new Map<string, Process>();
    await forEachLimit(asked, PARALLEL, async (address) => {
      heard.set(address, await ask(address));
    });
    if (signal.aborted) return;
    known = heard;
    onRound(
      [...heard.values()].sort((a, b) => (a.address < b.address ? -1 : 1)),
      clock.now(),
    );
    await clock.sleep(EVERY_MS, signal);
  }
};

const readFrom = async (
  address: string,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly Sample[]> => {
  const reply = await fetch(`http://${address}/metrics`, {
    // A connection that is kept may be one to a process that has ended.
    headers: { accept: 'application/openmetrics-text; version=1.0.0', connection: 'close' },
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  if (!reply.ok || !reply.body) throw new Error(`it answers with ${reply.status}`);
  let text = '';
  for await (const chunk of reply.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.length > MAX_CHARACTERS) throw new Error(`it tells more than ${MAX_CHARACTERS} characters`);
  }
  return readSamples(text, names);
};

const split = (address: string): Readonly<{ host: string; port: string }> => {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: address.slice(at + 1) };
};

const join = (ip: string, port: string): string => (isIP(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`);
