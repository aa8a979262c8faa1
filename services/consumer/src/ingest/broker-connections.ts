import { type Connection, ConnectionStatus, HoldReason } from '@privatelink/proto/broker/v1/connection';
import type { Fact } from '@privatelink/proto/events/v1/fact';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { type Consumer, InvalidMessage } from '@privatelink/shared/nats/consumer';
import { readFact } from '@privatelink/shared/nats/fact-translation';
import type { Db } from '@privatelink/shared/postgres/connect';
import { advanceForeign, getForeign, putForeign } from '@privatelink/shared/postgres/foreign-table';
import type { Overdue } from '../endpoint/endpoint.ts';
import { brokerConnections, readConnection, writeConnection } from '../read-models/broker-connections.ts';
import type { Repositories } from '../repositories.ts';

type Deps = Readonly<{ db: Db; endpoints: Repositories['endpoints']; clock: Clock }>;

const PATIENCE_MS = 30_000;

/**
 * Keeps what the broker announces of connections, and locks endpoints for what they owe. In order, so that the noted
 * position covers all before it.
 */
export const brokerConnectionsIngest = ({ db, endpoints, clock }: Deps): Consumer => {
  /** What a connection is held for is its endpoint's lock; recorded before the connection is, so that neither is missed. */
  const recordPayments = async (connection: Connection, fact: Fact): Promise<void> => {
    const { connectionId } = connection;
    const held = await getForeign(db, brokerConnections, connectionId);
    if (held && held.revision >= fact.sourceRevision) return;
    const overdue = overdueOf(connection);
    if (JSON.stringify(overdue) === JSON.stringify(held ? overdueOf(readConnection(held.state)) : [])) return;
    const requestId = `broker/payments/${connectionId}@${fact.sourceRevision}`;
    const command = { type: 'RecordPayments', data: { overdue, revision: Number(fact.sourceRevision) } } as const;
    const recorded = endpoints.execute(connectionId, command, {
      ...{ actor: 'service:broker', accountId: '', requestId, fingerprint: requestId },
      ...{ correlationId: fact.correlationId, causationId: fact.eventId },
      deadline: clock.now().getTime() + PATIENCE_MS,
    });
    await recorded.catch((error: unknown) => {
      // What is not there owes nothing.
      if (!(error instanceof Rejected && error.reason === 'ENDPOINT_NOT_FOUND')) throw error;
    });
  };

  return {
    durable: 'consumer__broker_connections',
    stream: 'EVT_BROKER',
    filterSubject: 'evt.broker.v1.>',
    maxInFlight: 1,
    handle: async ({ subject, headers, body }) => {
      if (subject.endsWith('.heartbeat')) return advanceForeign(db, 'broker', BigInt(headers['resume-after'] ?? 0));
      const fact = readFact(subject, body);
      if (fact.resource?.$case === 'payments') return advanceForeign(db, 'broker', fact.position);
      if (fact.resource?.$case !== 'connection') throw new InvalidMessage(`${subject} carries no connection`);
      const { value } = fact.resource;
      await recordPayments(value, fact);
      await putForeign(db, brokerConnections, {
        key: value.connectionId,
        sourceStream: fact.sourceStream,
        revision: fact.sourceRevision,
        position: fact.position,
        state: writeConnection(value),
        recordedAt: headers['recorded-at'] ?? new Date(Number(fact.recordTime?.seconds ?? 0n) * 1000).toISOString(),
      });
    },
  };
};

/** Of a service that is deleted nothing is owed any more. */
const overdueOf = ({ status, holds }: Connection): readonly Overdue[] =>
  status === ConnectionStatus.SERVICE_DELETED
    ? []
    : holds
        .filter(({ reason }) => reason === HoldReason.ENDPOINT_PAYMENT_OVERDUE)
        .map(({ source, message }) => ({ source, message }))
        .sort((a, b) => (a.source < b.source ? -1 : 1));
