import type { AnyEvent } from '../eventing/message.ts';
import { commands } from '../telemetry/metrics.ts';

type Answered = Readonly<{ kind: 'repeated' | 'failed' }> | Readonly<{ kind: 'done'; events: readonly AnyEvent[] }>;

/** Counts what came of a command. */
export const measureCommand = (category: string, command: string, answer: Answered): void => {
  commands.decided.inc({ category, command, outcome: outcomeOf(answer) });
  if (answer.kind !== 'done') return;
  for (const { type, data } of answer.events) {
    commands.events.inc({ category, event: type });
    const { move } = data as { move?: { from: string | null; to: string } | null };
    if (move) commands.statusChanges.inc({ category, from: move.from ?? '', to: move.to });
  }
};

const outcomeOf = (answer: Answered): string => {
  if (answer.kind !== 'done') return answer.kind === 'failed' ? 'refused' : answer.kind;
  return answer.events.length > 0 ? 'appended' : 'unchanged';
};
