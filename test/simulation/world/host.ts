import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Trouble } from './trouble.ts';

/** One run of a program, until it ends; the next run of the same program is another host. */
export type Host = Readonly<{
  name: string;
  clock: Clock;
  isAlive: () => boolean;
  /**
   * Asks something elsewhere: it takes time, and what has left arrives also when this host has ended meanwhile. Nothing
   * ever comes back to a host that has ended, so that whatever it was doing stops where it was.
   */
  ask: <T>(elsewhere: () => Promise<T> | T) => Promise<T>;
  /** Something reaches this host, when it is not frozen and if it is still there. */
  receive: (run: () => void) => void;
  /** Ends as `kill -9` does. */
  kill: () => void;
  onEnd: (listener: () => void) => () => void;
  /** Stands still, as after SIGSTOP. */
  freeze: (ms: number) => void;
}>;

type Options = Readonly<{ name: string; timeline: Timeline; random: Random; trouble: Trouble }>;

export const createHost = ({ name, timeline, random, trouble }: Options): Host => {
  let isAlive = true;
  let frozenUntil = 0;
  const endings = new Set<() => void>();

  const receive = (run: () => void): void => {
    if (!isAlive) return;
    const wait = frozenUntil - timeline.now();
    if (wait > 0) timeline.after(wait, () => receive(run));
    else run();
  };

  const kill = (): void => {
    if (!isAlive) return;
    isAlive = false;
    for (const listener of [...endings]) listener();
    endings.clear();
  };

  const delay = (): number => (trouble.strikes('slowNetwork') ? random.between(20, 2_000) : random.between(0.1, 1.5));

  return {
    name,
    isAlive: () => isAlive,
    receive,
    kill,
    onEnd: (listener) => {
      endings.add(listener);
      return () => endings.delete(listener);
    },
    freeze: (ms) => {
      frozenUntil = Math.max(frozenUntil, timeline.now() + ms);
    },
    clock: {
      now: () => new Date(Math.floor(timeline.now())),
      sleep: (ms, signal) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        if (!isAlive) return promise;
        if (signal?.aborted) return Promise.resolve();
        const wake = (): void => {
          signal?.removeEventListener('abort', stop);
          receive(resolve);
        };
        const cancel = timeline.after(ms, wake);
        const stop = (): void => {
          cancel();
          if (isAlive) resolve();
        };
        signal?.addEventListener('abort', stop, { once: true });
        return promise;
      },
    },
    ask: <T>(elsewhere: () => Promise<T> | T): Promise<T> => {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      if (!isAlive) return promise;
      const back = (run: () => void): void => {
        if (trouble.strikes('crashAfterEffect')) kill();
        timeline.after(delay(), () => receive(run));
      };
      timeline.after(delay(), () => {
        new Promise<T>((done) => done(elsewhere())).then(
          (value) => back(() => resolve(value)),
          (error: unknown) => back(() => reject(error)),
        );
      });
      return promise;
    },
  };
};
