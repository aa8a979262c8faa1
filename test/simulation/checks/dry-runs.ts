import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { DRY } from '../world/client.ts';

/** Events of a request that was a dry run, or that a process has made of an event that nobody has stored. */
export const tracesOfDryRuns = (history: readonly StoredEvent[]): readonly string[] => {
  const stored = new Set(history.map(({ id }) => id));
  return history.flatMap(({ stream, type, metadata }) => {
    const { requestId = '', $causationId: cause = '' } = metadata;
    if (requestId.includes(DRY)) return [`${stream}: ${type} is of a dry run`];
    const isOfProcess = requestId.startsWith('service:') && requestId.includes('@');
    return isOfProcess && cause !== '' && !stored.has(cause)
      ? [`${stream}: ${type} comes of an event that is none`]
      : [];
  });
};
