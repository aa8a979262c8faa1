import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials as channel, Metadata } from '@grpc/grpc-js';
import { connectEventStore } from '@privatelink/shared/kurrent/event-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenStage, openStage } from '../access/open-stage.ts';
import { brokerRows } from '../access/rows-broker.ts';
import { consumerRows } from '../access/rows-consumer.ts';
import { dnsRows } from '../access/rows-dns.ts';
import { operationsRows } from '../access/rows-operations.ts';
import { providerRows } from '../access/rows-provider.ts';
import { createEndpoint, createNetwork, createService, untilConnected } from '../access/scene.ts';
import { apiFor } from '../support/world.ts';
import { credentials } from './bad-input/credentials.ts';
import { endpointChanges } from './bad-input/endpoint-changes.ts';
import { endpoints } from './bad-input/endpoints.ts';
import { everyRpc } from './bad-input/every-rpc.ts';
import { garbage } from './bad-input/garbage.ts';
import { networks } from './bad-input/networks.ts';
import { repeatedRequests } from './bad-input/repeated-requests.ts';
import { services } from './bad-input/services.ts';
import type { Stage } from './bad-input/stage.ts';

/** Wrong requests at a running system: each is a typed error that says what is wrong, and leaves nothing behind. */

const rows = { ...providerRows, ...consumerRows, ...brokerRows, ...dnsRows, ...operationsRows };
const QUIET_MS = 500;

let open: OpenStage;
let stage: Stage;
let closeStore: () => Promise<void>;
let pids: Record<string, number>;

beforeAll(async () => {
  open = await openStage();
  const { run } = open.world.system;
  const store = connectEventStore(run.eventStore.url, []);
  closeStore = store.close;
  const quiet = async (): Promise<void> => {
    for (let [last, now] = [-1n, await store.tail()]; now !== last; [last, now] = [now, await store.tail()]) {
      await delay(QUIET_MS);
    }
  };
  stage = { run, callers: open.callers, scene: open.scene, store, quiet };
  pids = open.world.system.pids();
  await quiet();
}, 120_000);

afterAll(async () => {
  await closeStore?.();
  await open?.close();
});

const getStage = (): Stage => stage;

everyRpc(getStage, rows);
networks(getStage);
endpoints(getStage);
endpointChanges(getStage);
services(getStage);
credentials(getStage);
repeatedRequests(getStage);
garbage(getStage, rows);

describe('after all of this', () => {
  it('no process has ended, and each says that it serves', async () => {
    expect(open.world.system.pids()).toEqual(pids);
    // There is no dashboard here.
    const { ops: _none, ...serving } = stage.run.grpc;
    for (const [service, [address = '']] of Object.entries(serving)) {
      const client = new Client(address, channel.createInsecure());
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      const bytes = (sent: Buffer): Buffer => sent;
      client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        bytes,
        bytes,
        Buffer.alloc(0),
        new Metadata(),
        (error, answer) => (answer ? resolve(answer) : reject(error)),
      );
      // { status: SERVING }
      expect([...(await promise)], service).toEqual([8, 1]);
      client.close();
    }
  });

  it('a consumer still gets connected', async () => {
    // Of an account that no garbage knew of: the others may owe something by now.
    const api = await apiFor(stage.run, { account: '5000000000000005', roles: ['provider', 'consumer'] });
    try {
      const { serviceId } = await createService(api, true);
      const endpointId = await createEndpoint(api, serviceId, await createNetwork(api));
      await untilConnected(api, endpointId);
    } finally {
      api.close();
    }
  });
});
