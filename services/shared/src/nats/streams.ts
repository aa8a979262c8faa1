import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Nats } from './connect.ts';
import { factsOf, type Producer, tenantSubjectsOf } from './subjects.ts';

/** What a service tells services and accounts, in one stream: it goes on with both where it was. */
export const subjectsOf = (service: Producer): readonly string[] => [factsOf(service), ...tenantSubjectsOf(service)];

/** Every JetStream stream and its subjects. */
export const streams = {
  EVT_PROVIDER: subjectsOf('provider'),
  EVT_CONSUMER: subjectsOf('consumer'),
  EVT_BROKER: subjectsOf('broker'),
  EVT_DNS: subjectsOf('dns'),
  DLQ: ['dlq.>'],
  BILLING: ['billing.v1.>'],
} as const satisfies Record<string, readonly string[]>;

export type StreamName = keyof typeof streams;

export const streamNames = Object.keys(streams) as readonly StreamName[];

export const factsStream = (service: Producer) => `EVT_${service.toUpperCase() as Uppercase<Producer>}` as const;

const NAME_IN_USE = 10058;
/** Only the oldest go: a publisher resumes after the last message, which must never expire. */
const MAX_MESSAGES = 1_000_000;

/** Declares streams as they should be, whatever is there: nothing, other settings, or just this. */
export const ensureStreams = async (nats: Nats, names: readonly StreamName[]): Promise<void> => {
  for (const name of names) await ensureStream(nats, name);
};

export const ensureStream = async ({ jsm, streamReplicas }: Nats, name: StreamName): Promise<void> => {
  const config = {
    name,
    subjects: [...streams[name]],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_msgs: MAX_MESSAGES,
    duplicate_window: nanos(120_000),
    num_replicas: streamReplicas,
    allow_rollup_hdrs: true,
    allow_direct: true,
  } satisfies Partial<StreamConfig>;
  try {
    await jsm.streams.add(config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === NAME_IN_USE)) throw error;
    const { name: _, retention: __, storage: ___, ...changeable } = config;
    await jsm.streams.update(name, changeable);
  }
};
