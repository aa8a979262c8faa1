import { type Transition, type TransitionRow, transitionBy } from '@privatelink/shared/eventing/transition-table';

/** `CLOSED` is listed to nobody. */
export type SupportedRegionStatus = 'PENDING' | 'AVAILABLE' | 'DELETING' | 'FAILED' | 'CLOSED';

type On = 'added' | 'opened' | 'failed' | 'removalStarted' | 'removalRefused' | 'teardownConfirmed';

export const supportedRegionTransitions: readonly TransitionRow<SupportedRegionStatus, On>[] = [
  { from: [null, 'CLOSED', 'FAILED'], on: 'added', to: 'PENDING', because: 'the provider adds it' },
  { from: ['PENDING'], on: 'opened', to: 'AVAILABLE', because: 'the installation has it' },
  { from: ['PENDING'], on: 'failed', to: 'FAILED', because: 'the installation has it no more' },
  {
    from: ['PENDING', 'AVAILABLE', 'FAILED'],
    on: 'removalStarted',
    to: 'DELETING',
    because: 'the provider removes it',
  },
  {
    from: ['DELETING'],
    on: 'removalRefused',
    to: 'AVAILABLE',
    because: 'connections of its endpoints are up and it was not forced',
  },
  {
    from: ['DELETING'],
    on: 'teardownConfirmed',
    to: 'CLOSED',
    because: 'all connections of its endpoints are torn down',
  },
];

export const supportedRegionMove = transitionBy(supportedRegionTransitions);
export type SupportedRegionMove = Transition<SupportedRegionStatus, On>;
