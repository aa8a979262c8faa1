import { createEndpoints } from '../../support/many-endpoints.ts';
import {
  acceptRequest,
  type Cast,
  createEndpoint,
  endpointRequest,
  type PublishedService,
  publishService,
  registerNetwork,
  reportPayment,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

const ZONE = 'cn-hangzhou-h';

/** Connections in all states that last, and some that specs are about. */
export type Population = Readonly<{
  total: number;
  services: Readonly<Record<'byHand' | 'up' | 'spare' | 'overdue' | 'locked' | 'deleted', PublishedService>>;
  /** Await acceptance; each spec takes its own. */
  waiting: readonly string[];
  /** Connected; each spec takes its own. */
  up: readonly string[];
  /** Has been through something. */
  eventful: string;
  /** Connected in two zones. */
  inTwoZones: string;
  /** How many of each status there are. */
  counts: Required<Counts>;
}>;

type Counts = Readonly<Partial<Record<'CONNECTED' | 'DISCONNECTED' | 'SERVICE_DELETED', number>>>;

/** @param reached waits until there are so many of each status */
export const populate = async (
  stage: Stage,
  cast: Cast,
  { count, reached }: Readonly<{ count: number; reached: (counts: Counts) => Promise<void> }>,
): Promise<Population> => {
  const { provider, consumer, billing, operator } = cast;
  const users = [consumer.account];
  const publish = (autoAccept: boolean) => publishService(provider, stage.log, { users, autoAccept });
  const services = {
    byHand: await publish(false),
    up: await publish(true),
    spare: await publish(true),
    overdue: await publish(true),
    locked: await publish(true),
    deleted: await publish(true),
  };
  const network = await registerNetwork(consumer);
  const inTwoZones = (await createEndpoint(consumer, endpointRequest(services.up, network))).endpointId;
  const created = await createEndpoints(consumer, Object.values(services), { count: count - 1, zone: ZONE });
  const of = (service: PublishedService) => [...created].filter(([, one]) => one === service).map(([id]) => id);
  const [eventful = '', ...waiting] = of(services.byHand);
  // What comes now would wait for all of them.
  await reached({ CONNECTED: count - 1 - waiting.length, DISCONNECTED: 1 + waiting.length });

  await provider.broker.acceptConnection(acceptRequest(eventful), CALL);
  const followed = stage.follow(provider, eventful);
  await followed.reaches('CONNECTED');
  await reportPayment(billing, 'overdue', eventful);
  await followed.reaches('DISCONNECTED');
  await reportPayment(billing, 'overdue', services.overdue.serviceId);
  const { serviceId } = services.locked;
  await operator.provider.lockEndpointService({ requestId: requestId(), serviceId, message: 'abuse' }, CALL);
  const remove = { requestId: requestId(), serviceId: services.deleted.serviceId, force: true };
  await provider.provider.deleteEndpointService(remove, CALL);

  const up = of(services.up);
  const [spare, deleted] = [of(services.spare).length, of(services.deleted).length];
  const connected = up.length + 1 + spare;
  const counts = { CONNECTED: connected, SERVICE_DELETED: deleted, DISCONNECTED: count - connected - deleted };
  await reached(counts);
  return { total: count, services, waiting, up, eventful, inTwoZones, counts };
};
