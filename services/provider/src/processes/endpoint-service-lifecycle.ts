import type { Folded } from '@privatelink/shared/app/fold';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Region } from '@privatelink/shared/app/regions';
import { foldIn, idsIn, within } from '@privatelink/shared/app/rehearse';
import type { Repository } from '@privatelink/shared/app/repository';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Rehearsal } from '@privatelink/shared/eventing/rehearsal';
import type { BrokerPort } from '../dispatch/broker.ts';
import { isUnderWay } from '../endpoint-service/endpoint-service.decide.ts';
import { regionsIn } from '../endpoint-service/endpoint-service.regions.ts';
import {
  type EndpointService,
  type EndpointServiceCommand,
  type EndpointServiceEvent,
  isOffered,
} from '../endpoint-service/endpoint-service.ts';
import type { AccountsRepository } from './service-claim-cleanup.ts';

/**
 * The life of an endpoint service beyond its provider's requests.
 *
 * Being created, it becomes active, and locked where its account's bills are overdue. Facts that concern its connections are told to the broker, in order. A resource
 * that is to be detached is closed at the broker, which moves its endpoints to others of the zone, or says who is on
 * it. A region that is added is opened; one that is removed is closed at the broker like a service that is deleted. A change is complete when nothing of it waits. A deletion is put to the broker, which answers what stands in its
 * way; the end comes from the broker, when the last connection is torn down. Gone, it counts no longer for its account.
 */
export type ServiceRepository = Repository<EndpointServiceCommand, EndpointServiceEvent, EndpointService>;

const ASK_AGAIN_MS = 250;

export type Lifecycle = Readonly<{
  /** Does all that is outstanding for one service now; throws when the broker does not answer. */
  settle: (serviceId: string, rehearsal?: Rehearsal) => Promise<Folded<EndpointService>>;
  /** Rehearses what is outstanding for the services of a rehearsal. */
  foresee: (rehearsal: Rehearsal) => Promise<void>;
  reactor: Reactor;
}>;

export const endpointServiceLifecycle = ({
  services,
  accounts,
  broker,
  otherRegions,
  clock,
}: Readonly<{
  services: ServiceRepository;
  accounts: AccountsRepository;
  broker: BrokerPort;
  /** Those that the installation has. */
  otherRegions: readonly Region[];
  clock: Clock;
}>): Lifecycle => {
  const give = (at: Folded<EndpointService>, command: EndpointServiceCommand, rehearsal?: Rehearsal) => {
    const context = processContext(`${command.type}/${at.state.serviceId}`, at, clock.now(), { service: 'provider' });
    return services.execute(at.state.serviceId, command, within(rehearsal, context));
  };

  const settle = async (serviceId: string, rehearsal?: Rehearsal): Promise<Folded<EndpointService>> => {
    rehearsal?.foreseen.add(serviceId);
    for (;;) {
      const folded = await foldIn(rehearsal, services, serviceId);
      const command = await nextCommand(folded, rehearsal);
      if (!command) return folded;
      await give(folded, command, rehearsal);
    }
  };

  /** The one next step: what is asked of the broker is answered by a command to the service. */
  const nextCommand = async (
    folded: Folded<EndpointService>,
    rehearsal: Rehearsal | undefined,
  ): Promise<EndpointServiceCommand | null> => {
    const { state: service } = folded;
    const cause = { ...folded.cause, rehearsal };
    const call = { ...cause, actor: 'service:provider' };
    const [pending] = regionsIn(service, 'PENDING');
    if (pending !== undefined && (service.status === 'CREATING' || service.status === 'CHANGING')) {
      const isThere = otherRegions.some(({ regionId }) => regionId === pending);
      return { type: isThere ? 'RecordRegionOpened' : 'RecordRegionFailed', data: { regionId: pending } };
    }
    if (service.status === 'CREATING') {
      // Read after the service is there: a bill that is recorded later finds it on the ledger.
      const { payments } = (await foldIn(rehearsal, accounts, service.accountId)).state;
      return { type: 'ActivateEndpointService', data: { payments: Object.values(payments) } };
    }
    const last = service.untold.at(-1);
    if (last && service.status !== 'GONE') {
      for (const fact of service.untold) await broker.recordServiceFact(service.serviceId, fact, call);
      return { type: 'RecordConnectionsInformed', data: { version: last.version } };
    }
    if (service.status === 'CHANGING') {
      for (const detaching of service.detaching) {
        const candidates = service.resources
          .filter(isOffered(service))
          .filter(({ zoneId }) => zoneId === detaching.zoneId);
        const closing = await broker.closeResource(service.serviceId, detaching, candidates, call);
        const { endpointIds, movingCount } = closing;
        if (endpointIds.length > 0) return { type: 'RefuseResourceDetachment', data: { ...detaching, endpointIds } };
        if (movingCount === 0) return { type: 'CompleteResourceDetachment', data: detaching };
      }
      for (const regionId of regionsIn(service, 'DELETING')) {
        const { version = 0, force = false, actor = '' } = service.supportedRegions[regionId] ?? {};
        const asked = { ...cause, actor };
        const closing = await broker.closeService(service.serviceId, version, force, asked, regionId);
        if (closing.blockerCount > 0) return { type: 'RefuseRegionRemoval', data: { regionId, version, ...closing } };
      }
      return isUnderWay(service) ? null : { type: 'CompleteChange', data: {} };
    }
    if (service.status === 'DELETING' && service.deletion) {
      const { version, force, actor } = service.deletion;
      const { blockers, blockerCount } = await broker.closeService(service.serviceId, version, force, {
        ...cause,
        actor,
      });
      if (blockerCount === 0) return null;
      return { type: 'RefuseDeletion', data: { version, blockers, blockerCount } };
    }
    return null;
  };

  const release = async (at: Folded<EndpointService>): Promise<void> => {
    const { accountId, serviceId } = at.state;
    const context = processContext(`release/${serviceId}`, at, clock.now(), { service: 'provider' });
    await accounts.execute(accountId, { type: 'ReleaseService', data: { serviceId } }, context);
  };

  return {
    settle,
    foresee: async (rehearsal) => {
      for (const serviceId of idsIn(rehearsal, services.category)) {
        if (!rehearsal.foreseen.has(serviceId)) await settle(serviceId, rehearsal);
      }
    },
    reactor: {
      name: 'endpointServiceLifecycle',
      prefixes: ['endpointService-'],
      key: (event) => idOfStream(event.stream),
      work: async (serviceId) => {
        const settled = await settle(serviceId);
        if (settled.state.status === 'GONE') await release(settled);
        // Its endpoints move to other resources meanwhile; nobody tells when they have.
        return settled.state.status === 'CHANGING' ? { againMs: ASK_AGAIN_MS } : 'settled';
      },
    },
  };
};
