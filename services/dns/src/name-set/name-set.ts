import type { Decider } from '@privatelink/shared/eventing/decider';
import type { Cmd, Ev } from '@privatelink/shared/eventing/message';
import { assertNever } from '@privatelink/shared/eventing/never';
import { type Transition, type TransitionRow, transitionBy } from '@privatelink/shared/eventing/transition-table';

/**
 * `WITHDRAWN`: the names exist and answer no address. `PUBLISHED`: they answer. `REMOVED`: they do not exist, for ever.
 */
export type NameState = 'WITHDRAWN' | 'PUBLISHED' | 'REMOVED';

type On = 'reserved' | 'published' | 'withdrawn' | 'removed';

export const nameSetTransitions: readonly TransitionRow<NameState, On>[] = [
  { from: [null], on: 'reserved', to: 'WITHDRAWN', because: 'the endpoint asks for a connection' },
  { from: [null, 'WITHDRAWN'], on: 'published', to: 'PUBLISHED', because: 'forwarding is in place' },
  { from: ['PUBLISHED'], on: 'withdrawn', to: 'WITHDRAWN', because: 'forwarding is about to close' },
  { from: [null, 'WITHDRAWN', 'PUBLISHED'], on: 'removed', to: 'REMOVED', because: 'the endpoint is being deleted' },
];

const move = transitionBy(nameSetTransitions);
type Move = Transition<NameState, On>;

export type DomainName = Readonly<{
  domainName: string;
  ipv4Addresses: readonly string[];
  ipv6Addresses: readonly string[];
  /** A name of the endpoint's VPC alone. */
  isPrivate: boolean;
}>;

/** The interface of the endpoint in one zone; `ipv6` is empty unless dual stack. */
export type ZoneAddresses = Readonly<{ zoneId: string; ipv4: string; ipv6: string }>;

/** What is said of all names of an endpoint. */
type Naming = Readonly<{
  names: readonly DomainName[];
  zones: readonly ZoneAddresses[];
  /** Clients in a zone are answered with that zone's address, others only if it is down. */
  zoneAffinity: boolean;
}>;

/** Whose names they are: a VPC, and the account that owns it. */
export type Owner = Readonly<{ vpcId: string; accountId: string }>;

/** Orders what is said of an endpoint's names: the health of its zones changes within a generation. */
type Order = Readonly<{ generation: number; healthRevision: number }>;

type Change = Owner & Naming & Order & Readonly<{ endpointId: string; at: string }>;

export type NameSetEvent =
  | Ev<'NamesReserved', Change & { move: Move }>
  | Ev<'NamesPublished', Change & { move: Move }>
  | Ev<'NamesWithdrawn', Change & { move: Move }>
  | Ev<'NamesRemoved', Change & { move: Move }>
  | Ev<'NamesReaffirmed', Change>;

export type NameSet = Owner & Naming & Order & Readonly<{ endpointId: string; state: NameState | null }>;

export type NameSetCommand = Cmd<'PutNames', Owner & Naming & Order & { endpointId: string; state: NameState }>;

const unnamed: Naming = { names: [], zones: [], zoneAffinity: false };

const ORDER: readonly NameState[] = ['WITHDRAWN', 'PUBLISHED', 'REMOVED'];

/** The names of one endpoint. Their whole desired state comes with a generation, and only the highest counts. */
export const nameSet: Decider<NameSetCommand, NameSetEvent, NameSet> = {
  category: 'nameSet',
  initial: { endpointId: '', vpcId: '', accountId: '', state: null, generation: 0, healthRevision: 0, ...unnamed },
  evolve: (set, event) => {
    const { endpointId, vpcId, accountId, generation, healthRevision, names, zones, zoneAffinity } = event.data;
    const said = { vpcId, accountId, generation, healthRevision, names, zones, zoneAffinity };
    switch (event.type) {
      case 'NamesReserved':
      case 'NamesPublished':
      case 'NamesWithdrawn':
      case 'NamesRemoved':
        return { ...said, endpointId, state: event.data.move.to };
      case 'NamesReaffirmed':
        return { ...set, ...said };
      default:
        return assertNever(event);
    }
  },
  decide: ({ data }, set, at) => {
    if (set.state === 'REMOVED' || !isNewer(data, set)) return [];
    const { state, ...change } = data;
    if (state === set.state) return [{ type: 'NamesReaffirmed', data: { ...change, at } }];
    switch (state) {
      case 'PUBLISHED':
        return [{ type: 'NamesPublished', data: { ...change, at, move: move(set.state, 'published', state) } }];
      case 'REMOVED':
        return [{ type: 'NamesRemoved', data: { ...change, at, move: move(set.state, 'removed', state) } }];
      case 'WITHDRAWN':
        return set.state === null
          ? [{ type: 'NamesReserved', data: { ...change, at, move: move(null, 'reserved', state) } }]
          : [{ type: 'NamesWithdrawn', data: { ...change, at, move: move(set.state, 'withdrawn', state) } }];
      default:
        return assertNever(state);
    }
  },
};

/** Within one generation names only go forward: a late request for an earlier step changes nothing. */
const isNewer = (data: NameSetCommand['data'], set: NameSet): boolean => {
  if (set.state === null) return true;
  if (data.generation !== set.generation) return data.generation > set.generation;
  if (data.state !== set.state) return ORDER.indexOf(data.state) > ORDER.indexOf(set.state);
  return data.healthRevision > set.healthRevision;
};
