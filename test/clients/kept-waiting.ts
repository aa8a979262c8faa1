import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { connect } from '@privatelink/client';
import { expect, it } from 'vitest';
import {
  acceptRequest,
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
  untilAnswered,
} from '../support/scenario.ts';
import type { Stage } from '../support/stage.ts';
import { CALL } from '../support/world.ts';
import { writeToken } from './write-token.ts';

export const keptWaiting = (stage: () => Stage): void => {
  it('goes on when the broker is killed under it, also more than once', async () => {
    const { cast, log, run, system } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
    const file = await writeToken(run, tmpdir(), consumer.account, 'consumer');
    const client = connect({ addresses: run.grpc, token: { file } });
    try {
      await client.waitFor(endpointId, 'DISCONNECTED');
      let isOver = false;
      const waiting = client.waitFor(endpointId, 'CONNECTED').finally(() => {
        isOver = true;
      });
      for (let times = 0; times < 2; times++) {
        const { 'broker-1': before } = system.pids();
        system.kill('broker-1', 'SIGKILL');
        await expect.poll(() => system.pids()['broker-1'], { timeout: 20_000 }).not.toBe(before);
        await system.waitHealthy('broker-1');
        expect(isOver).toBe(false);
      }
      await untilAnswered(() => provider.broker.acceptConnection(acceptRequest(endpointId), CALL));
      expect((await waiting).connectionId).toBe(endpointId);
    } finally {
      client.close();
      await rm(file);
    }
  });
};
