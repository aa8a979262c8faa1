import type { Decider } from '@privatelink/shared/eventing/decider';
import type { AnyCommand, AnyEvent } from '@privatelink/shared/eventing/message';
import type { StepName } from './steps/registry.ts';
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

/** A fault that a simulation must find, and the steps among which it shows soonest. */
export type Planted = Readonly<{ mutation: Mutation; among: readonly StepName[] }>;

const COMING: readonly StepName[] = ['createEndpoint', 'acceptConnection', 'acceptConnection'];
const GOING: readonly StepName[] = ['deleteEndpoint', 'deleteEndpoint', 'removeEndpointZone'];
const ON_AND_OFF: readonly StepName[] = ['pauseConnection', 'resumeConnection', 'resumeConnection'];
const PAYMENTS: readonly StepName[] = ['flipPayments', 'reportOverdue', 'reportSettled', 'reportSettled'];
const ZONES: readonly StepName[] = ['addEndpointZone', 'removeEndpointZone', 'disableZone', 'enableZone'];

/** Faults by what is wrong. */
export const MUTATIONS: Readonly<Record<string, Planted>> = {
  'reports count for any generation': {
    among: [...COMING, ...ON_AND_OFF, ...ZONES, ...ZONES],
    mutation: rulesOf('connection', ({ decide }) => (command, state, now) => {
      const { type, data } = command;
      return decide(
        type === 'ReportProgress' ? { type, data: { ...data, generation: state['generation'] } } : command,
        state,
        now,
      );
    }),
  },

  'facts are not applied before a connection is established': {
    among: [...COMING, ...PAYMENTS, 'lockService', 'unlockService', 'deleteService', 'publishService'],
    mutation: rulesOf(
      'connection',
      ({ decide }) =>
        (command, state, now) =>
          command.type === 'ApplyFacts' && state['status'] === 'CONNECTING' ? [] : decide(command, state, now),
    ),
  },

  'an old report of a payment counts like a new one': {
    among: [...COMING, ...PAYMENTS],
    mutation: rulesOf(
      'facts',
      ({ decide }) =>
        (command, state, now) =>
          decide(command, { ...state, payments: {} }, now),
    ),
  },

  'an endpoint is deleted before its connection': {
    among: [...COMING, ...GOING],
    mutation: {
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
  },

  'a repeated request is decided anew': {
    among: [...COMING, ...ON_AND_OFF, 'setAutoAccept', 'repeatRequest'],
    mutation: {
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
  },

  'nobody is told of what became known': {
    among: [...COMING, ...PAYMENTS, 'lockService', 'unlockService'],
    mutation: reactorNamed('telling', async () => 'settled'),
  },

  'work that fails is given up': {
    among: [...COMING, ...GOING, ...ZONES],
    mutation: reactorNamed('endpointLifecycle', async (work) => {
      await work().catch(() => undefined);
      return 'settled';
    }),
  },

  'reservations of endpoints that were not created are kept': {
    among: [...COMING, 'createManyEndpoints', 'lockService', 'unlockService', 'removeServiceUser', 'addServiceUser'],
    mutation: reactorNamed('reservationCleanup', async () => 'settled'),
  },

  'whom an endpoint lets in stays as it was': {
    among: [...COMING, 'attachSecurityGroup', 'attachSecurityGroup', 'detachSecurityGroup'],
    mutation: rulesOf('connection', ({ decide }) => (command, state, now) => {
      const { type, data } = command;
      return decide(
        type === 'UpdateConnection' ? { type, data: { ...data, ingress: state['ingress'] } } : command,
        state,
        now,
      );
    }),
  },

  'names of an old generation are put back': {
    among: [...COMING, ...ON_AND_OFF, ...ZONES],
    mutation: rulesOf(
      'nameSet',
      ({ decide }) =>
        (command, state, now) =>
          decide(command, { ...state, generation: -1 }, now),
    ),
  },

  'a released address is given out at once': {
    among: [...COMING, ...GOING, 'createManyEndpoints'],
    mutation: rulesOf(
      'vpc',
      ({ decide }) =>
        (command, state, now) =>
          decide(command, { ...state, resting: {} }, now),
    ),
  },

  'a read model misses the end of a connection': {
    among: [...COMING, ...GOING],
    mutation: {
      readModel: (model) => ({
        ...model,
        decode: (stored) => (stored.type.startsWith('ConnectionDeleted.') ? null : model.decode(stored)),
      }),
    },
  },

  'the index of facts misses one': {
    among: [...COMING, ...GOING],
    mutation: {
      readModel: (model) => ({
        ...model,
        decode: (stored) =>
          model.name === 'events' && stored.type.startsWith('EndpointActivated.') ? null : model.decode(stored),
      }),
    },
  },
};
