import type { Decider } from '@privatelink/shared/eventing/decider';
import type { AnyCommand, AnyEvent } from '@privatelink/shared/eventing/message';
import type { Mutation } from './world/mutation.ts';

type AnyDecider = Decider<AnyCommand, AnyEvent, Record<string, unknown>>;

/** Changes the rules of one aggregate only. */
const rulesOf = (category: string, decide: (rules: AnyDecider) => AnyDecider['decide']): Mutation => ({
  decider: (decider) => {
    if (decider.category !== category) return decider;
    const rules = decider as unknown as AnyDecider;
    return { ...rules, decide: decide(rules) } as unknown as typeof decider;
  },
});

const reactorNamed = (name: string, work: (original: () => Promise<unknown>) => Promise<'settled'>): Mutation => ({
  reactor: (reactor) =>
    reactor.name === name ? { ...reactor, work: (key, revision) => work(() => reactor.work(key, revision)) } : reactor,
});

let requests = 0;

/** Faults that a simulation must find. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'reports count for any generation': rulesOf('connection', ({ decide }) => (command, state, now) => {
    const { type, data } = command;
    return decide(
      type === 'ReportProgress' ? { type, data: { ...data, generation: state['generation'] } } : command,
      state,
      now,
    );
  }),

  'facts are not applied before a connection is established': rulesOf(
    'connection',
    ({ decide }) =>
      (command, state, now) =>
        command.type === 'ApplyFacts' && state['status'] === 'CONNECTING' ? [] : decide(command, state, now),
  ),

  'an old report of a payment counts like a new one': rulesOf(
    'facts',
    ({ decide }) =>
      (command, state, now) =>
        decide(command, { ...state, payments: {} }, now),
  ),

  'an endpoint is deleted before its connection': {
    client: (from, client) => {
      const rpcs = client as unknown as Record<string, (request: object, context: object) => Promise<object>>;
      const { deleteConnection } = rpcs;
      if (from !== 'consumer' || !deleteConnection) return client;
      const hasty = async (request: object, context: object) => {
        await deleteConnection(request, context);
        return { deleted: true };
      };
      return { ...client, deleteConnection: hasty };
    },
  },

  'a repeated request is decided anew': {
    repository: (repository) => ({
      ...repository,
      recall: async () => null,
      execute: async (id, command, context, options) => {
        const outcome = await repository.execute(id, command, context, options);
        if (!outcome.repeated) return outcome;
        const another = { ...context, requestId: `${context.requestId}+${++requests}` };
        return repository.execute(id, command, another, options);
      },
    }),
  },

  'nobody is told of what became known': reactorNamed('telling', async () => 'settled'),

  'work that fails is given up': reactorNamed('endpointLifecycle', async (work) => {
    await work().catch(() => undefined);
    return 'settled';
  }),

  'reservations of endpoints that were not created are kept': reactorNamed('reservationCleanup', async () => 'settled'),

  'names of an old generation are put back': rulesOf(
    'nameSet',
    ({ decide }) =>
      (command, state, now) =>
        decide(command, { ...state, generation: -1 }, now),
  ),

  'a released address is given out at once': rulesOf(
    'vpc',
    ({ decide }) =>
      (command, state, now) =>
        decide(command, { ...state, resting: {} }, now),
  ),

  'a read model misses the end of a connection': {
    readModel: (model) => ({
      ...model,
      decode: (stored) => (stored.type.startsWith('ConnectionDeleted.') ? null : model.decode(stored)),
    }),
  },
};
