import type { Service } from '@privatelink/shared/runtime/lifecycle';

import type { Surroundings } from './foundation.ts';
import { createHost, type Host } from './host.ts';
import { describe, serviceLog } from './log.ts';
import type { Answers, Program } from './programs.ts';
import type { Timeline } from './timeline.ts';

/** The hosts of all programs; the replicas of a program count from 0. */
export type Cluster = Readonly<{
  /** Ends a host as `kill -9` does; it comes back by itself. */
  kill: (program: string, replica: number) => void;
  /** Asks a host to stop, as SIGTERM does; it comes back too. */
  stop: (program: string, replica: number) => void;
  freeze: (program: string, replica: number, ms: number) => void;
  /** What each running DNS server answers. */
  dnsServers: () => readonly Answers[];
  isUp: () => boolean;
  /** Bugs that a program has logged, and ends of programs that nobody asked for. */
  complaints: readonly string[];
  /** Ends all hosts for good. */
  end: () => void;
}>;

type Slot = { host: Host | null; stopping: AbortController | null; answers: Answers | null };

const STOP_GRACE_MS = 10_000;

/** Runs replicas of programs, and starts again what has ended. */
export const startCluster = (
  timeline: Timeline,
  { trouble, random, told }: Surroundings,
  programs: Readonly<Record<string, Program>>,
  replicas: number,
): Cluster => {
  const complaints: string[] = [];
  const slots = new Map<string, Slot>();
  const restarts = random.fork('restarts');
  let starts = 0;
  let isOver = false;

  const start = (name: string, replica: number, program: Program): void => {
    const life = `${name}#${replica}.${++starts}`;
    const host = createHost({ name: life, timeline, random: random.fork(life), trouble });
    const stopping = new AbortController();
    const slot: Slot = { host, stopping, answers: null };
    const stops: (() => Promise<void> | void)[] = [];
    slots.set(`${name}#${replica}`, slot);
    host.onEnd(() => {
      Object.assign(slot, { host: null, stopping: null, answers: null });
      if (!isOver) timeline.after(restarts.between(50, 6_000), () => start(name, replica, program));
    });
    const service: Service = {
      log: serviceLog(host, complaints, told),
      signal: stopping.signal,
      onStop: (step) => stops.push(step),
      fail: (error) => {
        if (!host.isAlive()) return;
        complaints.push(`${life} ended itself: ${describe(error)}`);
        host.kill();
      },
    };
    stopping.signal.addEventListener('abort', () => {
      const windUp = async (): Promise<void> => {
        for (const step of stops.reverse()) await Promise.resolve(step()).catch(() => undefined);
        host.kill();
      };
      // An agent ends by itself when what it does is done.
      if (stops.length > 0) void windUp();
      timeline.after(STOP_GRACE_MS, host.kill);
    });
    const show = (answers: Answers): void => {
      slot.answers = answers;
    };
    // What a start needs may be away: then it is started once more.
    program(host, service, show).catch(() => host.kill());
  };

  for (const [name, program] of Object.entries(programs)) {
    for (let replica = 0; replica < replicas; replica++) start(name, replica, program);
  }
  const slotOf = (program: string, replica: number): Slot | undefined => slots.get(`${program}#${replica % replicas}`);

  return {
    complaints,
    kill: (program, replica) => slotOf(program, replica)?.host?.kill(),
    stop: (program, replica) => slotOf(program, replica)?.stopping?.abort(),
    freeze: (program, replica, ms) => slotOf(program, replica)?.host?.freeze(ms),
    dnsServers: () => [...slots.values()].flatMap(({ answers }) => answers ?? []),
    isUp: () => [...slots.values()].every(({ host }) => host !== null),
    end: () => {
      isOver = true;
      for (const { host } of slots.values()) host?.kill();
    },
  };
};
