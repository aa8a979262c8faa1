import { Fact } from '@privatelink/proto/events/v1/fact';
import { type Consumer, InvalidMessage } from '@privatelink/shared/nats/consumer';
import type { Db } from '@privatelink/shared/postgres/connect';
import { advanceForeign, putForeign } from '@privatelink/shared/postgres/foreign-table';
import { brokerConnections, writeConnection } from '../read-models/broker-connections.ts';

/** Keeps what the broker announces of connections. In order, so that the noted position covers all before it. */
export const brokerConnectionsIngest = (db: Db): Consumer => ({
  durable: 'consumer__broker_connections',
  stream: 'EVT_BROKER',
  filterSubject: 'evt.broker.v1.>',
  maxInFlight: 1,
  handle: async ({ subject, headers, body }) => {
    if (subject.endsWith('.heartbeat')) return advanceForeign(db, 'broker', BigInt(headers['resume-after'] ?? 0));
    const fact = readFact(subject, body);
    if (fact.resource?.$case !== 'connection') throw new InvalidMessage(`${subject} carries no connection`);
    const { value } = fact.resource;
    await putForeign(db, brokerConnections, {
      key: value.connectionId,
      sourceStream: fact.sourceStream,
      revision: fact.sourceRevision,
      position: fact.position,
      state: writeConnection(value),
      recordedAt: headers['recorded-at'] ?? new Date(Number(fact.recordTime?.seconds ?? 0n) * 1000).toISOString(),
    });
  },
});

const readFact = (subject: string, body: Uint8Array): Fact => {
  try {
    return Fact.decode(body);
  } catch (cause) {
    throw new InvalidMessage(`${subject} carries no fact`, { cause });
  }
};
