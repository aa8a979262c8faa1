import type { DomainName, NameSetCommand, NameSetEvent, NameState } from './name-set.ts';
import { nameSetTransitions } from './name-set.ts';

/** Commands and histories of one endpoint's names, by hand. For tests. */

export const at = '2026-01-02T03:04:05.000Z';
export const owned = {
  endpointId: 'ep-1',
  vpcId: 'vpc-1',
  accountId: '2000000000000002',
  zones: [],
  zoneAffinity: false,
  healthRevision: 0,
};

/** What one generation says of the names: always the same. */
export const namesOf = (generation: number): readonly DomainName[] => [
  {
    domainName: 'ep-1.svc.privatelink.internal',
    ipv4Addresses: [`10.0.0.${generation}`],
    ipv6Addresses: [],
    isPrivate: false,
  },
];

export const put = (state: NameState, generation: number, healthRevision = 0): NameSetCommand => ({
  type: 'PutNames',
  data: { ...owned, generation, healthRevision, state, names: namesOf(generation) },
});

type Moved = Exclude<NameSetEvent['type'], 'NamesReaffirmed'>;

const ON = {
  NamesReserved: 'reserved',
  NamesPublished: 'published',
  NamesWithdrawn: 'withdrawn',
  NamesRemoved: 'removed',
} as const satisfies Record<Moved, string>;

export const moved = (type: Moved, from: NameState | null, generation: number): NameSetEvent => {
  const row = nameSetTransitions.find((candidate) => candidate.on === ON[type] && candidate.from.includes(from));
  if (!row) throw new Error(`no row for ${type} from ${from}`);
  const move = { from, to: row.to, because: row.on };
  return { type, data: { ...owned, generation, names: namesOf(generation), at, move } };
};

export const reaffirmed = (generation: number, healthRevision = 0): NameSetEvent => ({
  type: 'NamesReaffirmed',
  data: { ...owned, generation, healthRevision, names: namesOf(generation), at },
});
