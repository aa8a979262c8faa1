import { expect } from 'vitest';
import { type Decider, evolveAll } from '../eventing/decider.ts';
import type { AnyCommand, AnyEvent } from '../eventing/message.ts';
import { Rejected } from '../eventing/rejected.ts';

type Then<E> = Readonly<{
  /** Exactly these events; and the same command on what they lead to yields nothing. */
  thenEvents: (...events: E[]) => void;
  /** These types in this order. */
  thenTypes: (...types: string[]) => readonly E[];
  thenNothing: () => void;
  thenRejected: (reason: string, facts?: Record<string, string>) => void;
}>;

/** Given events, when a command, then events: the deciders' only test kit. */
export const deciderSpec = <C extends AnyCommand, E extends AnyEvent, S>(
  decider: Decider<C, E, S>,
  at = '2026-01-02T03:04:05.000Z',
) => {
  const when =
    (history: readonly E[]) =>
    (command: C): Then<E> => {
      const state = evolveAll(decider, decider.initial, history);
      const run = (): readonly E[] => {
        const events = decider.decide(command, state, at);
        const repeated = decider.decide(command, evolveAll(decider, state, events), at);
        expect(repeated, 'the same command again must change nothing').toEqual([]);
        return events;
      };
      return {
        thenEvents: (...events) => expect(run()).toEqual(events),
        thenTypes: (...types) => {
          const events = run();
          expect(events.map((event) => event.type)).toEqual(types);
          return events;
        },
        thenNothing: () => expect(run()).toEqual([]),
        thenRejected: (reason, facts) => {
          try {
            decider.decide(command, state, at);
          } catch (error) {
            if (!(error instanceof Rejected)) throw error;
            expect(error.reason).toBe(reason);
            if (facts) expect(error.facts).toMatchObject(facts);
            return;
          }
          expect.unreachable(`expected a rejection with ${reason}`);
        },
      };
    };
  return {
    at,
    given: (...history: E[]) => ({ when: when(history) }),
    givenAll: (history: readonly E[]) => ({ when: when(history) }),
  };
};
