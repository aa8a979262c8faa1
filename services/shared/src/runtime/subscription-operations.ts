import { readFileSync } from 'node:fs';
import type {
  OperationsServiceServer,
  ProcessInfo,
  Subscription,
} from '@privatelink/proto/operations/v1/operations_service';
import { sql } from 'kysely';
import { timestamp } from '../grpc/timestamp.ts';
import { unary } from '../grpc/unary.ts';
import { NOWHERE } from '../postgres/checkpoint.ts';
import type { Db } from '../postgres/connect.ts';
import { orUnavailable } from '../postgres/or-unavailable.ts';

/** Something that one replica at a time follows. */
export type Running = Readonly<{
  /** Of its lease. */
  name: string;
  checkpoint?: string;
  /** Whose work it does. */
  reactor?: string;
  /** How far there is something to follow. */
  tail?: () => Promise<bigint>;
}>;

export type SubscriptionDeps = Readonly<{
  db: Db;
  running: readonly Running[];
  process: Pick<ProcessInfo, 'service' | 'instance'>;
}>;

const FAILING_SHOWN = 10;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** What operators see of the subscriptions that the replicas share. */
export const subscriptionOperations = ({
  db,
  running,
  process: { service, instance },
}: SubscriptionDeps): Pick<OperationsServiceServer, 'listSubscriptions'> => {
  const startTime = timestamp(new Date(performance.timeOrigin).toISOString());
  return {
    listSubscriptions: unary(async () => {
      const [leases, checkpoints, work] = await orUnavailable(
        Promise.all([readLeases(db), db.selectFrom('checkpoint').selectAll().execute(), readFailing(db)]),
      );
      const subscriptions = running
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map(async ({ name, checkpoint, reactor, tail }): Promise<Subscription> => {
          const lease = leases.find((one) => one.name === name);
          const position = checkpoints.find((one) => one.name === checkpoint)?.position ?? NOWHERE;
          const failing = work.filter((one) => one.reactor === reactor);
          return {
            ...{ name, holder: lease?.holder ?? '', epoch: lease?.epoch ?? 0n },
            leaseExpireTime: lease && timestamp(lease.expires_at.toISOString()),
            position: checkpoint === undefined ? undefined : atLeast0(position),
            tailPosition: tail && atLeast0(await tail()),
            failingCount: Number(failing[0]?.total ?? 0),
            failing: failing.map(({ key, attempt, due }) => {
              return { key, attemptCount: attempt, nextAttemptTime: timestamp(due.toISOString()) };
            }),
          };
        });
      const answeredBy = { service, instance, version, nodeVersion: process.version, startTime };
      return { subscriptions: await Promise.all(subscriptions), answeredBy };
    }),
  };
};

const atLeast0 = (position: bigint): bigint => (position < 0n ? 0n : position);

/** An expired one is nobody's. */
const readLeases = (db: Db) =>
  db
    .selectFrom('lease')
    .select(['name', 'epoch', 'expires_at'])
    .select(sql<string>`case when expires_at > clock_timestamp() then holder else '' end`.as('holder'))
    .execute();

type Failing = { reactor: string; key: string; attempt: number; due: Date; total: bigint };

const readFailing = async (db: Db): Promise<readonly Failing[]> => {
  const { rows } = await sql<Failing>`
    select reactor, key, attempt, due, total from (
      select reactor, key, attempt, due, count(*) over (partition by reactor) as total,
        row_number() over (partition by reactor order by attempt desc, due) as place
      from work where attempt > 0) as failing
    where place <= ${FAILING_SHOWN} order by reactor, place`.execute(db);
  return rows;
};
