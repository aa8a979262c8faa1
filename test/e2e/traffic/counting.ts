import { createConnection } from 'node:net';
import { status } from '@grpc/grpc-js';
import type { TrafficCounters } from '@privatelink/proto/broker/v1/broker_service';
import { expect, it } from 'vitest';
import type { Stage } from '../../support/stage.ts';
import { CALL } from '../../support/world.ts';
import { type Connected, createConnected, ZONES } from './connected.ts';
import { agentsOf, haproxyOf } from './machines.ts';

/** Looks are two seconds apart, and the bytes of an open flow are counted each five, on a machine that does much else. */
const COUNTED = { timeout: 40_000, interval: 100 };

/** Sends requests on one TCP connection, and knows each byte of it. */
const openFlow = async (address: string) => {
  const [host = '', port = ''] = address.split(':');
  const socket = createConnection(Number(port), host);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  return {
    ask: async (padding: number): Promise<void> => {
      const answered = new Promise<void>((resolve, reject) => {
        socket.once('data', () => resolve());
        void closed.then(() => reject(new Error(`${address} closed the connection`)));
      });
      socket.write(`GET / HTTP/1.1\r\nhost: there\r\nx-padding: ${'x'.repeat(padding)}\r\n\r\n`);
      await answered;
    },
    close: async (): Promise<void> => {
      socket.end();
      await closed;
    },
    carried: () => [socket.bytesWritten, socket.bytesRead] as const,
  };
};

type Flow = Awaited<ReturnType<typeof openFlow>>;

const carriedBy = (flows: readonly Flow[]): readonly number[] =>
  flows.map((flow) => flow.carried()).reduce(([to, from], [more, less]) => [to + more, from + less], [0, 0]);

const numbers = (counters: TrafficCounters | undefined) =>
  counters && [counters.bytesToService, counters.bytesToEndpoint, counters.flows, counters.openFlows].map(Number);

export const counting = (stage: () => Stage): void => {
  const countedOf = async (connected: Connected) => {
    const { broker } = connected.cast.consumer;
    const { total, zones } = await broker.getConnectionTraffic({ connectionId: connected.endpointId }, CALL);
    return { total: numbers(total), zones: zones.map(({ counters }) => numbers(counters)), of: zones };
  };
  const opened = async (connected: Connected): Promise<readonly Flow[]> => {
    for (const flow of await connected.openFlows()) flow.close();
    await expect.poll(async () => (await countedOf(connected)).total?.slice(2), COUNTED).toEqual([ZONES.length, 0]);
    return Promise.all([...connected.addresses.values()].map(openFlow));
  };

  it('counts to the byte what goes through each zone, over agents that are killed, and tells both sides', async () => {
    const { system } = stage();
    const connected = await createConnected(stage());
    const flows = await opened(connected);
    const before = await countedOf(connected);
    const expected = (openFlows: number) =>
      flows.map((flow, index) => {
        const [to = 0, from = 0, count = 0] = before.zones[index] ?? [];
        const [written, read] = flow.carried();
        return [to + written, from + read, count + 1, openFlows];
      });
    for (const [index, flow] of flows.entries()) await flow.ask(1_000 * (index + 1));
    await expect.poll(async () => (await countedOf(connected)).zones, COUNTED).toEqual(expected(1));

    const agents = ZONES.flatMap(agentsOf);
    for (const agent of agents) system.kill(agent, 'SIGKILL');
    for (const flow of flows) await flow.ask(5_000);
    for (const agent of agents) await system.waitHealthy(agent);
    for (const flow of flows) await flow.ask(700);
    for (const flow of flows) await flow.close();
    await expect.poll(async () => (await countedOf(connected)).zones, COUNTED).toEqual(expected(0));

    const seen = await countedOf(connected);
    const [to, from] = carriedBy(flows);
    const [toBefore = 0, fromBefore = 0] = before.total ?? [];
    expect(seen.total?.slice(0, 2)).toEqual([toBefore + (to ?? 0), fromBefore + (from ?? 0)]);
    const { createTime } = await connected.get();
    expect(seen.of.map(({ sinceTime }) => sinceTime)).toEqual(ZONES.map(() => createTime));
    const { provider } = connected.cast;
    const byProvider = await provider.broker.getConnectionTraffic({ connectionId: connected.endpointId }, CALL);
    expect(byProvider.zones.map(({ counters }) => numbers(counters))).toEqual(seen.zones);
  });

  it('counts on from where it was when HAProxy is killed, and is forgotten with the connection', async () => {
    const connected = await createConnected(stage());
    const flows = await opened(connected);
    for (const flow of flows) {
      await flow.ask(2_000);
      await flow.close();
    }
    const ended = [2 * ZONES.length, 0];
    await expect.poll(async () => (await countedOf(connected)).total?.slice(2), COUNTED).toEqual(ended);
    const before = await countedOf(connected);
    const [zone] = ZONES;
    for (const pid of await haproxyOf(stage(), zone)) process.kill(pid, 'SIGKILL');
    const again = async () => {
      const flow = await openFlow(connected.addresses.get(zone) ?? '');
      await flow.ask(300);
      await flow.close();
      return flow;
    };
    let flow: Flow | undefined;
    await expect.poll(async () => (flow = await again().catch(() => undefined)), COUNTED).toBeDefined();
    const [written = 0, read = 0] = flow?.carried() ?? [];
    const [to = 0, from = 0, count = 0] = before.zones[0] ?? [];
    await expect
      .poll(async () => (await countedOf(connected)).zones, COUNTED)
      .toEqual([[to + written, from + read, count + 1, 0], before.zones[1]]);
    await connected.remove();
    await expect(countedOf(connected)).rejects.toMatchObject({ code: status.NOT_FOUND });
    const left = () => stage().tables.trafficRows(connected.endpointId);
    await expect.poll(left, COUNTED).toBe(0);
  });
};
