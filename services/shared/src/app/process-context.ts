import type { CommandContext } from '../eventing/command-context.ts';
import type { Folded } from './fold.ts';

const PATIENCE_MS = 30_000;

/**
 * For a command that a process gives of its own accord, because of what a stream says at some revision. Giving the
 * same command again for the same revision is the same request.
 *
 * @param actor who wanted it in the first place; the process itself when nobody did
 */
export const processContext = (
  step: string,
  because: Folded<unknown>,
  now: Date,
  { service, actor = `service:${service}` }: Readonly<{ service: string; actor?: string }>,
): CommandContext => ({
  actor,
  accountId: '',
  requestId: `service:${service}/${step}@${because.revision ?? 'none'}`,
  fingerprint: step,
  ...because.cause,
  deadline: now.getTime() + PATIENCE_MS,
});
