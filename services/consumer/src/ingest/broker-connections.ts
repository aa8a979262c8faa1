import { type Connection, ConnectionStatus, HoldReason } from '@privatelink/proto/broker/v1/connection';
import type { Fact } from '@privatelink/proto/events/v1/fact';
import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import type { Clock } from '@privatelink/shared/eventing/ports';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { InvalidMessage } from '@privatelink/shared/nats/consumer';
import { readFact } from '@privatelink/shared/nats/fact-announcements';
import type { Feed } from '@privatelink/shared/nats/feed';
import type { Db } from '@privatelink/shared/postgres/connect';
import { advanceForeign, getAllForeign, putForeign } from '@privatelink/shared/postgres/foreign-table';
import type { Overdue } from '../endpoint/endpoint.ts';
import { brokerConnections, readConnection, writeConnection } from '../read-models/broker-connections.ts';
import type { Repositories } from '../repositories.ts';

type Deps = Readonly<{ db: Db; endpoints: Repositories['endpoints']; clock: Clock }>;

/** How far the broker has announced; what it says of a connection, if it is about one. */
type Announced = Readonly<{ position: bigint; told: Told | null }>;
type Told = Readonly<{ fact: Fact; connection: Connection; recordedAt: string }>;

const CONCURRENCY = 32;
const PATIENCE_MS = 30_000;

/** Keeps what the broker announces of connections, and locks endpoints for what they owe. */
export const brokerConnectionsFeed = ({ db, endpoints, clock }: Deps): Feed<Announced> => {
  const recordPayments = async ({ fact, connection }: Told, overdue: readonly Overdue[]): Promise<void> => {
    const { connectionId } = connection;
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
    name: 'consumer__broker_connections',
    source: 'broker',
    filterSubject: 'evt.broker.v1.>',
    read: ({ subject, headers, body }) => {
      if (subject.endsWith('.heartbeat')) return { position: BigInt(headers['source-position'] ?? 0), told: null };
      const fact = readFact(subject, body);
      if (fact.resource?.$case === 'payments') return { position: fact.position, told: null };
      if (fact.resource?.$case !== 'connection') throw new InvalidMessage(`${subject} carries no connection`);
      const connection = fact.resource.value;
      const recordedAt =
        headers['recorded-at'] ?? new Date(Number(fact.recordTime?.seconds ?? 0n) * 1_000).toISOString();
      return { position: fact.position, told: { fact, connection, recordedAt } };
    },
    // Of each connection only the last word counts: what it owed meanwhile it owes no more.
    record: async (announced) => {
      const last = new Map<string, Told>();
      for (const { told } of announced) {
        if (!told) continue;
        const before = last.get(told.connection.connectionId);
        if (!before || told.fact.sourceRevision > before.fact.sourceRevision) {
          last.set(told.connection.connectionId, told);
        }
      }
      const rows = await getAllForeign(db, brokerConnections, [...last.keys()]);
      const held = new Map(rows.map((row) => [row.key, row]));
      await forEachLimit([...last.values()], CONCURRENCY, async (told) => {
        const row = held.get(told.connection.connectionId);
        if (row && row.revision >= told.fact.sourceRevision) return;
        const overdue = overdueOf(told.connection);
        const before = row ? overdueOf(readConnection(row.state)) : [];
        if (JSON.stringify(overdue) !== JSON.stringify(before)) await recordPayments(told, overdue);
      });
    },
    write: async (tx, announced) => {
      const rows = announced.flatMap(({ told }) => {
        if (!told) return [];
        const { fact, connection, recordedAt } = told;
        const { sourceStream, sourceRevision: revision, position } = fact;
        const state = writeConnection(connection);
        return [{ key: connection.connectionId, sourceStream, revision, position, state, recordedAt }];
      });
      if (announced.length === 0) return;
      await putForeign(tx, brokerConnections, rows);
      const [highest = 0n] = announced.map(({ position }) => position).sort((a, b) => (a > b ? -1 : 1));
      await advanceForeign(tx, 'broker', highest);
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
