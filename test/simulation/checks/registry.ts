import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { toLogged } from '../../support/event-log.ts';
import { violationsIn } from '../../support/invariants.ts';
import type { Plan } from '../plan.ts';
import type { World } from '../world/world.ts';
import type { Ending } from './aggregates.ts';
import { wrongAnnouncements, wrongIndexes } from './announcements.ts';
import { tracesOfDryRuns } from './dry-runs.ts';
import { wrongForwarding, wrongHealth, wrongLimits } from './forwarding.ts';
import { momentsWrong } from './history.ts';
import { partsOfNobody, wrongCustomNames, wrongNames } from './names.ts';
import { wrongPast } from './past.ts';
import { wrongForeignRows, wrongReadModels } from './read-models.ts';
import { connectionsWithoutReason, unsettled, wrongLocks, wrongPayments, wrongResources } from './settled.ts';

/** A simulation that is over. */
export type Ended = Readonly<{
  plan: Plan;
  world: World;
  history: readonly StoredEvent[];
  ending: Ending;
  isSettled: boolean;
  /** What was recorded of forwarding and was not so at that moment. */
  untruths: readonly string[];
  /** What the clients have to say. */
  grievances: readonly string[];
  /** What the services have logged that they never should. */
  complaints: readonly string[];
}>;

type Check = (ended: Ended) => readonly string[] | Promise<readonly string[]>;

/** Every invariant, by what it says. Each gives what is wrong; nothing, if all is well. */
export const CHECKS: Readonly<Record<string, Check>> = {
  'everything comes to rest': ({ isSettled }) =>
    isSettled ? [] : ['something still goes on, long after all has healed'],
  'every host is up again': ({ world }) => (world.cluster.isUp() ? [] : ['a host is not up again']),
  'no service logs a bug or ends itself': ({ complaints }) => complaints,
  'requests are answered, and again as at first': ({ grievances }) => grievances,
  'streams are gap-free, moves legal, addresses, slots and reservations somebody’s': ({ history }) =>
    violationsIn(history.map(toLogged)),
  'at every moment status follows from holds, and nothing is released early': ({ history }) => momentsWrong(history),
  'a dry run leaves nothing': ({ history }) => tracesOfDryRuns(history),
  'no status is transitional for ever': ({ ending }) => unsettled(ending),
  'connections are what their holds and scopes say': ({ ending }) => connectionsWithoutReason(ending),
  'nobody is on a resource that is detached': ({ ending }) => wrongResources(ending),
  'the last report of a payment decides': ({ ending }) => wrongPayments(ending),
  'services and endpoints are locked for what is overdue': ({ ending }) => wrongLocks(ending),
  'read models are the fold of their streams': ({ world, history }) => wrongReadModels(history, world.databases),
  'the past is as it was recorded': ({ world, history }) => wrongPast(history, world.databases.broker),
  'the consumer knows connections as they are': ({ world, ending }) => wrongForeignRows(ending, world.databases),
  'every fact is announced, once and in order': ({ world, history }) => wrongAnnouncements(history, world.bus),
  'every fact is indexed, once and in order': ({ world, history }) => wrongIndexes(history, world.databases),
  'zones forward what is connected': ({ world, plan, ending }) =>
    plan.forwarding === 'agents' ? wrongForwarding(ending, world.machines) : [],
  'what is recorded of health is so': ({ world, plan, ending }) =>
    plan.forwarding === 'agents' ? wrongHealth(ending, world.machines) : [],
  'zones keep their share of the bandwidth': ({ world, plan, ending }) =>
    plan.forwarding === 'agents' ? wrongLimits(ending, world.machines) : [],
  'what is recorded of forwarding is so; no address is released while it is forwarded': ({ untruths }) => untruths,
  'DNS answers what is connected': ({ world, ending }) => wrongNames(ending, world.cluster.dnsServers()),
  'custom domains and IPv6 addresses are kept for whoever has them': ({ ending }) => partsOfNobody(ending),
  'DNS answers custom domains in their VPC alone': ({ world, ending }) =>
    wrongCustomNames(ending, world.cluster.dnsServers()),
};
