import type { StoredEvent } from '../eventing/message.ts';

/** The first outcome of a request, as the stream keeps it. `revision` is that of the request's last event. */
export type RequestEntry = Readonly<{ requestId: string; fingerprint: string; revision: string }>;

/** The stream's creation for ever, and its last 256 requests, oldest first. JSON, since snapshots keep it. */
export type RequestLog = Readonly<{ creation: RequestEntry | null; recent: readonly RequestEntry[] }>;

const KEPT = 256;

export const noRequests: RequestLog = { creation: null, recent: [] };

export const addRequest = (log: RequestLog, event: StoredEvent): RequestLog => {
  const { requestId, fingerprint } = event.metadata;
  if (!requestId || fingerprint === undefined) return log;
  const entry = { requestId, fingerprint, revision: event.revision.toString() };
  const creation = log.creation === null || log.creation.requestId === requestId ? entry : log.creation;
  const repeats = log.recent.at(-1)?.requestId === requestId;
  const recent = [...(repeats ? log.recent.slice(0, -1) : log.recent.slice(-(KEPT - 1))), entry];
  return { creation, recent };
};

export const findRequest = (log: RequestLog, requestId: string): RequestEntry | undefined =>
  log.recent.findLast((entry) => entry.requestId === requestId) ??
  (log.creation?.requestId === requestId ? log.creation : undefined);
