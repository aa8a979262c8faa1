import { BrokerServiceClient, type BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import { ConsumerServiceClient, type ConsumerServiceService } from '@privatelink/proto/consumer/v1/consumer_service';
import { ProviderServiceClient, type ProviderServiceService } from '@privatelink/proto/provider/v1/provider_service';
import type { Role } from '@privatelink/shared/grpc/access';
import type { RemoteService } from '@privatelink/shared/grpc/client';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { createHost } from './host.ts';
import type { Network } from './network.ts';
import { createRandom } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Trouble } from './trouble.ts';

export type Api = Readonly<{
  provider: RemoteService<typeof ProviderServiceService>;
  consumer: RemoteService<typeof ConsumerServiceService>;
  broker: RemoteService<typeof BrokerServiceService>;
}>;

export type Who = Readonly<{ account: string; role: Role }>;

type Rpc<S extends keyof Api> = keyof Api[S] & string;
type Request<S extends keyof Api, R extends Rpc<S>> = Api[S][R] extends (request: infer Q, ...rest: never) => unknown
  ? Q
  : never;
type Reply<S extends keyof Api, R extends Rpc<S>> = Api[S][R] extends (...all: never) => Promise<infer A> ? A : never;

export type Outcome =
  | Readonly<{ kind: 'done'; reply: object }>
  | Readonly<{ kind: 'refused'; code: number; reason: string }>
  /** Nobody knows what has become of it. */
  | Readonly<{ kind: 'unanswered' }>;

/** What was asked, by whom, and what came of it. */
export type Entry = { who: Who; service: keyof Api; rpc: string; request: object; outcome: Outcome };

/** Clients of all accounts, and what they remember. */
export type Client = Readonly<{
  /** Asks, and asks the same again while nobody answers. Null when it was refused, or never answered. */
  ask: <S extends keyof Api, R extends Rpc<S>>(
    who: Who,
    service: S,
    rpc: R,
    request: Request<S, R>,
  ) => Promise<Reply<S, R> | null>;
  /** The same request once more. */
  repeat: (entry: Entry) => Promise<Outcome>;
  journal: readonly Entry[];
}>;

const UNANSWERED: readonly number[] = [1, 4, 14];
const TRIES = 4;
/** How the request ids of dry runs end. */
export const DRY = '-dry';

export const createClient = (timeline: Timeline, network: Network, trouble: Trouble): Client => {
  const host = createHost({ name: 'client', timeline, trouble, random: createRandom('client') });
  const random = createRandom('rehearsals');
  const journal: Entry[] = [];
  const apis = new Map<string, Api>();

  const apiOf = ({ account, role }: Who): Api => {
    const key = `${account}/${role}`;
    const caller = { subject: role, accountId: account, roles: [role] };
    const known = apis.get(key);
    if (known) return known;
    const api: Api = {
      provider: network.client(ProviderServiceClient, { host, caller }),
      consumer: network.client(ConsumerServiceClient, { host, caller }),
      broker: network.client(BrokerServiceClient, { host, caller }),
    };
    apis.set(key, api);
    return api;
  };

  const once = async ({ who, service, rpc, request }: Omit<Entry, 'outcome'>): Promise<Outcome> => {
    const call = (apiOf(who)[service] as unknown as Record<string, (q: object, c: object) => Promise<object>>)[rpc];
    if (!call) throw new Error(`no such RPC: ${service}.${rpc}`);
    try {
      return { kind: 'done', reply: await call(request, {}) };
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      const { code, reason } = error;
      return UNANSWERED.includes(code) ? { kind: 'unanswered' } : { kind: 'refused', code, reason };
    }
  };

  const repeat = async (entry: Omit<Entry, 'outcome'>): Promise<Outcome> => {
    for (let tries = 1; ; tries++) {
      const outcome = await once(entry);
      if (outcome.kind !== 'unanswered' || tries === TRIES) return outcome;
      await host.clock.sleep(200 * 2 ** tries);
    }
  };

  /** Asks what would come of it first, which must not leave anything behind. */
  const rehearse = (entry: Entry): Promise<Outcome> =>
    once({ ...entry, request: { ...entry.request, requestId: `${random.int(1e9)}${DRY}`, dryRun: true } });

  return {
    journal,
    repeat,
    ask: async (who, service, rpc, request) => {
      const entry: Entry = { who, service, rpc, request: request as object, outcome: { kind: 'unanswered' } };
      journal.push(entry);
      if ('requestId' in entry.request && random.chance(0.15)) await rehearse(entry);
      entry.outcome = await repeat(entry);
      return entry.outcome.kind === 'done' ? (entry.outcome.reply as never) : null;
    },
  };
};
