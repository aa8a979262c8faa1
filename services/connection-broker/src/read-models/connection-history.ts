import type { Moment } from '@privatelink/shared/app/moment';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Condition } from '@privatelink/shared/postgres/condition';
import { defineReadModel } from '@privatelink/shared/postgres/read-model';
import { connectionCodec } from '../connection/connection.codec.ts';
import type { ConnectionEvent } from '../connection/connection.ts';

export type ConnectionSpan = Readonly<{
  serviceId: string;
  accountIds: readonly string[];
  requestedAt: string;
  requestedPosition: string;
  /** Null while the connection exists. */
  gone: Readonly<{ at: string; position: string }> | null;
}>;

type SpanColumn = 'service_id' | 'account_ids' | 'requested_at' | 'requested_position' | 'gone_at' | 'gone_position';

const ENDS = /^Connection(Requested|Deleted)\./;

/** Every connection that there ever was, and from when until when. What it was meanwhile its stream says. */
export const connectionHistory = defineReadModel<ConnectionEvent, ConnectionSpan, SpanColumn>({
  name: 'connection_history',
  version: 1,
  prefixes: ['connection-'],
  // Its beginning and its end: what it is meanwhile changes nothing here.
  decode: (stored) => (ENDS.test(stored.type) ? connectionCodec.decode(stored) : null),
  key: (event) => idOfStream(event.meta.stream),
  initial: { serviceId: '', accountIds: [], requestedAt: '', requestedPosition: '', gone: null },
  evolve: (before, event) => {
    const { at } = event.data;
    const position = String(event.meta.position);
    if (event.type === 'ConnectionRequested') {
      const { serviceId, endpointAccountId, serviceAccountId } = event.data;
      const accountIds = [endpointAccountId, serviceAccountId];
      return { serviceId, accountIds, requestedAt: at, requestedPosition: position, gone: null };
    }
    // Its endpoint was deleted before it asked: it never was.
    if (before.requestedAt === '') return null;
    return { ...before, gone: { at, position } };
  },
  columns: {
    service_id: { type: 'text', of: (span) => span.serviceId, indexed: true },
    account_ids: { type: 'text[]', of: (span) => span.accountIds, indexed: true },
    requested_at: { type: 'timestamptz', of: (span) => span.requestedAt },
    requested_position: { type: 'bigint', of: (span) => BigInt(span.requestedPosition) },
    gone_at: { type: 'timestamptz', of: ({ gone }) => gone?.at ?? null },
    gone_position: { type: 'bigint', of: ({ gone }) => (gone ? BigInt(gone.position) : null) },
  },
});

/** Those that existed at a moment. */
export const existedAt = (moment: Moment): Condition<SpanColumn> => {
  const isTime = 'time' in moment;
  const to = isTime ? moment.time : moment.position;
  return {
    is: 'all',
    of: [
      { is: 'compared', column: isTime ? 'requested_at' : 'requested_position', by: '<=', to },
      {
        is: 'any',
        of: [
          { is: 'absent', column: isTime ? 'gone_at' : 'gone_position' },
          { is: 'compared', column: isTime ? 'gone_at' : 'gone_position', by: '>', to },
        ],
      },
    ],
  };
};
