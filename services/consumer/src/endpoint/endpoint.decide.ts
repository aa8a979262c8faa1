import type { Decider } from '@privatelink/shared/eventing/decider';
import { assertNever } from '@privatelink/shared/eventing/never';
import { type ConsumerQuotas, consumerQuotas } from '../vpc/quotas.ts';
import {
  type ChangeCommand,
  decideChange,
  notActive,
  requireCreator,
  requireInterface,
  requireNotAbandoned,
  requireTargets,
  requireZoneCount,
} from './endpoint.changes.ts';
import { evolve, initialEndpoint, knowsPart } from './endpoint.evolve.ts';
import { decideFinancialLocks } from './endpoint.locks.ts';
import { notFound, reject } from './endpoint.rejections.ts';
import {
  type Endpoint,
  type EndpointCommand,
  type EndpointEvent,
  type EndpointStatus,
  endpointMove as move,
} from './endpoint.ts';

export const endpointBy = (quotas: ConsumerQuotas): Decider<EndpointCommand, EndpointEvent, Endpoint> => ({
  category: 'endpoint',
  initial: initialEndpoint,
  evolve,
  decide: (command, state, at) => {
    const { status } = state;
    switch (command.type) {
      // These two are the fence: whichever is first decides for ever whether the endpoint exists.
      case 'CreateEndpoint': {
        if (status === 'ABANDONED') {
          throw reject('ENDPOINT_CREATION_ABANDONED', { endpoint_id: state.endpointId });
        }
        if (status !== null) return [];
        const { endpointType, zones, policy, customDomains, zoneAffinity, targets } = command.data;
        requireZoneCount(endpointType, zones.length, 'zones');
        requireInterface(endpointType, 'policy', policy !== '');
        requireInterface(endpointType, 'custom_domain_enabled', customDomains !== null);
        requireInterface(endpointType, 'zone_affinity', zoneAffinity);
        requireTargets(endpointType, targets.length, 'targets');
        return [{ type: 'EndpointCreated', data: { ...command.data, at, move: move(null, 'created', 'CREATING') } }];
      }

      case 'AbandonCreation':
        if (status !== null) return [];
        return [
          {
            type: 'EndpointCreationAbandoned',
            data: { ...command.data, at, move: move(null, 'abandoned', 'ABANDONED') },
          },
        ];

      case 'ActivateEndpoint':
        if (existing(status) === 'GONE') throw notFound();
        // Deleting it meanwhile cancelled its creation.
        if (status !== 'CREATING') return [];
        return [{ type: 'EndpointActivated', data: { at, move: move('CREATING', 'activated', 'ACTIVE') } }];

      case 'DeleteEndpoint': {
        const from = existing(status);
        if (from === 'DELETING' || from === 'GONE') return [];
        const { actor, closingId } = command.data;
        requireCreator(state, actor);
        requireNotAbandoned(state, closingId);
        return [{ type: 'DeletionStarted', data: { actor, at, move: move(from, 'deletionStarted', 'DELETING') } }];
      }

      case 'CompleteDeletion': {
        const from = existing(status);
        if (from === 'GONE') return [];
        if (from !== 'DELETING') throw reject('ENDPOINT_NOT_DELETING', { endpoint_id: state.endpointId, status: from });
        return [{ type: 'EndpointDeleted', data: { at, move: move(from, 'deletionCompleted', 'GONE') } }];
      }

      case 'LockEndpoint':
        requireLockable(state);
        if (state.lock?.message === command.data.message) return [];
        return [{ type: 'EndpointLocked', data: { ...command.data, at } }];

      case 'UnlockEndpoint':
        requireLockable(state);
        return state.lock ? [{ type: 'EndpointUnlocked', data: { ...command.data, at } }] : [];

      case 'RecordConnectionInformed':
      case 'CompleteChange':
      case 'RecordPartsReleased':
      case 'AbandonPart':
      case 'RecordPayments':
        existing(status);
        return decideReport(command, state, at);

      default:
        return decideChange(command satisfies ChangeCommand, state, at, quotas);
    }
  },
});

export const endpoint = endpointBy(consumerQuotas);

type Report = Extract<
  EndpointCommand,
  { type: 'RecordConnectionInformed' | 'CompleteChange' | 'RecordPartsReleased' | 'AbandonPart' | 'RecordPayments' }
>;

/** What the broker and our own processes tell: it may be repeated, and come late, after the end. */
const decideReport = (command: Report, state: Endpoint, at: string): readonly EndpointEvent[] => {
  if (state.status === 'DELETING' || state.status === 'GONE') return [];
  switch (command.type) {
    case 'CompleteChange': {
      const { version } = command.data;
      const isNewest = version >= (state.unconfirmed ?? 0) && version <= state.version;
      if (state.status !== 'CHANGING' || !isNewest) return informed(state, version, at);
      return [{ type: 'ChangeCompleted', data: { version, at, move: move('CHANGING', 'changeCompleted', 'ACTIVE') } }];
    }
    case 'RecordConnectionInformed':
      return informed(state, command.data.version, at);
    case 'RecordPartsReleased': {
      const partIds = command.data.partIds.filter((id) => state.unreleased.includes(id));
      return partIds.length > 0 ? [{ type: 'PartsReleased', data: { partIds, at } }] : [];
    }
    case 'RecordPayments':
      return decideFinancialLocks(state, command.data, at);
    case 'AbandonPart': {
      const { partId } = command.data;
      if (knowsPart(state, partId) || state.abandoned.includes(partId)) return [];
      return [{ type: 'PartAbandoned', data: { partId, at } }];
    }
    default:
      return assertNever(command);
  }
};

const informed = ({ untold }: Endpoint, version: number, at: string): readonly EndpointEvent[] =>
  untold?.version === version ? [{ type: 'ConnectionInformed', data: { version, at } }] : [];

const requireLockable = (state: Endpoint): void => {
  const status = existing(state.status);
  if (status === 'GONE') throw notFound();
  if (status === 'DELETING') throw notActive(state);
};

/** An endpoint whose creation was abandoned answers like one that nobody ever asked for. */
const existing = (status: EndpointStatus | null): Exclude<EndpointStatus, 'ABANDONED'> => {
  if (status === null || status === 'ABANDONED') throw notFound();
  return status;
};
