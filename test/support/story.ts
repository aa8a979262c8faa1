import { typeOf } from './event-log.ts';
import {
  acceptRequest,
  addressesOf,
  type Cast,
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
  reportPayment,
  untilAnswered,
} from './scenario.ts';
import type { Stage } from './stage.ts';
import { CALL, requestId } from './world.ts';

/** What a story left behind. */
export type Told = Readonly<{ serviceId: string; endpointId: string; vpcId: string; domainName: string }>;

export type StoryOptions = Readonly<{
  /** Done when the story gets there, before its next step. */
  before?: Partial<Record<'connecting' | 'disconnecting' | 'reconnecting' | 'closing' | 'deleting', () => unknown>>;
  /** Who makes the calls; the next one each time. */
  cast?: () => Cast;
}>;

/** The statuses that the story's connection goes through. */
const STORY = [
  'DISCONNECTED',
  'CONNECTING',
  'CONNECTED',
  'DISCONNECTING',
  'DISCONNECTED',
  'CONNECTING',
  'CONNECTED',
  'SERVICE_DELETED',
  'DELETING',
  'GONE',
] as const;

/**
 * One life of a connection, with every service in it: accepted, overdue and settled, and the end of the service and
 * then of the endpoint. Calls are made again until somebody answers.
 */
export const playStory = async (stage: Stage, { before = {}, cast }: StoryOptions = {}): Promise<Told> => {
  const { log, follow, lookup } = stage;
  const only = cast ? undefined : await stage.cast();
  const next = cast ?? (() => only as Cast);
  const { account } = next().consumer;
  const service = await publishService(next().provider, log, { users: [account] });
  const { serviceId } = service;
  const network = await registerNetwork(next().consumer);
  const endpoint = await createEndpoint(next().consumer, endpointRequest(service, network));
  const { endpointId, domainName } = endpoint;
  const connection = follow(next().consumer, endpointId);
  await connection.reaches('DISCONNECTED');

  await before.connecting?.();
  const accept = acceptRequest(endpointId);
  await untilAnswered(() => next().provider.broker.acceptConnection(accept, CALL));
  await connection.reaches('CONNECTED');
  await expectNames(lookup, domainName, addressesOf(endpoint));

  await before.disconnecting?.();
  await reportPayment(next().billing, 'overdue', serviceId);
  await connection.reaches('DISCONNECTED');
  await expectNames(lookup, domainName, 'NODATA');
  await before.reconnecting?.();
  await reportPayment(next().billing, 'settled', serviceId);
  await connection.reaches('CONNECTED');
  await expectNames(lookup, domainName, addressesOf(endpoint));

  await before.closing?.();
  const close = { requestId: requestId(), serviceId, force: true };
  await untilAnswered(() => next().provider.provider.deleteEndpointService(close, CALL));
  await connection.reaches('SERVICE_DELETED');
  await log.records('endpointService', serviceId, 'EndpointServiceDeleted');

  await before.deleting?.();
  const remove = { requestId: requestId(), endpointId, force: false };
  await untilAnswered(() => next().consumer.consumer.deleteEndpoint(remove, CALL));
  await connection.reaches('GONE');
  await log.records('vpc', network.vpcId, 'ReservationReleased');
  await log.records('serviceAdmissions', serviceId, 'AdmissionReleased');
  await expectNames(lookup, domainName, 'NXDOMAIN');

  const statuses = log
    .of('connection', endpointId)
    .flatMap(({ move }) => (move && move.from !== move.to ? [move.to] : []));
  if (statuses.join() !== STORY.join()) throw new Error(`the connection went ${statuses.join(' -> ')}`);
  const ends = log.all.filter(
    (event) => event.owner === endpointId && /^(Endpoint|Connection)Deleted$/.test(typeOf(event)),
  );
  if (ends.length !== 2) throw new Error(`${ends.length} ends instead of the endpoint's and the connection's`);
  return { serviceId, endpointId, vpcId: network.vpcId, domainName };
};

const expectNames = async (
  lookup: Stage['lookup'],
  domainName: string,
  expected: string | readonly string[],
): Promise<void> => {
  const answer = await untilAsked(() => lookup(domainName));
  if (String(answer) !== String(expected)) throw new Error(`${domainName} answers ${answer} instead of ${expected}`);
};

/** A server that was killed does not answer until it is back, complete. */
const untilAsked = async <T>(ask: () => Promise<T>): Promise<T> => {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
  }
};
