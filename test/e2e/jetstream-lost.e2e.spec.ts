import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readAnnouncements, toBeAnnounced } from '../support/announced-facts.ts';
import { expectSoundHistory } from '../support/invariants.ts';
import { createEndpoint, endpointRequest, publishService, registerNetwork } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { CALL, requestId } from '../support/world.ts';

const stage = useStage();

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
