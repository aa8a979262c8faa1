import { z } from 'zod';
import type { FactLog, FactRow } from '../read-models/facts.ts';
import type { Scope } from '../views/caller-view.ts';
import { actorFor } from '../views/fact-view.ts';

export const factJson = z.object({
  id: z.string().describe('Its place in the live feed'),
  eventId: z.string(),
  type: z.string(),
  resourceType: z.string(),
  resourceId: z.string(),
  serviceId: z.string(),
  accountIds: z.array(z.string()),
  actor: z.string().describe('Empty for somebody of another account'),
  transition: z.object({ from: z.string(), to: z.string(), because: z.string() }).nullable(),
  recordTime: z.string(),
  source: z.string(),
  sourceRevision: z.string(),
  position: z.string(),
  correlationId: z.string(),
});

export const toFactJson = (log: Pick<FactLog, 'id'>, fact: FactRow, scope: Scope): z.infer<typeof factJson> => ({
  id: placeText(log, fact.sequence),
  eventId: fact.event_id,
  type: fact.type,
  resourceType: fact.resource_type,
  resourceId: fact.resource_id,
  serviceId: fact.service_id,
  accountIds: [...fact.account_ids],
  actor: actorFor(fact, scope),
  transition:
    fact.moved_to === null ? null : { from: fact.moved_from ?? '', to: fact.moved_to, because: fact.because ?? '' },
  recordTime: fact.record_time.toISOString(),
  source: fact.source,
  sourceRevision: String(fact.source_revision),
  position: String(fact.position),
  correlationId: fact.correlation_id,
});

/** A place in the log of facts, as clients hand it back. */
export const placeText = ({ id }: Pick<FactLog, 'id'>, sequence: bigint): string => `${id}.${sequence}`;

const PLACE = /^([0-9a-f-]{36})\.(\d{1,18})$/;

/** Undefined for what is no place; null for a place in another log, or before what is kept of this one. */
export const readPlace = ({ id, first, last }: FactLog, text: string): bigint | null | undefined => {
  const [, log, sequence] = PLACE.exec(text) ?? [];
  if (sequence === undefined) return undefined;
  const place = BigInt(sequence);
  return log === id && place >= first - 1n && place <= last ? place : null;
};
