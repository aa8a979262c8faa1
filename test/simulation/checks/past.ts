import { absent, advance, type Folded } from '@privatelink/shared/app/fold';
import type { Moment } from '@privatelink/shared/app/moment';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import type { Db } from '@privatelink/shared/postgres/connect';
import { queryRows } from '@privatelink/shared/postgres/row-table';
import { connectionCodec } from '../../../services/connection-broker/src/connection/connection.codec.ts';
import { connection as decider } from '../../../services/connection-broker/src/connection/connection.decide.ts';
import type { Connection } from '../../../services/connection-broker/src/connection/connection.ts';
import {
  connectionHistory,
  existedAt,
} from '../../../services/connection-broker/src/read-models/connection-history.ts';

const LIMIT = 1_000_000;
const MOMENTS = 20;

/** The connections that there were at some moments are those whose events up to there say so. */
export const wrongPast = async (history: readonly StoredEvent[], db: Db): Promise<readonly string[]> => {
  const events = history.filter(({ stream }) => stream.startsWith('connection-'));
  const every = Math.max(1, Math.floor(events.length / MOMENTS));
  const wrong: string[] = [];
  for (let index = 0; index < events.length; index += every) {
    const { position, data } = events[index] as StoredEvent;
    const { at: time } = data as { at?: string };
    for (const moment of [{ position }, ...(time === undefined ? [] : [{ time }])]) {
      const also = existedAt(moment);
      const shown = (await queryRows(db, connectionHistory, { also, limit: LIMIT })).map(({ key }) => key);
      const wanted = existing(events, moment);
      if (shown.join() !== wanted.join()) wrong.push(`as of ${JSON.stringify(moment, text)}: ${shown}, not ${wanted}`);
    }
  }
  return wrong;
};

const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

const existing = (events: readonly StoredEvent[], moment: Moment): readonly string[] => {
  const states = new Map<string, Folded<Connection>>();
  const latest = new Map<string, string>();
  for (const event of events) {
    const id = idOfStream(event.stream);
    const { at = '' } = event.data as { at?: string };
    // A clock that goes back does not bring the past back.
    const time = [latest.get(id) ?? '', at].sort().at(-1) ?? '';
    latest.set(id, time);
    if ('position' in moment ? event.position > moment.position : time > moment.time) continue;
    states.set(id, advance({ decider, codec: connectionCodec }, states.get(id) ?? absent(decider.initial), event));
  }
  const isThere = ([, { state }]: [string, Folded<Connection>]) => state.status !== null && state.status !== 'GONE';
  return [...states]
    .filter(isThere)
    .flatMap(([id]) => id)
    .sort();
};
