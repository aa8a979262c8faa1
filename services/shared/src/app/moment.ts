import type { StoredEvent } from '../eventing/message.ts';
import { Rejected } from '../eventing/rejected.ts';
import type { Folded } from './fold.ts';

/** A moment that has passed: what was recorded up to it, it included. `time` is ISO 8601, to the millisecond. */
export type Moment = Readonly<{ position: bigint }> | Readonly<{ time: string }>;

/**
 * Whether an event is the first one after a moment; what follows it in its stream is then later too, whatever its own
 * clock said. Events say themselves when they happened: the store's times are cut to seconds where streams are read.
 */
export const isAfter = (moment: Moment, { position, data }: Pick<StoredEvent, 'position' | 'data'>): boolean => {
  if ('position' in moment) return position > moment.position;
  const { at } = data as { at?: string };
  // A snapshot belongs to what it repeats.
  return at !== undefined && Date.parse(at) > Date.parse(moment.time);
};

export type MomentRejection = 'NOT_CREATED_YET' | 'DELETED_BY_THEN';

/** For somebody who may know of the resource: why there was none at that moment. */
export const notThen = (resourceType: string, id: string, then: Pick<Folded<unknown>, 'revision'>) =>
  new Rejected<MomentRejection>(then.revision === null ? 'NOT_CREATED_YET' : 'DELETED_BY_THEN', {
    resource_type: resourceType,
    resource_id: id,
  });
