import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { type Transition, type TransitionRow, transitionBy } from '@privatelink/shared/eventing/transition-table';

/** As an endpoint's: nobody is shown `GONE` (it was deleted) and `ABANDONED` (it never existed and never will). */
export type GatewayEndpointStatus = 'CREATING' | 'CHANGING' | 'ACTIVE' | 'DELETING' | 'GONE' | 'ABANDONED';

type On =
  | 'created'
  | 'activated'
  | 'changeStarted'
  | 'changeCompleted'
  | 'deletionStarted'
  | 'deletionCompleted'
  | 'abandoned';

export const gatewayEndpointTransitions: readonly TransitionRow<GatewayEndpointStatus, On>[] = [
  { from: [null], on: 'created', to: 'CREATING', because: 'its routes are in its route tables' },
  { from: ['CREATING'], on: 'activated', to: 'ACTIVE', because: 'nothing else is needed' },
  { from: ['ACTIVE'], on: 'changeStarted', to: 'CHANGING', because: 'its policy changes' },
  { from: ['CHANGING'], on: 'changeCompleted', to: 'ACTIVE', because: 'its newest policy counts' },
  {
    from: ['CREATING', 'ACTIVE', 'CHANGING'],
    on: 'deletionStarted',
    to: 'DELETING',
    because: 'its owner deletes it',
  },
  { from: ['DELETING'], on: 'deletionCompleted', to: 'GONE', because: 'its routes are gone' },
  { from: [null], on: 'abandoned', to: 'ABANDONED', because: 'its creation stopped half-way and is undone' },
];

const move = transitionBy(gatewayEndpointTransitions);
type Move = Transition<GatewayEndpointStatus, On>;

export type Tag = Readonly<{ key: string; value: string }>;

type Particulars = Readonly<{
  gatewayEndpointId: string;
  accountId: string;
  vpcId: string;
  routeTableIds: readonly string[];
  /** Of a service like an object store, which is none of ours. */
  serviceName: string;
  /** Canonical JSON; empty allows everything. */
  policy: string;
  /** Sorted by key. */
  tags: readonly Tag[];
}>;
type Reserved = Readonly<{ gatewayEndpointId: string; vpcId: string }>;
type Done = Readonly<{ actor: string; at: string }>;

export type GatewayEndpointEvent =
  | Ev<'GatewayEndpointCreated', Particulars & Done & { move: Move }>
  | Ev<'GatewayEndpointActivated', { at: string; move: Move }>
  /** `move` is null where it is changing already. */
  | Ev<'PolicyChanged', Done & { policy: string; move: Move | null }>
  | Ev<'ChangeCompleted', { at: string; move: Move }>
  | Ev<'DeletionStarted', Done & { move: Move }>
  | Ev<'GatewayEndpointDeleted', { at: string; move: Move }>
  | Ev<'GatewayEndpointCreationAbandoned', Reserved & { at: string; move: Move }>;

export type GatewayEndpoint = Particulars &
  Readonly<{ status: GatewayEndpointStatus | null; createdAt: string; updatedAt: string }>;

export type GatewayEndpointCommand =
  | Cmd<'CreateGatewayEndpoint', Particulars & { actor: string }>
  | Cmd<'ActivateGatewayEndpoint', object>
  | Cmd<'SetPolicy', { policy: string; actor: string }>
  | Cmd<'CompleteChange', object>
  | Cmd<'DeleteGatewayEndpoint', { actor: string }>
  | Cmd<'CompleteDeletion', object>
  | Cmd<'AbandonCreation', Reserved>;

export type GatewayEndpointRejection =
  | 'GATEWAY_ENDPOINT_NOT_FOUND'
  | 'ENDPOINT_CREATION_ABANDONED'
  | 'ENDPOINT_NOT_ACTIVE';

const reject = (reason: GatewayEndpointRejection, facts: Record<string, string>) => new Rejected(reason, facts);

export const gatewayNotFound = () => reject('GATEWAY_ENDPOINT_NOT_FOUND', { field: 'gateway_endpoint_id' });

/** A way to a service without any PrivateLink: routes, and a policy. */
export const gatewayEndpoint: Decider<GatewayEndpointCommand, GatewayEndpointEvent, GatewayEndpoint> = {
  category: 'gatewayEndpoint',
  initial: {
    ...{ status: null, gatewayEndpointId: '', accountId: '', vpcId: '', routeTableIds: [], serviceName: '' },
    ...{ policy: '', tags: [], createdAt: '', updatedAt: '' },
  },
  evolve: (before, event) => {
    const { at, move: moved } = event.data;
    const after = { ...before, status: moved?.to ?? before.status, updatedAt: at };
    switch (event.type) {
      case 'GatewayEndpointCreated': {
        const { actor: _actor, at: _at, move: _move, ...particulars } = event.data;
        return { ...after, ...particulars, createdAt: at };
      }
      case 'PolicyChanged':
        return { ...after, policy: event.data.policy };
      case 'GatewayEndpointActivated':
      case 'ChangeCompleted':
      case 'DeletionStarted':
      case 'GatewayEndpointDeleted':
        return after;
      case 'GatewayEndpointCreationAbandoned': {
        const { gatewayEndpointId, vpcId } = event.data;
        return { ...after, gatewayEndpointId, vpcId };
      }
      default:
        return assertNever(event);
    }
  },
  decide: (command, { status, gatewayEndpointId, policy }, at) => {
    // The first two are the fence: whichever comes first decides for ever whether it exists.
    switch (command.type) {
      case 'CreateGatewayEndpoint':
        if (status === 'ABANDONED') throw reject('ENDPOINT_CREATION_ABANDONED', { endpoint_id: gatewayEndpointId });
        if (status !== null) return [];
        return [
          {
            type: 'GatewayEndpointCreated',
            data: { ...command.data, at, move: move(null, 'created', 'CREATING') },
          },
        ];

      case 'AbandonCreation':
        if (status !== null) return [];
        return [
          {
            type: 'GatewayEndpointCreationAbandoned',
            data: { ...command.data, at, move: move(null, 'abandoned', 'ABANDONED') },
          },
        ];

      case 'ActivateGatewayEndpoint':
        // Deleting it meanwhile cancelled its creation.
        if (status !== 'CREATING') return [];
        return [{ type: 'GatewayEndpointActivated', data: { at, move: move(status, 'activated', 'ACTIVE') } }];

      case 'SetPolicy': {
        const from = existing(status);
        if (from === 'GONE') throw gatewayNotFound();
        if (from !== 'ACTIVE' && from !== 'CHANGING') {
          throw reject('ENDPOINT_NOT_ACTIVE', { endpoint_id: gatewayEndpointId, status: from });
        }
        if (command.data.policy === policy) return [];
        const started = from === 'ACTIVE' ? move(from, 'changeStarted', 'CHANGING') : null;
        return [{ type: 'PolicyChanged', data: { ...command.data, at, move: started } }];
      }

      case 'CompleteChange':
        if (status !== 'CHANGING') return [];
        return [{ type: 'ChangeCompleted', data: { at, move: move(status, 'changeCompleted', 'ACTIVE') } }];

      case 'DeleteGatewayEndpoint': {
        const from = existing(status);
        if (from === 'DELETING' || from === 'GONE') return [];
        const data = { ...command.data, at, move: move(from, 'deletionStarted', 'DELETING') };
        return [{ type: 'DeletionStarted', data }];
      }

      case 'CompleteDeletion':
        if (status !== 'DELETING') return [];
        return [{ type: 'GatewayEndpointDeleted', data: { at, move: move(status, 'deletionCompleted', 'GONE') } }];

      default:
        return assertNever(command);
    }
  },
};

/** One whose creation was abandoned answers like one that nobody ever asked for. */
const existing = (status: GatewayEndpointStatus | null): Exclude<GatewayEndpointStatus, 'ABANDONED'> => {
  if (status === null || status === 'ABANDONED') throw gatewayNotFound();
  return status;
};
