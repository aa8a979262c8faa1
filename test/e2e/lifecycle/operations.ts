import { loadSigningKey, mintToken } from '@privatelink/embedded/keys';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import {
  OperationsServiceClient,
  type RebuildReadModelResponse,
} from '@privatelink/proto/operations/v1/operations_service';
import { connect } from '@privatelink/shared/grpc/client';
import { expect, it } from 'vitest';
import { connections as connectionTable } from '../../../services/connection-broker/src/read-models/connections.ts';
import { createEndpoint, endpointRequest, publishService, refusalOf, registerNetwork } from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { CALL } from '../../support/world.ts';

const READ_MODEL = { readModel: 'connections' };

export const operations = (stage: () => Stage): void => {
  const asOperator = async () => {
    const { run } = stage();
    const key = await loadSigningKey(run.issuer.keyFile);
    const token = await mintToken({ subject: 'ops', account: '', roles: ['operator'], key, ttlSeconds: 600 });
    return connect(OperationsServiceClient, run.grpc.broker, { token: () => token });
  };

  it('rebuild a read model while it is used, and tell which rows were not what the events say', async () => {
    const { cast, log, follow, tables } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    await follow(provider, endpointId).reaches('CONNECTED');
    const broker = await asOperator();
    const rebuild = async () => {
      const told: RebuildReadModelResponse[] = [];
      for await (const message of broker.rebuildReadModel(READ_MODEL, CALL)) told.push(message);
      const last = told.pop()?.told;
      expect(told.every((message) => message.told?.$case === 'progress')).toBe(true);
      return last?.$case === 'report' ? last.value : undefined;
    };
    const listed = async () => {
      const query = { pageSize: 10, pageToken: '', consistencyToken: '', serviceId: service.serviceId };
      const { connections } = await provider.broker.listConnections({ ...query, statuses: [], stuck: false }, CALL);
      return connections.map(({ status }) => status);
    };
    const last = log.of('connection', endpointId).at(-1);
    await tables.reaches('broker', connectionTable.table, last?.position ?? 0n);
    await rebuild();
    await tables.spoil(endpointId);
    expect(await listed()).toEqual([ConnectionStatus.DISCONNECTED]);

    const report = await rebuild();
    expect(report).toMatchObject({ differenceCount: 1n, differingKeys: [endpointId] });
    expect(await listed()).toEqual([ConnectionStatus.CONNECTED]);
    expect(await rebuild()).toMatchObject({ differenceCount: 0n, differingKeys: [] });

    const { readModels } = await broker.listReadModels({}, CALL);
    const { position = 0n } = report ?? {};
    const listedModel = readModels.find(({ name }) => name === READ_MODEL.readModel);
    expect(listedModel).toMatchObject({ version: connectionTable.version, rowCount: report?.rowCount });
    expect(listedModel?.position).toBeGreaterThanOrEqual(position);
    broker.close();
  });

  it('of two rebuilds at once leave one, which is right', async () => {
    const broker = await asOperator();
    const run = async () => {
      const told: RebuildReadModelResponse[] = [];
      for await (const message of broker.rebuildReadModel(READ_MODEL, CALL)) told.push(message);
      return told.at(-1)?.told?.$case;
    };
    const ends = await Promise.allSettled([run(), run(), run()]);
    const reports = ends.filter((end) => end.status === 'fulfilled' && end.value === 'report');
    expect(reports.length).toBeGreaterThanOrEqual(1);
    for (const end of ends) {
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 10, reason: 'REBUILD_LOST' });
    }
    const none = broker.rebuildReadModel({ readModel: 'nothing' }, CALL);
    const first = Promise.resolve(none[Symbol.asyncIterator]().next());
    expect(await refusalOf(first)).toMatchObject({ code: 5, reason: 'READ_MODEL_NOT_FOUND' });
    broker.close();
  });
};
