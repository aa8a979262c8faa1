import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { findFreePort } from './free-port.ts';
import { defaultPorts, planPorts, portsFromEnvironment } from './ports.ts';

const counts = {
  provider: 1,
  consumer: 1,
  broker: 1,
  dns: 1,
  'dns-query': 1,
  'dns-vpc': 1,
  'data-plane': 1,
  metrics: 1,
  ops: 1,
  'ops-http': 1,
  nats: 1,
  postgres: 1,
  'event-store': 1,
};
const allFree = {
  provider: 0,
  consumer: 0,
  broker: 0,
  dns: 0,
  'dns-query': 0,
  'dns-vpc': 0,
  'data-plane': 0,
  metrics: 0,
  ops: 0,
  'ops-http': 0,
  nats: 0,
  postgres: 0,
  'event-store': 0,
};

test('free ports are all different, and parts that do not run get none', async () => {
  const plan = await planPorts('free', { ...counts, provider: 3, nats: 0 });
  const ports = Object.values(plan).flat();
  expect(plan.provider).toHaveLength(3);
  expect(plan.nats).toEqual([]);
  expect(new Set(ports).size).toBe(ports.length);
});

test('replicas of a service are ten ports apart', async () => {
  const provider = await findFreePort();
  const plan = await planPorts({ ...allFree, provider }, { ...counts, provider: 2 });
  expect(plan.provider).toEqual([provider, provider + 10]);
});

test('metrics of each process are one port apart', async () => {
  const metrics = await findFreePort();
  const plan = planPorts({ ...allFree, metrics }, { ...counts, metrics: 2 });
  // The next one may be taken by whoever runs beside us.
  await expect(plan.then((ports) => ports.metrics, String)).resolves.toSatisfy((found: unknown) =>
    [`${metrics},${metrics + 1}`, `StartError: port ${metrics + 1} for metrics is in use: `].some((text) =>
      String(found).startsWith(text),
    ),
  );
});

test('two replicas of everything, with agents in four zones, fit on the default ports', () => {
  const { nats, postgres, 'event-store': eventStore, 'data-plane': agents, ...others } = defaultPorts;
  const { 'dns-vpc': vpcs, metrics, ...services } = others;
  const ports = [
    ...[nats, postgres, eventStore, vpcs, vpcs + 1_600],
    ...Object.values(services).flatMap((port) => [port, port + 10]),
    ...Array.from({ length: 8 }, (_, index) => agents + 10 * index),
    ...Array.from({ length: 18 }, (_, index) => metrics + index),
  ];
  expect(ports).toHaveLength(45);
  // Behind all others there is room for VPCs.
  expect(ports.filter((port) => port > vpcs && port < vpcs + 1_600).length).toBe(0);
  expect(new Set(ports).size).toBe(ports.length);
});

test('name servers of VPCs have ports for a hundred VPCs on each replica, or any that are free', async () => {
  // Below what is given to whoever asks for any.
  const plan = await planPorts({ ...allFree, 'dns-vpc': 21_000 }, { ...counts, 'dns-vpc': 2 });
  expect(plan['dns-vpc']).toEqual([21_000, 22_600]);
  expect((await planPorts('free', { ...counts, 'dns-vpc': 2 }))['dns-vpc']).toEqual([0, 0]);
});

test('a port that is taken for UDP alone is taken for DNS', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await expect(planPorts({ ...allFree, 'dns-query': port }, counts)).rejects.toThrow(
    `port ${port} for dns-query is in use`,
  );
  socket.close();
});

test('two parts cannot have one port', async () => {
  const port = await findFreePort();
  await expect(planPorts({ ...allFree, provider: port, dns: port }, counts)).rejects.toThrow(
    `port ${port} is meant for provider and dns: set PRIVATELINK_PORT_DNS`,
  );
});

test('nothing is among the ports of VPCs', async () => {
  // Below what is given to whoever asks for any.
  const ports = { ...allFree, provider: 25_599, 'dns-vpc': 24_000 };
  await expect(planPorts(ports, counts)).rejects.toThrow(
    'port 25599 is meant for provider and dns-vpc: set PRIVATELINK_PORT_DNS_VPC',
  );
});

test('the environment names ports', () => {
  expect(portsFromEnvironment({ PRIVATELINK_PORT_EVENT_STORE: '9', PRIVATELINK_PORT_NATS: '' })).toEqual({
    'event-store': 9,
  });
});

test.each(['x', '-1', '65536', '1.5'])('%s is not a port', (text) => {
  expect(() => portsFromEnvironment({ PRIVATELINK_PORT_DNS: text })).toThrow(
    'PRIVATELINK_PORT_DNS must be a port number',
  );
});
