import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FORWARDS, KurrentDBClient, START } from '@kurrent/kurrentdb-client';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { openFactFeed } from '../support/fact-feed.ts';
import { type Api, apiFor, CALL, requestId, startWorld, type World } from '../support/world.ts';
import { appendsPerSecond, floorMs } from './floor.ts';
import { percentile, round } from './statistics.ts';

const PROVIDER = '1000000000000001';
const CONSUMER = '2000000000000002';
const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'];
const IDLE_ROUNDS = 100;
const CLIENTS = 32;
const ROUNDS_EACH = 10;

type Network = Readonly<{ vpcId: string; vswitchIds: readonly string[]; securityGroupId: string }>;

/** What the first slice costs: durable appends, and an endpoint from its creation to CONNECTED. */
export const slice = async (): Promise<object> => {
  const world = await startWorld();
  const { run } = world.system;
  const provider = await apiFor(run, { account: PROVIDER, roles: ['provider'] });
  const consumer = await apiFor(run, { account: CONSUMER, roles: ['consumer'] });
  try {
    const appends = await appendsPerSecond(run);
    const serviceName = await publishService(provider);
    const connected = watchConnected(consumer);
    const create = async (network: Network): Promise<number> => {
      const started = performance.now();
      const endpointId = await createEndpoint(consumer, serviceName, network);
      await connected.of(endpointId);
      return performance.now() - started;
    };
    const network = await registerNetwork(consumer);
    for (let i = 0; i < 20; i++) await create(network);
    const chain = await countChain(world, () => create(network));
    const idle: number[] = [];
    for (let i = 0; i < IDLE_ROUNDS; i++) idle.push(await create(network));
    const floor = await floorMs(run, await servicePassword(world), chain.appends, chain.publishes);
    const busy: number[] = [];
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const own = await registerNetwork(consumer);
        for (let i = 0; i < ROUNDS_EACH; i++) busy.push(await create(own));
      }),
    );
    connected.stop();
    const p50 = percentile(idle, 0.5);
    return {
      durableAppendsPerSecond: appends,
      createToConnectedMs: {
        idle: { p50: round(p50), p99: round(percentile(idle, 0.99)) },
        with32Clients: { p50: round(percentile(busy, 0.5)), p99: round(percentile(busy, 0.99)) },
      },
      floor: { ...chain, ms: floor },
      idleP50OverFloorP50: round(p50 / floor.p50),
    };
  } finally {
    provider.close();
    consumer.close();
    await world.stop();
  }
};

const publishService = async (provider: Api): Promise<string> => {
  const resources = ZONES.map((zoneId) => ({
    resourceId: `nlb-${zoneId}`,
    resourceType: 'RESOURCE_TYPE_NLB' as const,
    zoneId,
    targets: [{ ip: '192.168.0.10', port: 8080 }],
    vpcId: '',
    proxyProtocol: false,
  }));
  const { endpointService } = await provider.provider.createEndpointService(
    {
      ...{ requestId: requestId(), description: '', autoAccept: true, resources, tags: [] },
      ...{ serviceType: 'ENDPOINT_TYPE_INTERFACE', addressType: 'ADDRESS_TYPE_IPV4', payer: 'PAYER_ENDPOINT' },
    },
    CALL,
  );
  const serviceId = endpointService?.serviceId ?? '';
  const user = { requestId: requestId(), serviceId, accountId: CONSUMER, approvalTtl: undefined };
  await provider.provider.addServiceUser(user, CALL);
  for (;;) {
    const { endpointService: now } = await provider.provider.getEndpointService({ serviceId }, CALL);
    if (now?.status === 'ENDPOINT_SERVICE_STATUS_ACTIVE') return now.serviceName;
  }
};

const registerNetwork = async ({ consumer }: Api): Promise<Network> => {
  const { vpc } = await consumer.registerVpc({ requestId: requestId(), ipv4Cidr: '10.0.0.0/8', ipv6Cidr: '' }, CALL);
  const vpcId = vpc?.vpcId ?? '';
  const vswitchIds: string[] = [];
  for (const [index, zoneId] of ZONES.entries()) {
    const request = { requestId: requestId(), vpcId, zoneId, ipv4Cidr: `10.${index + 1}.0.0/16`, ipv6Cidr: '' };
    vswitchIds.push((await consumer.registerVSwitch(request, CALL)).vswitch?.vswitchId ?? '');
  }
  const { securityGroup } = await consumer.registerSecurityGroup({ requestId: requestId(), vpcId, rules: [] }, CALL);
  return { vpcId, vswitchIds, securityGroupId: securityGroup?.securityGroupId ?? '' };
};

const createEndpoint = async ({ consumer }: Api, service: string, network: Network): Promise<string> => {
  const zones = network.vswitchIds.map((vswitchId) => ({ zoneId: '', vswitchId, ipv4Address: '', ipv6Address: '' }));
  const { endpoint } = await consumer.createEndpoint(
    {
      ...{ requestId: requestId(), service, zones, vpcId: network.vpcId, description: '' },
      ...{
        endpointType: 'ENDPOINT_TYPE_INTERFACE',
        addressType: 'ADDRESS_TYPE_IPV4',
        securityGroupIds: [network.securityGroupId],
      },
      ...{ protected: false, tags: [], expectedPayer: 'PAYER_UNSPECIFIED', policy: '', targets: [] },
    },
    CALL,
  );
  return endpoint?.endpointId ?? '';
};

/** One watch for all: resolves when a connection is shown as CONNECTED. */
const watchConnected = ({ broker }: Api) => {
  const stop = new AbortController();
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  void (async () => {
    for await (const { connection } of broker.watchConnections(
      { connectionId: '', serviceId: '' },
      { signal: stop.signal },
    )) {
      if (connection?.status !== ConnectionStatus.CONNECTED) continue;
      seen.add(connection.connectionId);
      waiting.get(connection.connectionId)?.();
    }
  })().catch((error: unknown) => console.error(`the watch ended: ${error}`));
  return {
    of: (id: string): Promise<void> =>
      seen.has(id) ? Promise.resolve() : new Promise((resolve) => waiting.set(id, resolve)),
    stop: () => stop.abort(),
  };
};

/** How many appends and announcements one creation causes until CONNECTED, counted from the store and from NATS. */
const countChain = async (world: World, create: () => Promise<number>) => {
  const { run } = world.system;
  const client = KurrentDBClient.connectionString(run.eventStore.url);
  const feed = await openFactFeed(run);
  const appendsSoFar = async (): Promise<number> => {
    const appends = new Set<string>();
    for await (const { event } of client.readAll({ direction: FORWARDS, fromPosition: START })) {
      const requestId = (event?.metadata as { requestId?: string } | undefined)?.requestId;
      if (event && requestId) appends.add(`${event.streamId}/${requestId}`);
    }
    return appends.size;
  };
  try {
    const before = await appendsSoFar();
    await create();
    await feed.next(({ fact }) => fact.type === 'ConnectionEstablished', 'ConnectionEstablished');
    return { appends: (await appendsSoFar()) - before, publishes: feed.all.length };
  } finally {
    await feed.close();
    await client.dispose();
  }
};

const servicePassword = async ({ dataDir }: World): Promise<string> =>
  JSON.parse(await readFile(join(dataDir, 'nats', 'passwords.json'), 'utf8')).service;
