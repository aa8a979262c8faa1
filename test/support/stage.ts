import type { RunFile } from '@privatelink/embedded/run-file';
import type { System } from '@privatelink/embedded/system';
import { afterAll, beforeAll } from 'vitest';
import { queryDns } from './dns-query.ts';
import { type EventLog, openEventLog } from './event-log.ts';
import { type FollowedConnection, followConnection } from './follow-connection.ts';
import { type Cast, openCast } from './scenario.ts';
import { openServiceTables, type ServiceTables } from './service-tables.ts';
import { type Api, startWorld, type WorldOptions } from './world.ts';

/** The world of a spec file, once it is started. */
export type Stage = Readonly<{
  system: System;
  dataDir: string;
  run: RunFile;
  log: EventLog;
  tables: ServiceTables;
  /** Aborts when the tests are over. */
  signal: AbortSignal;
  /** People of accounts that nobody used before. */
  cast: () => Promise<Cast>;
  follow: (side: Pick<Api, 'broker'>, connectionId: string) => FollowedConnection;
  /** What DNS answers: addresses, NODATA, NXDOMAIN, ... */
  lookup: (name: string, type?: 'A' | 'AAAA', address?: string) => Promise<readonly string[] | string>;
}>;

/** Starts a world before the file's tests and stops it after them. */
export const useStage = (options: () => Promise<WorldOptions> = async () => ({})): (() => Stage) => {
  let stage: Stage | undefined;
  const undo: (() => unknown)[] = [];
  const ended = new AbortController();
  beforeAll(async () => {
    const { system, dataDir, stop } = await startWorld(await options());
    undo.push(stop);
    const { run } = system;
    const log = openEventLog(run);
    undo.push(log.close);
    const tables = openServiceTables(run);
    undo.push(tables.close);
    stage = {
      ...{ system, dataDir, run, log, tables, signal: ended.signal },
      cast: async () => {
        const cast = await openCast(run);
        undo.push(cast.close);
        return cast;
      },
      follow: (side, connectionId) => {
        const followed = followConnection(side, connectionId);
        undo.push(followed.close);
        return followed;
      },
      lookup: async (name, type = 'A', address = run.dns.address) => {
        const { rcode, records } = await queryDns(address, name, type);
        if (records.length > 0) return records;
        return rcode === 'NOERROR' ? 'NODATA' : rcode;
      },
    };
  }, 120_000);
  afterAll(async () => {
    ended.abort();
    for (const step of undo.toReversed()) await step();
  }, 60_000);
  return () => {
    if (!stage) throw new Error('the world is not started yet');
    return stage;
  };
};
