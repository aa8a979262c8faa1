import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The schema this code reads and writes. */
export const schemaVersion = 1;

/** Marks the file as ours: 'plES'. */
const applicationId = 0x706c4553;

/** Streams have numbers, so that the index entries of streams that are young together lie on few pages. */
const schema = `
  create table streams(id integer primary key, name text not null unique) strict;
  create table events(
    position integer primary key,
    stream integer not null,
    revision integer not null,
    id text not null,
    type text not null,
    json integer not null,
    created integer not null,
    data blob not null,
    metadata blob not null
  ) strict;
  create unique index events_by_stream on events(stream, revision);
  create table meta(key text primary key, value text not null) strict, without rowid;
`;

/** `instanceId` is what gossip calls this server. */
export type Database = { readonly db: DatabaseSync; readonly instanceId: string };

/** Reads the header without opening the database, so that what we refuse stays as it is, byte for byte. */
function checkHeader(file: string): void {
  const header = Buffer.alloc(100);
  const fd = openSync(file, 'r');
  const length = readSync(fd, header, 0, 100, 0);
  closeSync(fd);
  // An empty file is a first start that was killed before its first page was written.
  if (length === 0) return;
  if (length < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw new Error(`${file} is corrupt: it has no database header`);
  }
  const [found, application] = [header.readUInt32BE(60), header.readUInt32BE(68)];
  if (found === 0 && application === 0) return;
  if (application !== applicationId) throw new Error(`${file} is not an event store`);
  if (found > schemaVersion) {
    throw new Error(`${file} has schema version ${found}, newer than ${schemaVersion} which this program knows`);
  }
}

function create(db: DatabaseSync): void {
  db.exec(`begin; ${schema} pragma application_id = ${applicationId}; pragma user_version = ${schemaVersion};`);
  db.prepare('insert into meta(key, value) values(?, ?)').run('instanceId', randomUUID());
  // The checkpoint brings application id and version into the header, where checkHeader looks.
  db.exec('commit; pragma wal_checkpoint(truncate);');
}

function readInstanceId(db: DatabaseSync): string {
  const row = db.prepare("select value from meta where key = 'instanceId'").get();
  if (!row) throw new Error('its identity is missing');
  return String(row['value']);
}

function describe(file: string, error: unknown): Error {
  const code = (error as { errcode?: number }).errcode;
  const message = error instanceof Error ? error.message : String(error);
  if (code === 5) return new Error(`${file} is in use by another process`);
  return new Error(code === undefined ? `${file}: ${message}` : `${file} is corrupt or unreadable: ${message}`);
}

/** Opens the store of a data directory and holds it exclusively; creates it on the first start. */
export function openDatabase(dataDir: string): Database {
  const file = join(dataDir, 'events.db');
  mkdirSync(dataDir, { recursive: true });
  if (existsSync(file)) checkHeader(file);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    // Exclusive locking keeps a second process out, also when it is the one that comes later, and dies with ours.
    db.exec(`
      pragma locking_mode = exclusive;
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma cache_size = -65536;
      pragma wal_autocheckpoint = 4000;
      begin exclusive; commit;
    `);
    if (db.prepare('select 1 from sqlite_schema limit 1').get() === undefined) create(db);
    return { db, instanceId: readInstanceId(db) };
  } catch (error) {
    db?.close();
    throw describe(file, error);
  }
}
