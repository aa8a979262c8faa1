import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import type { RunFile } from '@privatelink/embedded/run-file';
import { type System, type SystemOptions, startSystem } from '@privatelink/embedded/system';
import { BrokerServiceClient } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceClient } from '@privatelink/proto/consumer/v1/consumer_service';
import { DnsServiceClient } from '@privatelink/proto/dns/v1/dns_service';
import { ProviderServiceClient } from '@privatelink/proto/provider/v1/provider_service';
import type { Role } from '@privatelink/shared/grpc/access';
import { type ConnectOptions, connect } from '@privatelink/shared/grpc/client';

/** The four services as one caller sees them. */
export type Api = Readonly<{
  provider: ReturnType<typeof clientsOf>['provider'];
  consumer: ReturnType<typeof clientsOf>['consumer'];
  broker: ReturnType<typeof clientsOf>['broker'];
  dns: ReturnType<typeof clientsOf>['dns'];
  close: () => void;
}>;

const clientsOf = (run: Pick<RunFile, 'grpc'>, options: ConnectOptions) => ({
  provider: connect(ProviderServiceClient, run.grpc.provider, options),
  consumer: connect(ConsumerServiceClient, run.grpc.consumer, options),
  broker: connect(BrokerServiceClient, run.grpc.broker, options),
  dns: connect(DnsServiceClient, run.grpc.dns, options),
});

export type CallerOptions = Readonly<{
  account: string;
  roles: readonly Role[];
  subject?: string;
  /** How long a call may take. */
  timeoutMs?: number;
}>;

/** A caller's own token, as the development issuer signs it. */
export const tokenFor = async (
  { issuer }: Pick<RunFile, 'issuer'>,
  { account, roles, subject = 'demo' }: CallerOptions,
): Promise<string> =>
  mintToken({ subject, account, roles, key: await loadSigningKey(issuer.keyFile), ttlSeconds: 3_600 });

/** Clients with a caller's own token. */
export const apiFor = async (run: Pick<RunFile, 'grpc' | 'issuer'>, caller: CallerOptions): Promise<Api> => {
  const token = await tokenFor(run, caller);
  const clients = clientsOf(run, { token: () => token, timeoutMs: caller.timeoutMs ?? 5_000 });
  return {
    ...clients,
    close: () => {
      for (const client of Object.values(clients)) client.close();
    },
  };
};

export const requestId = (): string => randomUUID();

/** A call without anything to pass on. */
export const CALL = {};

export type World = Readonly<{ system: System; dataDir: string; stop: () => Promise<void> }>;

export type WorldOptions = Partial<SystemOptions> &
  Readonly<{
    /** How traffic is forwarded: not at all unless said otherwise, because few tests are about it. */
    forwarding?: RunFile['dataPlane']['mode'];
  }>;

/** The whole system, as separate processes on free ports, in a directory that goes with it. */
export const startWorld = async ({ forwarding = 'none', ...options }: WorldOptions = {}): Promise<World> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'privatelink-'));
  try {
    const env = { PRIVATELINK_FORWARDING: forwarding, ...options.env };
    const system = await startSystem({ dataDir, ports: 'free', logs: 'file', ...options, env });
    return {
      system,
      dataDir,
      stop: async () => {
        await system.stop();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
};
