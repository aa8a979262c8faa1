import type { WatchConnectionsResponse } from '@privatelink/proto/broker/v1/broker_service';
import type { ConnectionEvent } from '@privatelink/proto/broker/v1/connection';
import { expect, it } from 'vitest';
import { statusName } from '../../support/follow-connection.ts';
import {
  type Actor,
  acceptRequest,
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  refusalOf,
  registerNetwork,
  reportPayment,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL, requestId } from '../../support/world.ts';

/** All that one side is told, up to the first message that is `last`. */
const watchUntil = async (
  { broker }: Actor,
  last: (told: WatchConnectionsResponse) => boolean,
  synced: () => void,
  signal: AbortSignal,
): Promise<readonly WatchConnectionsResponse[]> => {
  const told: WatchConnectionsResponse[] = [];
  for await (const message of broker.watchConnections({ connectionId: '', serviceId: '' }, { signal })) {
    told.push(message);
    if (message.synced) synced();
    if (last(message)) break;
  }
  return told;
};

const allEvents = async ({ broker }: Actor, connectionId: string, pageSize: number) => {
  const events: ConnectionEvent[] = [];
  let pageToken = '';
  do {
    const page = await broker.listConnectionEvents({ connectionId, pageSize, pageToken }, CALL);
    expect(page.events.length).toBeLessThanOrEqual(pageSize);
    events.push(...page.events);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return events;
};

export const views = (stage: () => Stage): void => {
  it('are followed live: what is, then each change, then the end; a stranger sees nothing of it', async () => {
    const { cast, run, log, follow, signal } = stage();
    const { provider, consumer } = await cast();
    const stranger = await openActor(run, 'consumer');
    const service = await publishService(provider, log, { users: [consumer.account, stranger.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const connection = follow(provider, endpointId);
    await connection.reaches('DISCONNECTED');
    const listed = { serviceId: service.serviceId, statuses: [], stuck: false };
    await log.records('connection', endpointId, 'NamesWithdrawn');

    const [consumerSynced, strangerSynced] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const seen = watchUntil(consumer, ({ deleted }) => deleted, consumerSynced.resolve, signal);
    const strangers = watchUntil(stranger, (told) => told.connection !== undefined, strangerSynced.resolve, signal);
    await Promise.all([consumerSynced.promise, strangerSynced.promise]);
    await provider.broker.acceptConnection(acceptRequest(endpointId), CALL);
    await connection.reaches('CONNECTED');
    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    await connection.reaches('GONE');

    const told = await seen;
    expect(told.filter(({ synced }) => synced)).toHaveLength(1);
    const statuses = told.map((message) =>
      message.synced ? 'synced' : statusName(message.connection?.status ?? 'CONNECTION_STATUS_UNSPECIFIED'),
    );
    expect(statuses.slice(0, 2)).toEqual(['DISCONNECTED', 'synced']);
    expect(statuses).toContain('CONNECTED');
    expect(statuses.at(-1)).toBe('DELETING');
    const revisions = told.flatMap((message) => (message.connection ? [message.connection.revision] : []));
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => Number(a - b)));
    for (const message of told) {
      expect(message.connection?.connectionId ?? endpointId).toBe(endpointId);
      for (const zone of message.connection?.zones ?? []) expect(zone.resourceId).toBe('');
    }

    // Changes come in order: had the stranger been told of the other connection, it would have been before its own.
    const own = await createEndpoint(stranger, endpointRequest(service, await registerNetwork(stranger)));
    expect((await strangers).map((message) => message.connection?.connectionId ?? 'synced')).toEqual([
      'synced',
      own.endpointId,
    ]);
    const { consistencyToken } = await provider.broker.rejectConnection(
      { requestId: requestId(), connectionId: own.endpointId, message: '' },
      CALL,
    );
    const page = { pageSize: 100, pageToken: '', consistencyToken };
    const theirs = await stranger.broker.listConnections({ ...page, ...listed }, CALL);
    expect(theirs.connections.map(({ connectionId }) => connectionId)).toEqual([own.endpointId]);
    stranger.close();
  });

  it('tell one history, each without what is private to the other side', async () => {
    const { cast, run, log, follow } = stage();
    const { provider, consumer, billing } = await cast();
    const stranger = await openActor(run, 'consumer');
    const service = await publishService(provider, log, { users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const connection = follow(provider, endpointId);
    await connection.reaches('DISCONNECTED');
    const accept = acceptRequest(endpointId, 'welcome');
    await provider.broker.acceptConnection(accept, CALL);
    await connection.reaches('CONNECTED');
    await reportPayment(billing, 'overdue', endpointId);
    await connection.reaches('DISCONNECTED');

    const [theProviders, theConsumers] = [
      await allEvents(provider, endpointId, 3),
      await allEvents(consumer, endpointId, 100),
    ];
    const outline = (events: readonly ConnectionEvent[]) =>
      events.map(({ eventId, revision, type, transition }) => ({ eventId, revision, type, transition }));
    expect(outline(theProviders)).toEqual(outline(theConsumers));
    expect(theProviders.map(({ revision }) => revision)).toEqual(theProviders.map((_, index) => BigInt(index)));

    const of = (events: readonly ConnectionEvent[], type: string) => events.find((event) => event.type === type);
    expect(of(theConsumers, 'ConnectionAccepted')?.actor).toBe('provider');
    expect(of(theProviders, 'ConnectionAccepted')?.actor).toBe('user:provider');
    expect(of(theConsumers, 'ConnectionAccepted')?.details).toMatchObject({ message: 'welcome' });
    expect(JSON.stringify(of(theProviders, 'ZoneResourceAssigned')?.details)).toContain('nlb-1');
    for (const event of theConsumers) expect(JSON.stringify(event.details)).not.toContain('nlb-');
    expect(of(theProviders, 'HoldPlaced')?.details).toMatchObject({ reason: 'ENDPOINT_PAYMENT_OVERDUE' });
    expect(JSON.stringify(of(theProviders, 'HoldPlaced')?.details)).not.toContain('invoice');
    for (const event of theProviders) expect(JSON.stringify(event.details)).not.toContain('securityGroup');
    const { connection: shown } = await provider.broker.getConnection({ connectionId: endpointId }, CALL);
    expect(shown?.holds.map(({ message, source }) => ({ message, source }))).toEqual([{ message: '', source: '' }]);
    const { connection: own } = await consumer.broker.getConnection({ connectionId: endpointId }, CALL);
    expect(own?.holds.map(({ message }) => message)).toEqual(['see invoice 7']);

    const strangers = stranger.broker.listConnectionEvents(
      { connectionId: endpointId, pageSize: 10, pageToken: '' },
      CALL,
    );
    expect(await refusalOf(strangers)).toMatchObject({ code: 5, reason: 'CONNECTION_NOT_FOUND' });
    stranger.close();
  });
};
