import { status } from '@grpc/grpc-js';
import type { AsOf } from '@privatelink/proto/common/v1/common';
import { InvalidRequest } from '../app/errors.ts';
import type { Moment, MomentRejection } from '../app/moment.ts';
import type { Clock, EventStore } from '../eventing/ports.ts';
import type { ErrorCatalogue } from './status.ts';
import { instantOf } from './timestamp.ts';

/**
 * The moment that a read is asked for; null for now.
 *
 * @throws InvalidRequest for one that has not come yet: its answer could change
 */
export type ReadMoment = (asOf: AsOf | undefined) => Promise<Moment | null>;

export const momentReader =
  ({ store, clock }: Readonly<{ store: Pick<EventStore, 'tail'>; clock: Pick<Clock, 'now'> }>): ReadMoment =>
  async (asOf) => {
    if (!asOf) return null;
    const { moment } = asOf;
    if (moment?.$case === 'position') {
      const position = moment.value;
      if (position <= (await store.tail())) return { position };
      throw refused('as_of.position', 'must not be beyond the last event');
    }
    if (moment?.$case === 'time') {
      const time = instantOf(moment.value);
      if (time === null) throw refused('as_of.time', 'must be a time');
      if (Date.parse(time) <= clock.now().getTime()) return { time };
      throw refused('as_of.time', 'must not be in the future');
    }
    throw refused('as_of', 'must be a position or a time');
  };

const refused = (field: string, description: string) => new InvalidRequest([{ field, description }]);

/** For the catalogue of each service that is asked for the past. */
export const momentErrors = {
  NOT_CREATED_YET: {
    code: status.NOT_FOUND,
    message: ({ resource_id: id }) => `${id} had not been created yet`,
  },
  DELETED_BY_THEN: {
    code: status.NOT_FOUND,
    message: ({ resource_id: id }) => `${id} was deleted by then`,
  },
} satisfies Record<MomentRejection, ErrorCatalogue[string]>;
