import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { KurrentDbContainer } from '@testcontainers/kurrentdb';
import { NatsContainer } from '@testcontainers/nats';
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { imageOf } from './compose-file.ts';

export type RealServers = Readonly<{
  /** What services are told to use them. */
  env: Readonly<Record<'PRIVATELINK_EVENT_STORE' | 'PRIVATELINK_NATS' | 'PRIVATELINK_POSTGRES', string>>;
  /** A directory with the nats-server of the image, for tests that stop and start it. */
  natsDirectory: string;
  stop: () => Promise<void>;
}>;

/** The servers of compose.yaml as containers on free ports. */
export const startRealServers = async (): Promise<RealServers> => {
  const [kurrentdb, nats, postgres] = await Promise.all([
    new KurrentDbContainer(imageOf('kurrentdb')).start(),
    new NatsContainer(imageOf('nats')).withJetStream().start(),
    new PostgreSqlContainer(imageOf('postgres')).start(),
  ]);
  const natsDirectory = await mkdtemp(join(tmpdir(), 'privatelink-nats-'));
  await extract(await nats.copyArchiveFromContainer('/usr/local/bin/nats-server'), natsDirectory);
  const { servers, user, pass } = nats.getConnectionOptions();
  return {
    env: {
      PRIVATELINK_EVENT_STORE: kurrentdb.getConnectionString(),
      PRIVATELINK_NATS: `nats://${user}:${pass}@${servers}`,
      PRIVATELINK_POSTGRES: postgres.getConnectionUri(),
    },
    natsDirectory,
    stop: async () => {
      await Promise.all([kurrentdb.stop(), nats.stop(), postgres.stop()]);
      await rm(natsDirectory, { recursive: true });
    },
  };
};

async function extract(archive: NodeJS.ReadableStream, directory: string): Promise<void> {
  const tar = spawn('tar', ['-x', '-C', directory], { stdio: ['pipe', 'inherit', 'inherit'] });
  const exited = once(tar, 'exit');
  await pipeline(archive, tar.stdin);
  const [code] = await exited;
  if (code !== 0) throw new Error(`tar ended with ${code}`);
}
