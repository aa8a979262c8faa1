import { status } from '@grpc/grpc-js';
import type { Connection, ConnectionEvent } from '@privatelink/proto/broker/v1/connection';
import type { AsOf } from '@privatelink/proto/common/v1/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clients, type ConsumerStage, consumerStage } from './support/consumer-stage.ts';
import { CONSUMER, newId, PROVIDER, refusalOf } from './support/given.ts';

/** What was is shown as it was, to those who may know of it, also when it is gone. */

const STRANGER = '3000000000000003';

let stage: ConsumerStage;
let consumer: Clients;
let provider: Clients;
let operator: Clients;
let stranger: Clients;
beforeAll(async () => {
  stage = await consumerStage();
  consumer = await stage.services.clientsOf(CONSUMER, 'consumer');
  provider = await stage.services.clientsOf(PROVIDER, 'provider');
  operator = await stage.services.clientsOf('', 'operator');
  stranger = await stage.services.clientsOf(STRANGER, 'consumer', 'provider');
});
afterAll(() => stage?.close());

const at = (event: ConnectionEvent): AsOf => ({ moment: { $case: 'position', value: event.position } });
const when = (date: Date): AsOf => {
  const ms = date.getTime();
  return { moment: { $case: 'time', value: { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1e6 } } };
};
const tick = async (): Promise<Date> => {
  const before = Date.now();
  while (Date.now() <= before + 1) await new Promise((resolve) => setImmediate(resolve));
  return new Date(before + 1);
};
const events = async ({ broker }: Clients, connectionId: string): Promise<readonly ConnectionEvent[]> =>
  (await broker.listConnectionEvents({ connectionId, pageSize: 1_000, pageToken: '' }, {})).events;
const get = async ({ broker }: Clients, connectionId: string, asOf: AsOf) =>
  (await broker.getConnection({ connectionId, asOf }, {})).connection;
/** As whoever gives the token of a write; of the last events of one that is gone there is none. */
const untilKnown = async (endpointId: string): Promise<void> =>
  stage.services.broker.historyReaches((await events(provider, endpointId)).at(-1)?.position ?? 0n);
const PAGE = { pageSize: 0, pageToken: '', consistencyToken: '', statuses: [], stuck: false };
const NOT_FOUND = { code: status.NOT_FOUND };

/** An endpoint that was connected, paused, and deleted; and moments of its life. */
const lived = async () => {
  const before = await tick();
  const endpointId = await stage.activeEndpoint({ description: 'first' });
  await stage.connect(endpointId);
  const connected = await tick();
  const paused = { requestId: newId('r'), connectionId: endpointId, message: 'until monday' };
  await consumer.broker.pauseConnection(paused, {});
  await stage.connect(endpointId);
  const held = await tick();
  await stage.consumer.deleteEndpoint({ ...stage.naming(endpointId), force: false }, {});
  await stage.settle(endpointId);
  await stage.connect(endpointId);
  await stage.settle(endpointId);
  const gone = await tick();
  return { endpointId, before, connected, held, gone };
};

describe('a connection as of a moment', () => {
  it('is what it was at each of its events, to both sides, each by its own view', async () => {
    const { endpointId } = await lived();
    const timeline = await events(provider, endpointId);
    expect((await events(consumer, endpointId)).map(({ position }) => position)).toEqual(
      timeline.map(({ position }) => position),
    );
    expect(timeline.at(-1)?.type).toBe('ConnectionDeleted');
    let last = '';
    for (const event of timeline.slice(0, -1)) {
      last = event.transition?.to ?? last;
      const [theirs, ours] = [await get(provider, endpointId, at(event)), await get(consumer, endpointId, at(event))];
      expect(theirs).toMatchObject({ status: `CONNECTION_STATUS_${last}`, revision: event.revision });
      expect(ours).toMatchObject({ status: theirs?.status, revision: event.revision });
      for (const zone of ours?.zones ?? []) expect(zone.resourceId).toBe('');
    }
    const held = timeline.find(({ type }) => type === 'HoldPlaced');
    if (!held) throw new Error('it was paused');
    expect(await get(consumer, endpointId, at(held))).toMatchObject({ holds: [{ message: 'until monday' }] });
    expect(await get(provider, endpointId, at(held))).toMatchObject({ holds: [{ message: '', source: '' }] });
  });

  it('by time, with who asks before and after told why there is none', async () => {
    const { endpointId, before, connected, held, gone } = await lived();
    for (const side of [consumer, provider, operator]) {
      expect((await get(side, endpointId, when(connected)))?.status).toBe('CONNECTION_STATUS_CONNECTED');
      expect((await get(side, endpointId, when(held)))?.status).toBe('CONNECTION_STATUS_DISCONNECTED');
      const early = { ...NOT_FOUND, reason: 'NOT_CREATED_YET', facts: { resource_id: endpointId } };
      expect(await refusalOf(get(side, endpointId, when(before)))).toMatchObject(early);
      const late = { ...NOT_FOUND, reason: 'DELETED_BY_THEN' };
      expect(await refusalOf(get(side, endpointId, when(gone)))).toMatchObject(late);
    }
    const now = consumer.broker.getConnection({ connectionId: endpointId }, {});
    expect(await refusalOf(now)).toMatchObject({ ...NOT_FOUND, reason: 'CONNECTION_NOT_FOUND' });
  });

  it('is nothing to strangers, at any moment', async () => {
    const { endpointId, before, connected, gone } = await lived();
    for (const moment of [before, connected, gone].map(when)) {
      const refusal = await refusalOf(get(stranger, endpointId, moment));
      const absent = await refusalOf(get(stranger, newId('ep'), moment));
      expect(refusal).toMatchObject({ ...NOT_FOUND, reason: 'CONNECTION_NOT_FOUND' });
      expect({ ...refusal.facts, connection_id: '' }).toEqual({ ...absent.facts, connection_id: '' });
    }
    expect(await refusalOf(events(stranger, endpointId))).toMatchObject({ reason: 'CONNECTION_NOT_FOUND' });
  });

  it('cannot be of the future, nor of no moment', async () => {
    const connectionId = newId('ep');
    const refuse = async (asOf: AsOf, field: string) => {
      for (const call of [
        () => consumer.broker.getConnection({ connectionId, asOf }, {}),
        () => consumer.broker.listConnections({ ...PAGE, serviceId: '', asOf }, {}),
        () => consumer.consumer.getEndpoint({ endpointId: connectionId, asOf }, {}),
        () => consumer.provider.getEndpointService({ serviceId: stage.serviceId, asOf }, {}),
      ]) {
        expect(await refusalOf(call())).toMatchObject({ code: status.INVALID_ARGUMENT, violations: [{ field }] });
      }
    };
    await refuse({ moment: { $case: 'position', value: 1n << 40n } }, 'as_of.position');
    await refuse(when(new Date(Date.now() + 60_000)), 'as_of.time');
    await refuse({ moment: undefined }, 'as_of');
    const stuck = { ...PAGE, serviceId: '', stuck: true, asOf: when(new Date()) };
    expect(await refusalOf(consumer.broker.listConnections(stuck, {}))).toMatchObject({
      violations: [{ field: 'stuck' }],
    });
  });
});

describe('the connections of a service as of a moment', () => {
  it('are all that there were, as they were, page by page, gone or not', async () => {
    const first = await lived();
    const second = await lived();
    const list = async ({ broker }: Clients, date: Date, pageSize = 0) => {
      const found: Connection[] = [];
      let pageToken = '';
      do {
        const asked = { ...PAGE, serviceId: stage.serviceId, asOf: when(date), pageSize, pageToken };
        const page = await broker.listConnections(asked, {});
        found.push(...page.connections);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      return found;
    };
    await untilKnown(second.endpointId);
    for (const side of [consumer, provider, operator]) {
      const statusOf = async (date: Date, endpointId: string, pageSize = 0) =>
        (await list(side, date, pageSize)).find(({ connectionId }) => connectionId === endpointId)?.status;
      expect(await statusOf(first.connected, first.endpointId)).toBe('CONNECTION_STATUS_CONNECTED');
      expect(await statusOf(first.held, first.endpointId)).toBe('CONNECTION_STATUS_DISCONNECTED');
      expect(await statusOf(first.gone, first.endpointId)).toBeUndefined();
      expect(await statusOf(first.connected, second.endpointId)).toBeUndefined();
      expect(await statusOf(second.connected, second.endpointId, 1)).toBe('CONNECTION_STATUS_CONNECTED');
      expect(await statusOf(second.before, second.endpointId)).toBeUndefined();
    }
    expect(await list(stranger, first.connected)).toEqual([]);
    const statuses = ['CONNECTION_STATUS_CONNECTED' as const];
    const filtered = { ...PAGE, statuses, serviceId: stage.serviceId, asOf: when(first.held) };
    const { connections } = await provider.broker.listConnections(filtered, {});
    expect(connections.map(({ connectionId }) => connectionId)).not.toContain(first.endpointId);
    // Before anything is read.
    const wrong = { ...PAGE, serviceId: '', filter: 'status = "', asOf: when(new Date(0)), consistencyToken: 'x' };
    expect(await refusalOf(provider.broker.listConnections(wrong, {}))).toMatchObject({ reason: 'INVALID_FILTER' });
  });

  it('of one moment are not those of another: a page token keeps its moment', async () => {
    await stage.activeEndpoint();
    const { endpointId, connected, held } = await lived();
    await untilKnown(endpointId);
    const ask = { ...PAGE, serviceId: stage.serviceId, pageSize: 1 };
    const { nextPageToken: pageToken } = await provider.broker.listConnections({ ...ask, asOf: when(connected) }, {});
    expect(pageToken).not.toBe('');
    const statuses = ['CONNECTION_STATUS_CONNECTED' as const];
    for (const other of [{ asOf: when(held) }, {}, { asOf: when(connected), statuses }]) {
      const refusal = await refusalOf(provider.broker.listConnections({ ...ask, ...other, pageToken }, {}));
      expect(refusal).toMatchObject({ reason: 'PAGE_TOKEN_INVALID' });
    }
  });
});

describe('an endpoint as of a moment', () => {
  it('is shown with its connection as both were, to its owner also when it is gone', async () => {
    const { endpointId, before, connected, held, gone } = await lived();
    const read = async ({ consumer: client }: Clients, date: Date) =>
      (await client.getEndpoint({ endpointId, asOf: when(date) }, {})).endpoint;
    for (const reader of [consumer, operator]) {
      expect(await read(reader, connected)).toMatchObject({ usable: true, holds: [], stale: false });
      expect(await read(reader, held)).toMatchObject({ usable: false, holds: [{ message: 'until monday' }] });
      expect(await refusalOf(read(reader, before))).toMatchObject({ ...NOT_FOUND, reason: 'NOT_CREATED_YET' });
      expect(await refusalOf(read(reader, gone))).toMatchObject({ ...NOT_FOUND, reason: 'DELETED_BY_THEN' });
    }
    expect(await refusalOf(read(stranger, connected))).toMatchObject({ ...NOT_FOUND, reason: 'ENDPOINT_NOT_FOUND' });
  });

  it('had no connection before that was asked for', async () => {
    const { endpoint } = await stage.consumer.createEndpoint(stage.creation({ description: 'old' }), {});
    const endpointId = endpoint?.endpointId ?? '';
    const young = await tick();
    await stage.settle(endpointId);
    const update = { ...stage.naming(endpointId), description: 'new', tags: undefined, protected: undefined };
    await stage.consumer.updateEndpoint(update, {});
    const { endpoint: then } = await stage.consumer.getEndpoint({ endpointId, asOf: when(young) }, {});
    expect(then).toMatchObject({ status: 'ENDPOINT_STATUS_CREATING', description: 'old', usable: false });
    expect(then?.connectionStatus).toBe('CONNECTION_STATUS_UNSPECIFIED');
  });
});

describe('a service as of a moment', () => {
  it('is seen by those who saw it then, and by its owner', async () => {
    const { serviceId } = stage;
    const update = (description: string) =>
      provider.provider.updateEndpointService({ requestId: newId('r'), serviceId, description, tags: undefined }, {});
    const user = { requestId: newId('r'), serviceId, accountId: STRANGER, reconcile: 'RECONCILE_KEEP' as const };
    await update('old');
    await stage.services.provider.lifecycle.settle(serviceId);
    const open = await tick();
    await provider.provider.removeServiceUser({ ...user, requestId: newId('r'), accountId: '*' }, {});
    await update('new');
    await stage.services.provider.lifecycle.settle(serviceId);
    const closed = await tick();
    const read = async ({ provider: client }: Clients, date: Date) =>
      (await client.getEndpointService({ serviceId, asOf: when(date) }, {})).endpointService;

    expect(await read(provider, open)).toMatchObject({ description: 'old' });
    expect(await read(operator, closed)).toMatchObject({ description: 'new' });
    expect(await read(stranger, open)).toMatchObject({ serviceId, description: '', resources: [] });
    const hidden = { ...NOT_FOUND, reason: 'ENDPOINT_SERVICE_NOT_FOUND' };
    expect(await refusalOf(read(stranger, closed))).toMatchObject(hidden);
    const early = new Date(0);
    expect(await refusalOf(read(provider, early))).toMatchObject({ ...NOT_FOUND, reason: 'NOT_CREATED_YET' });
    expect(await refusalOf(read(stranger, early))).toMatchObject(hidden);

    await provider.provider.addServiceUser({ ...user, requestId: newId('r'), approvalTtl: undefined }, {});
    expect(await refusalOf(read(stranger, closed))).toMatchObject(hidden);
    expect(await refusalOf(read(stranger, early))).toMatchObject({ ...NOT_FOUND, reason: 'NOT_CREATED_YET' });
    expect(await read(stranger, await tick())).toMatchObject({ serviceId });
  });
});
