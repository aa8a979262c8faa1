import { ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentStage, bindOf, openAgentStage, resourceOf, SOON } from './testing/agent-stage.ts';
import type { FakeBroker } from './testing/fake-broker.ts';
import { requestFrom, serveIn } from './testing/in-namespace.ts';
import { hasNamespaces, ip, type Namespaces, networkNamespaces, newId } from './testing/network-namespaces.ts';

const { READY, CLOSED, REMOVED } = ForwardingState;

describe.skipIf(!hasNamespaces)('an agent of network namespaces (root on Linux)', { timeout: 120_000 }, () => {
  let stage: AgentStage;
  let broker: FakeBroker;
  let namespaces: Namespaces;
  let provider: string;
  let target: Awaited<ReturnType<typeof serveIn>>;

  beforeEach(async () => {
    stage = await openAgentStage();
    broker = stage.broker;
    namespaces = networkNamespaces();
    provider = await namespaces.make();
    await ip(`-n ${provider} address add 10.0.0.5/24 dev lo`);
    target = await serveIn(provider, '10.0.0.5', 'the provider');
  });
  afterEach(async () => {
    await stage.close();
    await target.stop();
    await namespaces.removeAll();
  });

  const start = () => stage.start({ PRIVATELINK_FORWARDING: 'namespaces' });
  const resource = () => ({ ...resourceOf(target), vpcId: provider });
  const ask = (vpcId: string, host = '10.0.0.5') => requestFrom(vpcId, host, target.port);
  const addressesIn = async (vpcId: string): Promise<string> => ip(`-n ${vpcId} -brief address show dev lo`);

  it('forwards for VPCs of one CIDR, each by itself, by IPv4 and IPv6', async () => {
    const [one, two] = [await namespaces.make(), await namespaces.make()];
    const first = broker.desire({ vpcId: one, ipv6Address: 'fd00:0:0::5', resource: resource() });
    const second = broker.desire({ vpcId: two, resource: resource() });
    start();
    await stage.confirmed(first, second);
    expect(broker.reports[0]).toMatchObject({ forwarder: 'haproxy/namespaces', state: READY });
    expect(broker.listenersOf(first)).toEqual([`10.0.0.5:${target.port}`, `[fd00::5]:${target.port}`]);
    expect(await Promise.all([ask(one), ask(one, 'fd00::5'), ask(two)])).toEqual(Array(3).fill('the provider'));

    broker.desire({ connectionId: first, state: CLOSED });
    await stage.confirmed(first);
    expect(await Promise.all([ask(one), ask(one, 'fd00::5'), ask(two)])).toEqual([
      'ECONNREFUSED',
      'ECONNREFUSED',
      'the provider',
    ]);
    broker.desire({ connectionId: first, state: REMOVED });
    await expect.poll(() => addressesIn(one), SOON).not.toContain('10.0.0.5');
    expect(await addressesIn(one)).not.toContain('fd00::5');
    expect(await addressesIn(two)).toContain('10.0.0.5/32');
  });

  it('lets in what security groups do, by the address of who asks', async () => {
    const vpc = await namespaces.make();
    for (const address of ['10.0.1.7/32', '10.0.2.7/32', 'fd00::7/128'])
      await ip(`-n ${vpc} address add ${address} dev lo`);
    const rule = (sourceCidr: string, allowed = true, toPort = 65_535) => ({
      allowed,
      fromPort: 0,
      toPort,
      sourceCidr,
    });
    const ingress = { rules: [rule('10.0.1.0/24')] };
    const id = broker.desire({ vpcId: vpc, ipv6Address: 'fd00::5', resource: resource(), ingress });
    const answers = () =>
      Promise.all([
        requestFrom(vpc, '10.0.0.5', target.port, '10.0.1.7'),
        requestFrom(vpc, '10.0.0.5', target.port, '10.0.2.7'),
        requestFrom(vpc, 'fd00::5', target.port, 'fd00::7'),
      ]);
    const become = async (...rules: readonly ReturnType<typeof rule>[]) => {
      broker.desire({ connectionId: id, ingress: { rules: [...rules] } });
      await stage.confirmed(id);
      return answers();
    };
    start();
    await stage.confirmed(id);
    const [yes, no] = ['the provider', 'ECONNRESET'];
    expect(await answers()).toEqual([yes, no, no]);
    expect(await become(rule('10.0.1.0/24', false), rule('0.0.0.0/0'))).toEqual([no, yes, no]);
    // An IPv4 address is in no IPv6 range.
    expect(await become(rule('::/0'))).toEqual([no, no, yes]);
    expect(await become(rule('0.0.0.0/0', true, 0))).toEqual([no, no, no]);
    expect(await become()).toEqual([no, no, no]);
    expect(await become(rule('10.0.0.0/16'), rule('fd00::7/128'))).toEqual([yes, yes, yes]);
  });

  it('connects into a VPC from its own address there, for a provider in another one', async () => {
    const consumer = await namespaces.make();
    await ip(`-n ${consumer} address add 10.0.1.9/32 dev lo`);
    const server = await serveIn(consumer, '10.0.1.9', 'the consumer, to %peer');
    stage.onClose(() => server.stop());
    const source = { resourceId: 'egress-1', targets: [{ ip: '192.168.0.7', port: 0 }], vpcId: provider };
    const targets = [{ ip: server.ip, port: server.port, allowed: true }];
    const id = broker.desire({ vpcId: consumer, reverse: true, targets, resource: source });
    start();
    await stage.confirmed(id);
    const { host, port } = bindOf(broker.listenersOf(id)[0]);
    expect(host).toBe('192.168.0.7');
    expect(await requestFrom(provider, host, port)).toBe('the consumer, to 10.0.0.5');
    broker.desire({ connectionId: id, state: CLOSED });
    await stage.confirmed(id);
    expect(await requestFrom(provider, host, port)).not.toContain('the consumer');
  });

  it('puts on again what somebody takes off, and follows a namespace that is made anew', async () => {
    const vpc = await namespaces.make();
    const id = broker.desire({ vpcId: vpc, resource: resource() });
    const agent = start();
    await stage.confirmed(id);
    await ip(`-n ${vpc} address flush dev lo scope global`);
    await expect.poll(() => addressesIn(vpc), SOON).toContain('10.0.0.5/32');
    expect(await ask(vpc)).toBe('the provider');
    expect(agent.lines.filter(({ msg }) => String(msg).includes('taken off by somebody'))).toMatchObject([
      { connectionId: id, address: '10.0.0.5' },
    ]);
    await namespaces.remove(vpc);
    await namespaces.make(vpc);
    await expect.poll(() => ask(vpc), SOON).toBe('the provider');
  });

  it('waits for a namespace without holding up others', async () => {
    const [absent, present] = [newId('vpc'), await namespaces.make()];
    const waiting = broker.desire({ vpcId: absent, resource: resource() });
    const other = broker.desire({ vpcId: present, resource: resource() });
    const closed = broker.desire({ vpcId: absent, ipv4Address: '10.0.0.6', state: CLOSED });
    const agent = start();
    await stage.confirmed(other, closed);
    expect(await ask(present)).toBe('the provider');
    expect(broker.isConfirmed(waiting)).toBe(false);
    expect(agent.lines.filter(({ connectionId }) => connectionId === waiting)).toMatchObject([
      { level: 'warn', reason: expect.stringContaining(absent) },
    ]);
    await namespaces.make(absent);
    await stage.confirmed(waiting);
    expect(await ask(absent)).toBe('the provider');
  });

  it('takes off what an agent before it has put on, and all of it when it is to stop HAProxy', async () => {
    const vpc = await namespaces.make();
    const gone = broker.desire({ vpcId: vpc, resource: resource() });
    const stays = broker.desire({ vpcId: vpc, ipv4Address: '10.0.0.6', resource: resource() });
    const first = start();
    await stage.confirmed(gone, stays);
    await stage.kill(first, 'SIGKILL');
    broker.forget(gone);
    const second = stage.start({ PRIVATELINK_FORWARDING: 'namespaces', PRIVATELINK_HAPROXY_ON_STOP: 'stop' });
    await expect.poll(() => addressesIn(vpc), SOON).not.toContain('10.0.0.5');
    expect(await ask(vpc, '10.0.0.6')).toBe('the provider');
    expect(await stage.kill(second, 'SIGTERM')).toBe(0);
    expect(await addressesIn(vpc)).not.toContain('10.0.0.6');
    expect(await stage.haproxyPids()).toEqual([]);
  });
});
