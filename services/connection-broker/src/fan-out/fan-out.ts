import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';

/**
 * Telling every connection of a scope the facts of the scope, page by page. A newer version of the facts starts the
 * telling anew and supersedes the older one; a page told twice changes nothing.
 */
export type FanOutEvent =
  | Ev<'FanOutStarted', { factsVersion: number; position: string; at: string }>
  | Ev<'FanOutProgressed', { factsVersion: number; cursor: string; told: number; at: string }>
  | Ev<'FanOutCompleted', { factsVersion: number; told: number; at: string }>;

export type FanOut = Readonly<{
  factsVersion: number;
  /** Connections requested after this position ask for the facts themselves. */
  position: string;
  /** Id of the last connection told; empty at the start. */
  cursor: string;
  told: number;
  completed: boolean;
}>;

export type FanOutCommand =
  | Cmd<'StartFanOut', { factsVersion: number; position: string }>
  | Cmd<'RecordPage', { factsVersion: number; cursor: string; told: number }>
  | Cmd<'CompleteFanOut', { factsVersion: number }>;

export const fanOut: Decider<FanOutCommand, FanOutEvent, FanOut> = {
  category: 'fanOut',
  initial: { factsVersion: 0, position: '0', cursor: '', told: 0, completed: true },
  evolve: (state, event) => {
    switch (event.type) {
      case 'FanOutStarted': {
        const { factsVersion, position } = event.data;
        return { factsVersion, position, cursor: '', told: 0, completed: false };
      }
      case 'FanOutProgressed':
        return { ...state, cursor: event.data.cursor, told: event.data.told };
      case 'FanOutCompleted':
        return { ...state, completed: true };
      default:
        return assertNever(event);
    }
  },
  decide: (command, state, at) => {
    const { factsVersion } = command.data;
    switch (command.type) {
      case 'StartFanOut':
        return factsVersion > state.factsVersion ? [{ type: 'FanOutStarted', data: { ...command.data, at } }] : [];
      case 'RecordPage':
        if (factsVersion !== state.factsVersion || state.completed || command.data.cursor <= state.cursor) return [];
        return [{ type: 'FanOutProgressed', data: { ...command.data, at } }];
      case 'CompleteFanOut':
        if (factsVersion !== state.factsVersion || state.completed) return [];
        return [{ type: 'FanOutCompleted', data: { factsVersion, told: state.told, at } }];
      default:
        return assertNever(command);
    }
  },
};
