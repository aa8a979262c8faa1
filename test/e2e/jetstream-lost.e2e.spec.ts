import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { RunFile } from '@privatelink/embedded/run-file';
import { expect, it } from 'vitest';
import { readAnnouncements, toBeAnnounced } from '../support/announced-facts.ts';
import { expectSoundHistory } from '../support/invariants.ts';
import {
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
  reportPayment,
} from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { CALL, requestId } from '../support/world.ts';

const stage = useStage(async () => ({ dashboard: true }));

it('announces everything anew when JetStream has lost all that it had', async () => {
  const { system, dataDir, run, log, tables, cast, follow } = stage();
  const { provider, consumer } = await cast();
  const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
  const network = await registerNetwork(consumer);
  const [kept, rejected, deleted] = await Promise.all(
    [1, 2, 3].map(async () => {
      const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
      const connection = follow(consumer, endpointId);
      await connection.reaches('CONNECTED');
      return { endpointId, connection };
    }),
  );
  if (!kept || !rejected || !deleted) throw new Error('three were created');
  await readAnnouncements(run, toBeAnnounced(log.all));
  const revisionOf = (endpointId: string) => log.of('connection', endpointId).at(-1)?.revision;
  const converges = (endpointId: string) =>
    tables.until(
      async () => (await tables.foreignRevisions()).get(endpointId) === revisionOf(endpointId),
      `the consumer service knows the last of ${endpointId}`,
    );
  for (const { endpointId } of [kept, rejected, deleted]) await converges(endpointId);

  await system.stopProcess('nats');
  await rm(join(dataDir, 'nats', 'jetstream'), { recursive: true });
  const reject = { requestId: requestId(), connectionId: rejected.endpointId, message: 'while nobody hears it' };
  const { consistencyToken } = await provider.broker.rejectConnection(reject, CALL);
  await rejected.connection.reaches('DISCONNECTED');
  await consumer.consumer.deleteEndpoint(
    { requestId: requestId(), endpointId: deleted.endpointId, force: false },
    CALL,
  );
  await deleted.connection.reaches('GONE');
  const { endpointId: created } = await createEndpoint(consumer, endpointRequest(service, network));
  await follow(consumer, created).reaches('CONNECTED');
  await log.records('vpc', network.vpcId, 'ReservationReleased');
  await system.startProcess('nats');

  const counts = await readAnnouncements(run, toBeAnnounced(log.all));
  expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
  for (const endpointId of [kept.endpointId, rejected.endpointId, deleted.endpointId, created])
    await converges(endpointId);
  const listed = await consumer.consumer.listEndpoints(
    { pageSize: 10, pageToken: '', consistencyToken, serviceId: '', statuses: [] },
    CALL,
  );
  expect(new Map(listed.endpoints.map(({ endpointId, connectionStatus }) => [endpointId, connectionStatus]))).toEqual(
    new Map([
      [kept.endpointId, 'CONNECTION_STATUS_CONNECTED'],
      [rejected.endpointId, 'CONNECTION_STATUS_DISCONNECTED'],
      [created, 'CONNECTION_STATUS_CONNECTED'],
    ]),
  );
  await expectSoundHistory(log);
}, 120_000);

it('whoever was away for longer than JetStream keeps messages asks their owner for them', async () => {
  const { system, dataDir, run, log, tables, cast, follow } = stage();
  const { provider, consumer, billing } = await cast();
  const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
  const network = await registerNetwork(consumer);
  const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
  const connection = follow(consumer, endpointId);
  await connection.reaches('CONNECTED');

  const away = ['consumer-1', 'provider-1', 'ops-1'];
  await Promise.all(away.map((name) => system.stopProcess(name)));
  await reportPayment(billing, 'overdue', service.serviceId);
  await connection.reaches('DISCONNECTED');
  const last = () => log.of('connection', endpointId).at(-1);
  await readAnnouncements(run, toBeAnnounced(log.all));
  await dropAll(run, dataDir, 'EVT_BROKER');
  await Promise.all(away.map((name) => system.startProcess(name)));

  await log.records('endpointService', service.serviceId, 'FinancialLockPlaced');
  for (const knows of [tables.foreignRevisions, tables.opsRevisions]) {
    await tables.until(
      async () => (await knows()).get(endpointId) === last()?.revision,
      `the last of ${endpointId} is known`,
    );
  }
  await reportPayment(billing, 'settled', service.serviceId);
  await connection.reaches('CONNECTED');
  for (const knows of [tables.foreignRevisions, tables.opsRevisions]) {
    await tables.until(async () => (await knows()).get(endpointId) === last()?.revision, 'and it goes on');
  }
}, 120_000);

/** As when a stream is full; who reads on must be the services' own user. */
const dropAll = async ({ nats }: RunFile, dataDir: string, stream: string): Promise<void> => {
  const { service } = JSON.parse(await readFile(join(dataDir, 'nats', 'passwords.json'), 'utf8'));
  const connection = await connect({ servers: nats.url, user: 'service', pass: service, inboxPrefix: '_INBOX.spec' });
  await (await jetstreamManager(connection)).streams.purge(stream);
  await connection.close();
};
