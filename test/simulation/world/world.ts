import type { NewEvent, StoredEvent } from '@privatelink/shared/eventing/message';
import type { Db } from '@privatelink/shared/postgres/connect';
import { createMemoryPostgres } from '@privatelink/shared/testing/memory-postgres';
import { createMemoryStore, type MemoryStore } from '@privatelink/shared/testing/memory-store';
import { type Bus, createBus } from './bus.ts';
import { type Client, createClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import type { Mutation } from './mutation.ts';
import { createNetwork, type RequestListener } from './network.ts';
import { owningGlobals } from './own-globals.ts';
import { ALL_ZONES, type Forwarding, programs } from './programs.ts';
import { createRandom } from './random.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createTrouble, NO_TROUBLE, type Rates, type Trouble } from './trouble.ts';
import { createTxt, type Txt } from './txt.ts';
import { createZoneMachine, type ZoneMachine } from './zone-machine.ts';

export type WorldOptions = Readonly<{
  seed: string;
  replicas?: number;
  forwarding?: Forwarding;
  rates?: Rates;
  mutation?: Mutation;
  /** Hears every line that the services log. */
  told?: ((line: string) => void) | undefined;
}>;

type Listener = (stream: string, event: NewEvent) => void;

/** The whole system in one process, on simulated time, network, event store, databases and bus. */
export type World = Readonly<{
  timeline: Timeline;
  trouble: Trouble;
  cluster: Cluster;
  client: Client;
  bus: Bus;
  machines: readonly ZoneMachine[];
  txt: Txt;
  /** For looking at what the services have in their tables. */
  databases: Readonly<Record<'provider' | 'consumer' | 'broker' | 'dns', Db>>;
  /** Calls back with each event at the moment at which it is recorded. */
  onRecorded: (listener: Listener) => void;
  onRequest: (listener: RequestListener) => void;
  /** Everything recorded so far, in order. */
  history: () => Promise<readonly StoredEvent[]>;
  /** Lets time pass until nothing was recorded for a while; false when that does not come in time. */
  quiesce: (quietMs: number) => Promise<boolean>;
}>;

const SETTLES_WITHIN_MS = 10 * 60_000;
const SLICE_MS = 2_000;

/** Runs `play` in a new world, which then ends. */
export const inWorld = async <T>(
  { seed, replicas = 1, forwarding = 'none', rates = NO_TROUBLE, mutation = {}, told }: WorldOptions,
  play: (world: World) => Promise<T>,
): Promise<T> => {
  const timeline = createTimeline();
  const random = createRandom(`run ${seed}`);
  const clock = { now: () => new Date(Math.floor(timeline.now())) };
  return owningGlobals(timeline, random.fork('globals'), async () => {
    const trouble = createTrouble(rates, random.fork('trouble'));
    const listeners = new Set<Listener>();
    const memory = observed(createMemoryStore(clock), listeners);
    const bus = createBus(timeline, trouble);
    const network = createNetwork(timeline, random.fork('network'), trouble);
    const postgres = {
      provider: await createMemoryPostgres(clock),
      consumer: await createMemoryPostgres(clock),
      broker: await createMemoryPostgres(clock),
      dns: await createMemoryPostgres(clock),
    };
    const txt = createTxt(trouble);
    const shared = { memory, databases: postgres, bus, network, trouble, mutation, told, txt };
    const around = { ...shared, random: random.fork('hosts') };
    const machines = ALL_ZONES.map((zoneId) => createZoneMachine(zoneId, random.fork(zoneId), trouble));
    const cluster = startCluster(timeline, around, programs(around, machines, forwarding), replicas);
    try {
      return await play({
        ...{ timeline, trouble, cluster, bus, machines, txt },
        client: createClient(timeline, network, trouble),
        databases: {
          provider: postgres.provider.connect().db,
          consumer: postgres.consumer.connect().db,
          broker: postgres.broker.connect().db,
          dns: postgres.dns.connect().db,
        },
        onRecorded: (listener) => void listeners.add(listener),
        onRequest: network.onRequest,
        history: () => everythingIn(memory),
        quiesce: async (quietMs) => {
          const end = timeline.now() + SETTLES_WITHIN_MS;
          let last = await memory.tail();
          for (let quietSince = timeline.now(); timeline.now() < end; ) {
            await timeline.runUntil(timeline.now() + SLICE_MS);
            const tail = await memory.tail();
            if (tail !== last) quietSince = timeline.now();
            last = tail;
            if (timeline.now() - quietSince >= quietMs) return true;
          }
          return false;
        },
      });
    } finally {
      cluster.end();
      for (const database of Object.values(postgres)) database.close();
    }
  });
};

const observed = (memory: MemoryStore, listeners: ReadonlySet<Listener>): MemoryStore => ({
  ...memory,
  append: async (stream, events, expected) => {
    const before = await memory.tail();
    const appended = await memory.append(stream, events, expected);
    // What is repeated is not recorded again.
    if (appended.position > before) for (const event of events) for (const listen of listeners) listen(stream, event);
    return appended;
  },
});

const everythingIn = async (memory: MemoryStore): Promise<readonly StoredEvent[]> => {
  const history: StoredEvent[] = [];
  const stop = new AbortController();
  for await (const message of memory.subscribe({ prefixes: [''], after: null, signal: stop.signal })) {
    if (message.kind === 'event') history.push(message.event);
    if (message.kind === 'caughtUp') break;
  }
  return history;
};
