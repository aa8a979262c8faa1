import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from './secrets.ts';

const credentialsSchema = z.object({ user: z.string(), password: z.string(), inboxPrefix: z.string() });
const addressesSchema = z.array(z.string());

/** Where everything is while the system runs. Credentials in it are for this machine only. */
export const runFileSchema = z.object({
  startedAt: z.string(),
  pid: z.number(),
  eventStore: z.object({ url: z.string() }),
  /** Without users when the server is not ours. */
  nats: z.object({
    url: z.string(),
    subscriber: credentialsSchema.optional(),
    billing: credentialsSchema.optional(),
  }),
  postgres: z.object({ url: z.string() }),
  /** `address` answers queries over UDP and TCP; `addresses` names it and its replicas. */
  dns: z.object({ address: z.string(), addresses: addressesSchema, suffix: z.string() }),
  grpc: z.object({
    provider: addressesSchema,
    consumer: addressesSchema,
    broker: addressesSchema,
    dns: addressesSchema,
    /** None when there is no dashboard. */
    ops: addressesSchema,
  }),
  /** The zone agents that forward traffic; `none` forwards nothing and has none. */
  dataPlane: z.object({
    mode: z.enum(['loopback', 'namespaces', 'none']),
    zones: z.array(
      z.object({ zoneId: z.string(), agents: z.array(z.object({ name: z.string(), address: z.string() })) }),
    ),
  }),
  /** Where each process of a service or agent gives its metrics: http://<address>/metrics. */
  metrics: z.array(z.object({ name: z.string(), address: z.string() })),
  /** Where browsers find the dashboard; nowhere when it does not run. */
  dashboard: z.object({ urls: addressesSchema }),
  issuer: z.object({ keyFile: z.string(), issuer: z.string(), audience: z.string() }),
  processes: z.array(z.object({ name: z.string(), pid: z.number() })),
});

export type RunFile = z.infer<typeof runFileSchema>;

const pathOf = (dataDir: string): string => join(dataDir, 'run.json');

export const writeRunFile = (dataDir: string, run: RunFile): Promise<void> =>
  writePrivateFile(pathOf(dataDir), `${JSON.stringify(run, null, 2)}\n`);

export const readRunFile = async (dataDir: string): Promise<RunFile> =>
  runFileSchema.parse(JSON.parse(await readFile(pathOf(dataDir), 'utf8')));

export const removeRunFile = (dataDir: string): Promise<void> => rm(pathOf(dataDir), { force: true });
