import { type ConnectionEvent, HoldReason } from '@privatelink/proto/broker/v1/connection';
import type { Fields } from '@privatelink/shared/filter/fields';
import { enumName, enumNames } from '@privatelink/shared/grpc/enums';
import { instantOf } from '@privatelink/shared/grpc/timestamp';
import type { Column } from '@privatelink/shared/postgres/row-table';

type EventColumn = 'type' | 'record_time' | 'actor' | 'from' | 'to' | 'because' | 'generation' | 'hold_reasons';

/** What the timeline may be filtered by: what a side is shown of an event, and nothing else of it. */
export const eventColumns: Readonly<Record<EventColumn, Column<ConnectionEvent>>> = {
  type: { type: 'text', of: ({ type }) => type },
  record_time: { type: 'timestamptz', of: ({ recordTime }) => (recordTime ? instantOf(recordTime) : null) },
  actor: { type: 'text', of: ({ actor }) => actor },
  from: { type: 'text', of: ({ transition }) => transition?.from ?? null },
  to: { type: 'text', of: ({ transition }) => transition?.to ?? null },
  because: { type: 'text', of: ({ transition }) => transition?.because ?? null },
  generation: { type: 'bigint', of: ({ generation }) => generation },
  hold_reasons: { type: 'text[]', of: ({ holds }) => holds.flatMap((reason) => enumName(HoldReason, reason) ?? []) },
};

export const eventFields: Fields<EventColumn> = {
  type: { column: 'type', type: 'text' },
  record_time: { column: 'record_time', type: 'time' },
  actor: { column: 'actor', type: 'text' },
  from: { column: 'from', type: 'text' },
  to: { column: 'to', type: 'text' },
  because: { column: 'because', type: 'text' },
  generation: { column: 'generation', type: 'number' },
  hold_reasons: { column: 'hold_reasons', type: 'list', values: enumNames(HoldReason) },
};
