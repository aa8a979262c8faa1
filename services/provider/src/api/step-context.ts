import type { CommandContext } from '@privatelink/shared/eventing/command-context';

/** For what is written in a ledger: idempotent by what it names; each step is a request of its own. */
export const stepContext = (context: CommandContext, step: string): CommandContext => ({
  ...context,
  requestId: `${context.requestId}/${step}`,
});
