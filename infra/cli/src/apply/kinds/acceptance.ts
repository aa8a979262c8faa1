import type { Json } from '../../field-option.ts';
import { bandwidthFrom, compact, type Kind, pick } from '../kind.ts';
import type { Call, Fields } from '../things.ts';

const decide = (fields: Fields): Call => ({
  rpc: fields['decision'] === 'REJECTED' ? 'RejectConnection' : 'AcceptConnection',
  request:
    fields['decision'] === 'REJECTED'
      ? pick(fields, 'connection_id', 'message')
      : compact({
          ...pick(fields, 'connection_id', 'message', 'expire_time', 'zone_ids'),
          bandwidth: bandwidthFrom(fields['bandwidth']),
        }),
});

/** A connection as its provider decides on it. It is there as soon as its endpoint is, and goes with it. */
export const acceptance: Kind = {
  immutable: [],
  keyed: {},
  changeable: {},
  unread: ['message'],
  canonical: (fields) =>
    compact({
      ...fields,
      zone_ids: fields['zone_ids'] && ([...(fields['zone_ids'] as readonly string[])].sort() as unknown as Json),
      expire_time: fields['expire_time'] && new Date(String(fields['expire_time'])).toISOString(),
    }),
  create: (_name, fields) => [decide(fields)],
  change: (_thing, _differences, fields) => [decide(fields)],
  remove: null,
};
