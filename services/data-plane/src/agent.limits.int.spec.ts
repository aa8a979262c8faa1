import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import { type Bandwidth, TrafficControlMode } from '@privatelink/proto/common/v1/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentStage, openAgentStage, resourceOf, SOON } from './testing/agent-stage.ts';
import type { FakeBroker } from './testing/fake-broker.ts';
import { hasNamespaces, ip, type Namespaces, networkNamespaces } from './testing/network-namespaces.ts';
import { meterIn, throughput } from './testing/throughput.ts';

const run = promisify(execFile);
const hasNft =
  hasNamespaces &&
  (await run('nft', ['--version']).then(
    () => true,
    () => false,
  ));

const programOf = async (name: string): Promise<string> =>
  (await run('sh', ['-c', `command -v ${name}`])).stdout.trim();

const limit = (limitMbps: number): Bandwidth => ({
  ...{ trafficControlMode: TrafficControlMode.BANDWIDTH_LIMIT, limitMbps },
});
/** Within a tenth; a machine that does much else may be slower. */
const expectAbout = (mbps: number, limited: number): void => {
  expect(mbps).toBeLessThan(limited * 1.1);
  expect(mbps).toBeGreaterThan(limited * 0.7);
};

let stage: AgentStage;
let broker: FakeBroker;
beforeEach(async () => {
  stage = await openAgentStage();
  broker = stage.broker;
});

describe.skipIf(!hasNft)('an agent that may use nftables (root on Linux)', { timeout: 120_000 }, () => {
  let namespaces: Namespaces;
  let provider: string;
  let vpc: string;
  let client: string;
  let meter: Awaited<ReturnType<typeof meterIn>>;

  beforeEach(async () => {
    namespaces = networkNamespaces();
    [provider, vpc, client] = [await namespaces.make(), await namespaces.make(), await namespaces.make()];
    await ip(`-n ${provider} address add 10.0.9.1/24 dev lo`);
    await namespaces.link({ name: vpc, address: '10.0.0.1/24' }, { name: client, address: '10.0.0.20/24' });
    meter = await meterIn(provider, '10.0.9.1');
  });
  afterEach(async () => {
    await stage.close();
    await meter.stop();
    await namespaces.removeAll();
  });

  const start = (env: Record<string, string> = {}) => stage.start({ PRIVATELINK_FORWARDING: 'namespaces', ...env });
  const desire = (limitMbps: number, number = 5): string =>
    broker.desire({
      ...{ vpcId: vpc, ipv4Address: `10.0.0.${number}`, ipv6Address: `fd00::${number}`, bandwidth: limit(limitMbps) },
      resource: { ...resourceOf(meter), vpcId: provider },
    });
  const nft = async (...words: readonly string[]): Promise<string> =>
    (await run('ip', ['netns', 'exec', vpc, 'nft', ...words])).stdout;
  const rules = () => nft('list', 'ruleset');
  const through = (namespace: string, direction: 'up' | 'down', flows?: number, host = '10.0.0.5') =>
    throughput(namespace, { host, port: meter.port }, direction, flows);

  it('keeps a limit over all flows, in each direction by itself, from elsewhere and from the same machine', async () => {
    const id = desire(100);
    start();
    await stage.confirmed(id);
    const [up, down] = await Promise.all([through(client, 'up'), through(client, 'down')]);
    expectAbout(up, 100);
    expectAbout(down, 100);
    const [one, other] = await Promise.all([through(client, 'down', 2), through(vpc, 'down', 2, 'fd00::5')]);
    expectAbout(one + other, 100);
    expect(broker.current(id)?.bandwidthKept).toBe(true);
  });

  it('changes a limit without cutting flows, and carries more than before', async () => {
    const id = desire(100);
    start();
    await stage.confirmed(id);
    const measuring = through(client, 'down', 2);
    broker.desire({ connectionId: id, bandwidth: limit(400) });
    await stage.confirmed(id);
    expectAbout(await measuring, 400);
    expect(await rules()).not.toContain('/100/');
    broker.desire({
      connectionId: id,
      bandwidth: { trafficControlMode: TrafficControlMode.SCALABILITY, limitMbps: 0 },
    });
    await stage.confirmed(id);
    expect(await rules()).toBe('');
  });

  it('leaves limits in place when it is killed, and takes off those of what is gone, nothing of others', async () => {
    await nft('add', 'table', 'inet', 'theirs');
    const [gone, stays] = [desire(100), desire(200, 6)];
    const first = start();
    await stage.confirmed(gone, stays);
    await stage.kill(first, 'SIGKILL');
    expect(await rules()).toContain(`${gone}/100/in`);
    broker.forget(gone);
    const second = start({ PRIVATELINK_HAPROXY_ON_STOP: 'stop' });
    await expect.poll(rules, SOON).not.toContain(gone);
    expect(await rules()).toContain(`${stays}/200/in`);
    await nft('flush', 'ruleset');
    await nft('add', 'table', 'inet', 'theirs');
    await expect.poll(rules, SOON).toContain(`${stays}/200/in`);
    expect(second.said('bandwidth limits were taken away by somebody')).toBe(true);
    broker.desire({ connectionId: stays, state: ForwardingState.CLOSED });
    await expect.poll(rules, SOON).not.toContain(stays);
    broker.desire({ connectionId: stays, state: ForwardingState.READY });
    await stage.confirmed(stays);
    expect(await rules()).toContain(`${stays}/200/in`);
    expect(await stage.kill(second, 'SIGTERM')).toBe(0);
    expect((await rules()).trim()).toBe('table inet theirs {\n}');
  });
});

describe('an agent that may not use nftables', { timeout: 120_000 }, () => {
  afterEach(() => stage.close());

  it('forwards all the same, says so once, and reports which limits are not kept', async () => {
    const target = await stage.target('hello');
    const limited = broker.desire({ resource: resourceOf(target), bandwidth: limit(100) });
    const other = broker.desire({ resource: resourceOf(target) });
    // A PATH without it, as on a machine that has none.
    const path = join(dirname(stage.directory), 'bin');
    await mkdir(path);
    for (const name of ['haproxy', 'ps']) await symlink(await programOf(name), join(path, name));
    const agent = stage.start({ PATH: path });
    await stage.confirmed(limited, other);
    await expect.poll(() => broker.current(limited)?.bandwidthKept, SOON).toBe(false);
    expect(broker.current(other)?.bandwidthKept).toBe(true);
    broker.desire({ connectionId: other });
    await stage.confirmed(other);
    expect(agent.lines.filter(({ msg }) => String(msg).includes('bandwidth'))).toMatchObject([
      { level: 'warn', reason: expect.stringContaining('nft') },
    ]);
  });
});
