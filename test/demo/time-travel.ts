import type { ConnectionEvent } from '@privatelink/proto/broker/v1/connection';
import type { AsOf } from '@privatelink/proto/common/v1/common';
import type { Timestamp } from '@privatelink/proto/google/protobuf/timestamp';
import { createEndpoint, endpointRequest, publishService, registerNetwork } from '../support/scenario.ts';
import { type Api, apiFor, CALL, requestId } from '../support/world.ts';
import {
  Difference,
  expectEqual,
  expectReason,
  followStatuses,
  narrateStatusChanges,
  type Stage,
  type Story,
} from './story.ts';

const PROVIDER = '1000000000000001';
const CONSUMER = '2000000000000002';

/** What was, after all of it is gone. */
export const timeTravel: Story = {
  name: 'time-travel',
  about: 'an endpoint is connected, disconnected and deleted; then both sides ask what it was, and when',
  forwarding: 'loopback',
  play: async (stage: Stage) => {
    const { run, feed, narrator, use } = stage;
    const provider = use(await apiFor(run, { account: PROVIDER, roles: ['provider'], subject: 'paula' }));
    const consumer = use(await apiFor(run, { account: CONSUMER, roles: ['consumer'], subject: 'carl' }));
    const told = narrateStatusChanges(stage, { domainName: () => undefined });
    const { act, checked } = narrator;

    narrator.title('An endpoint lives and goes');
    const options = { autoAccept: true, users: [CONSUMER] };
    const { serviceId, serviceName } = await publishService(provider, feed, options);
    act('consumer creates an endpoint');
    const network = await registerNetwork(consumer);
    const { endpointId } = await createEndpoint(consumer, endpointRequest({ serviceName }, network));
    const reaches = followStatuses(stage, endpointId, told);
    await reaches('CONNECTING', 'CONNECTED');
    act('provider rejects it');
    const reject = { requestId: requestId(), connectionId: endpointId, message: 'too many of you' };
    await provider.broker.rejectConnection(reject, CALL);
    await reaches('DISCONNECTING', 'DISCONNECTED');
    act('consumer deletes it');
    await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
    await reaches('DELETING', 'GONE');
    await feed.next(
      ({ fact, resourceId }) =>
        resourceId === endpointId && fact.resource?.$case === 'endpoint' && fact.transition?.to === 'GONE',
      'endpoint gone',
    );
    await expectReason('CONNECTION_NOT_FOUND', () => consumer.broker.getConnection({ connectionId: endpointId }, CALL));
    checked('now there is no such connection');

    narrator.title('What it was, to both sides');
    const page = { connectionId: endpointId, pageSize: 1_000, pageToken: '' };
    const { events } = await consumer.broker.listConnectionEvents(page, CALL);
    for (const [name, api] of Object.entries({ provider, consumer })) {
      for (const event of events.filter(({ transition }) => transition && transition.to !== 'GONE')) {
        const { position, transition, recordTime } = event;
        const asOf: AsOf = { moment: { $case: 'position', value: position } };
        const { connection } = await api.broker.getConnection({ connectionId: endpointId, asOf }, CALL);
        const is = connection?.status.replace('CONNECTION_STATUS_', '');
        expectEqual(`status at ${position}, to the ${name}`, is, transition?.to);
        checked(`${name}: ${is} as of position ${position}, ${timeOf(recordTime)}, by ${event.type}`);
      }
    }

    narrator.title('And by time: the endpoint, and all connections of the service');
    const [requested, established, disconnected] = ['ConnectionRequested', 'ConnectionEstablished']
      .map((type) => find(events, type))
      .concat(find(events, 'ConnectionDisconnected')) as [ConnectionEvent, ConnectionEvent, ConnectionEvent];
    const used = await endpointAt(consumer, endpointId, established.recordTime);
    expectEqual('usable then', used?.usable, true);
    const held = await endpointAt(consumer, endpointId, disconnected.recordTime);
    expectEqual('message then', held?.holds[0]?.message, 'too many of you');
    checked(`consumer: usable at ${timeOf(established.recordTime)}, held at ${timeOf(disconnected.recordTime)}`);
    const connections = await connectionsAt(provider, serviceId, established.recordTime);
    expectEqual('connections then', connections, [`${endpointId} CONNECTION_STATUS_CONNECTED`]);
    checked(`provider: the service had ${connections}`);
    const before = timestampBefore(requested.recordTime);
    expectEqual('connections before', await connectionsAt(provider, serviceId, before), []);
    await expectReason('NOT_CREATED_YET', () => connectionAt(provider, endpointId, before));
    checked(`before ${timeOf(requested.recordTime)} it had not been created yet`);
    const end = find(events, 'ConnectionDeleted').recordTime;
    await expectReason('DELETED_BY_THEN', () => connectionAt(provider, endpointId, end));
    checked(`at ${timeOf(end)} it was deleted`);
  },
};

type When = Timestamp | undefined;

const at = (value: When): AsOf => ({ moment: value && { $case: 'time', value } });

const timestampBefore = (time: When): When => time && { seconds: time.seconds - 1n, nanos: time.nanos };

const timeOf = (time: When): string =>
  time ? new Date(Number(time.seconds) * 1_000 + time.nanos / 1e6).toISOString().slice(11, 23) : '';

const find = (events: readonly ConnectionEvent[], type: string): ConnectionEvent => {
  const found = events.find((event) => event.type === type);
  if (!found) throw new Difference(`no ${type} was recorded`);
  return found;
};

const connectionAt = ({ broker }: Api, connectionId: string, time: When) =>
  broker.getConnection({ connectionId, asOf: at(time) }, CALL);

const endpointAt = async ({ consumer }: Api, endpointId: string, time: When) =>
  (await consumer.getEndpoint({ endpointId, asOf: at(time) }, CALL)).endpoint;

const connectionsAt = async ({ broker }: Api, serviceId: string, time: When): Promise<readonly string[]> => {
  const all = { pageSize: 0, pageToken: '', consistencyToken: '', statuses: [], stuck: false };
  const { connections } = await broker.listConnections({ ...all, serviceId, asOf: at(time) }, CALL);
  return connections.map(({ connectionId, status }) => `${connectionId} ${status}`);
};
