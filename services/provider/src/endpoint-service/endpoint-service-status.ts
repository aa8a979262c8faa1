import { type Transition, type TransitionRow, transitionBy } from '@privatelink/shared/eventing/transition-table';

/** `GONE` is shown to nobody: the service does not exist any more. */
export type EndpointServiceStatus = 'CREATING' | 'CHANGING' | 'ACTIVE' | 'DELETING' | 'GONE';

type On =
  | 'created'
  | 'activated'
  | 'changeStarted'
  | 'changeCompleted'
  | 'deletionStarted'
  | 'deletionRefused'
  | 'teardownConfirmed'
  | 'abandoned';

export const endpointServiceTransitions: readonly TransitionRow<EndpointServiceStatus, On>[] = [
  { from: [null], on: 'created', to: 'CREATING', because: 'a provider asked for it' },
  { from: ['CREATING'], on: 'activated', to: 'ACTIVE', because: 'its name and resources are claimed' },
  { from: ['ACTIVE'], on: 'changeStarted', to: 'CHANGING', because: 'an update, of resources and regions, too' },
  { from: ['CHANGING'], on: 'changeCompleted', to: 'ACTIVE', because: 'no affected connection waits any more' },
  { from: ['CREATING', 'ACTIVE', 'CHANGING'], on: 'deletionStarted', to: 'DELETING', because: 'its owner deletes it' },
  { from: ['DELETING'], on: 'deletionRefused', to: 'ACTIVE', because: 'connections are up and it was not forced' },
  {
    from: ['DELETING'],
    on: 'deletionRefused',
    to: 'CHANGING',
    because: 'so it is, and a resource or a region is under way',
  },
  { from: ['DELETING'], on: 'teardownConfirmed', to: 'GONE', because: 'all its connections are torn down' },
  { from: [null], on: 'abandoned', to: 'GONE', because: 'its creation stopped half-way and is undone' },
];

export const endpointServiceMove = transitionBy(endpointServiceTransitions);
export type EndpointServiceMove = Transition<EndpointServiceStatus, On>;

/** Starts a change, unless one is under way already. */
export const changeMove = ({
  status,
}: Readonly<{ status: EndpointServiceStatus | null }>): EndpointServiceMove | null =>
  status === 'ACTIVE' ? endpointServiceMove(status, 'changeStarted', 'CHANGING') : null;
