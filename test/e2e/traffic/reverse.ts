import { expect, it, onTestFinished } from 'vitest';
import { groupFor, publishReverseService, registerOneZone, reverseTo } from '../../support/reverse.ts';
import { createEndpoint, endpointRequest, untilAnswered } from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { startBackend } from '../../support/traffic/backend.ts';
import { describeOutcome, localClient } from '../../support/traffic/client.ts';
import { CALL, requestId } from '../../support/world.ts';
import { SOON, ZONES } from './connected.ts';

const [ZONE] = ZONES;

export const reverse = (stage: () => Stage): void => {
  it('a provider connects to the targets that security groups let it to, until it may not any more', async () => {
    const { log, cast: openCast, follow } = stage();
    const backends = await Promise.all(
      ['database', 'cache'].map((zone) => startBackend({ zone, proxyProtocol: false })),
    );
    onTestFinished(async () => {
      for (const backend of backends) await backend.close();
    });
    const [database, cache] = backends;
    if (!database || !cache) throw new Error('two were started');
    const cast = await openCast();
    const { provider, consumer } = cast;
    const source = { zone: ZONE, ip: '192.168.0.7', users: [consumer.account] };
    const service = await publishReverseService(cast, log, source);
    const network = await registerOneZone(consumer, ZONE);
    const toDatabase = await groupFor(consumer, network.vpcId, database);
    const toCache = await groupFor(consumer, network.vpcId, cache);
    const targets = [database, cache].map(({ ip, port }) => ({ ip, port }));
    const request = { ...endpointRequest(service, { ...network, securityGroupId: toDatabase }), ...reverseTo(targets) };
    const { endpointId } = await createEndpoint(consumer, request);
    const connection = follow(consumer, endpointId);
    await connection.reaches('CONNECTED');

    const listenersFor = async (api: Pick<typeof provider, 'broker'>) => {
      const { connection: found } = await api.broker.getConnection({ connectionId: endpointId }, CALL);
      return found?.zones.flatMap(({ listeners }) => listeners) ?? [];
    };
    expect(await listenersFor(consumer)).toEqual([]);
    const [first, ...others] = await listenersFor(provider);
    expect([first?.target, others]).toEqual([`${database.ip}:${database.port}`, []]);
    const flow = await localClient.open(first?.address ?? '');
    expect(describeOutcome(flow.first)).toBe('database');

    const group = { endpointId, securityGroupId: toCache };
    await untilAnswered(() => consumer.consumer.attachSecurityGroup({ requestId: requestId(), ...group }, CALL));
    await expect.poll(async () => (await listenersFor(provider)).length, SOON).toBe(2);
    const second = (await listenersFor(provider))[1]?.address ?? '';
    expect(describeOutcome(await localClient.request(second))).toBe('cache');
    expect(describeOutcome(await flow.ask())).toBe('database');

    await untilAnswered(() => consumer.consumer.detachSecurityGroup({ requestId: requestId(), ...group }, CALL));
    await expect.poll(async () => describeOutcome(await localClient.request(second)), SOON).toBe('ECONNREFUSED');
    expect(describeOutcome(await flow.ask())).toBe('database');

    const rejection = { requestId: requestId(), connectionId: endpointId, message: '' };
    await untilAnswered(() => provider.broker.rejectConnection(rejection, CALL));
    await flow.cut;
    await connection.reaches('DISCONNECTED');
    expect(describeOutcome(await localClient.request(first?.address ?? ''))).toBe('ECONNREFUSED');
  });
};
