import { changeSchema } from '@privatelink/shared/postgres/change-schema';
import type { Db } from '@privatelink/shared/postgres/connect';
import { orUnavailable } from '@privatelink/shared/postgres/or-unavailable';
import { sql } from 'kysely';

/**
 * What has gone through connections, as meters read it. A meter is what counts in one zone on one machine; it counts in
 * runs, each of which begins at zero. A reading is all that a run has counted of a connection: it is kept by itself while
 * the run may go on, and is added to the connection's past when that is over.
 */
export type Reading = Readonly<{
  connectionId: string;
  run: string;
  receivedBytes: bigint;
  sentBytes: bigint;
  flows: bigint;
  openFlows: bigint;
  failedFlows: bigint;
}>;

export type Report = Readonly<{
  zoneId: string;
  meterId: string;
  /** Number of the meter's report before this one. */
  after: bigint;
  /** Of the readings that are kept, those of other runs are their last ones. */
  runs: readonly string[];
  readings: readonly Reading[];
}>;

export type Taken = Readonly<{
  /** Number of the meter's last report: that of this one if it was taken. */
  number: bigint;
  taken: boolean;
}>;

/** What all runs have counted of a connection in a zone. */
export type Counted = Readonly<
  Omit<Reading, 'connectionId' | 'run'> & { zoneId: string; sinceTime: Date; reportTime: Date }
>;

export type Traffic = Readonly<{
  /** Takes a report that follows on the meter's last one; otherwise nothing changes. */
  take: (report: Report) => Promise<Taken>;
  /** What was counted of a connection: of these zones, where somebody counts, and of others that it has been in. */
  of: (connectionId: string, zoneIds: readonly string[]) => Promise<readonly Counted[]>;
  /** False: there was nothing to forget. */
  forget: (connectionId: string) => Promise<boolean>;
}>;

/** The run of everything that is over. */
const PAST = '';

/** A meter is read in one zone only, whatever becomes of its directory. */
const TABLES = [
  `create table if not exists traffic_meter (
    zone_id text, meter_id text, report_number bigint not null, since_time timestamptz not null,
    report_time timestamptz not null, primary key (zone_id, meter_id))`,
  // Numbers without a bound: no sum of what is counted is too large to be kept. Room on each page for the next readings.
  `create table if not exists traffic (
    connection_id text, zone_id text, meter_id text, run text, received_bytes numeric not null,
    sent_bytes numeric not null, flows numeric not null, open_flows numeric not null, failed_flows numeric not null,
    primary key (connection_id, zone_id, meter_id, run)) with (fillfactor = 60)`,
  'create index if not exists traffic_run on traffic (zone_id, meter_id, run)',
];

/** Creates the tables, unless they are there. No event fills them: they are kept for as long as the database is. */
export const ensureTraffic = (db: Db): Promise<void> =>
  changeSchema(db, async (tx) => {
    for (const table of TABLES) await sql.raw(table).execute(tx);
  });

export const trafficIn = (db: Db): Traffic => ({
  take: (report) => orUnavailable(db.transaction().execute((tx) => take(tx, report))),
  of: (connectionId, zoneIds) => orUnavailable(countedOf(db, connectionId, zoneIds)),
  forget: async (connectionId) => {
    const { numAffectedRows = 0n } = await sql`delete from traffic where connection_id = ${connectionId}`.execute(db);
    return numAffectedRows > 0n;
  },
});

const take = async (tx: Db, { zoneId, meterId, after, runs, readings }: Report): Promise<Taken> => {
  const ofMeter = sql`zone_id = ${zoneId} and meter_id = ${meterId}`;
  if (after === 0n) {
    await sql`insert into traffic_meter values (${zoneId}, ${meterId}, 0, clock_timestamp(), clock_timestamp())
      on conflict do nothing`.execute(tx);
  }
  const { rows } = await sql<{ number: bigint }>`
    select report_number as number from traffic_meter where ${ofMeter} for update`.execute(tx);
  const last = rows[0]?.number ?? 0n;
  if (last !== after) return { number: last, taken: false };
  await sql`update traffic_meter set report_number = ${after + 1n}, report_time = clock_timestamp()
    where ${ofMeter}`.execute(tx);

  const given = JSON.stringify(readings.map(toJson));
  // A run never counts back, whoever resets its counters.
  await sql`insert into traffic as held (${COLUMNS})
    select connection_id, ${zoneId}, ${meterId}, run, received_bytes, sent_bytes, flows, open_flows, failed_flows
    from jsonb_to_recordset(${given}::jsonb) as given (connection_id text, run text, received_bytes numeric,
      sent_bytes numeric, flows numeric, open_flows numeric, failed_flows numeric)
    on conflict (connection_id, zone_id, meter_id, run) do update set
      received_bytes = greatest(held.received_bytes, excluded.received_bytes),
      sent_bytes = greatest(held.sent_bytes, excluded.sent_bytes),
      flows = greatest(held.flows, excluded.flows),
      open_flows = excluded.open_flows,
      failed_flows = greatest(held.failed_flows, excluded.failed_flows)`.execute(tx);

  await sql`with over as (
      delete from traffic where ${ofMeter} and run <> ${PAST} and run <> all(${[...runs]}::text[]) returning *)
    insert into traffic as held (${COLUMNS})
    select connection_id, ${zoneId}, ${meterId}, ${PAST}, sum(received_bytes), sum(sent_bytes), sum(flows), 0,
      sum(failed_flows) from over group by connection_id
    on conflict (connection_id, zone_id, meter_id, run) do update set
      received_bytes = held.received_bytes + excluded.received_bytes,
      sent_bytes = held.sent_bytes + excluded.sent_bytes,
      flows = held.flows + excluded.flows,
      failed_flows = held.failed_flows + excluded.failed_flows`.execute(tx);
  return { number: after + 1n, taken: true };
};

const COLUMNS = sql.raw(
  'connection_id, zone_id, meter_id, run, received_bytes, sent_bytes, flows, open_flows, failed_flows',
);

const toJson = (reading: Reading): object => ({
  ...{ connection_id: reading.connectionId, run: reading.run },
  ...{ received_bytes: String(reading.receivedBytes), sent_bytes: String(reading.sentBytes) },
  ...{ flows: String(reading.flows), open_flows: String(reading.openFlows) },
  failed_flows: String(reading.failedFlows),
});

type Sums = Readonly<Record<keyof Omit<Reading, 'connectionId' | 'run'>, string>>;

/** Flows that are open are those of the meter that was read last: of another it is not known whether it counts still. */
const countedOf = async (db: Db, connectionId: string, zoneIds: readonly string[]): Promise<readonly Counted[]> => {
  const { rows } = await sql<Sums & Pick<Counted, 'zoneId' | 'sinceTime' | 'reportTime'>>`
    select meter.zone_id as "zoneId", since_time as "sinceTime", report_time as "reportTime",
      coalesce(sum(received_bytes), 0) as "receivedBytes", coalesce(sum(sent_bytes), 0) as "sentBytes",
      coalesce(sum(flows), 0) as flows, coalesce(sum(failed_flows), 0) as "failedFlows",
      coalesce(sum(open_flows) filter (where traffic.meter_id = meter.meter_id), 0) as "openFlows"
    from (
      select distinct on (zone_id) zone_id, meter_id, report_time,
        min(since_time) over (partition by zone_id) as since_time
      from traffic_meter order by zone_id, report_time desc) as meter
    left join traffic on traffic.zone_id = meter.zone_id and traffic.connection_id = ${connectionId}
    where meter.zone_id = any(${[...zoneIds]}::text[]) or traffic.connection_id is not null
    group by meter.zone_id, since_time, report_time order by meter.zone_id collate "C"`.execute(db);
  return rows.map(({ zoneId, sinceTime, reportTime, ...sums }) => ({
    ...{ zoneId, sinceTime, reportTime },
    ...{ receivedBytes: BigInt(sums.receivedBytes), sentBytes: BigInt(sums.sentBytes), flows: BigInt(sums.flows) },
    ...{ openFlows: BigInt(sums.openFlows), failedFlows: BigInt(sums.failedFlows) },
  }));
};
