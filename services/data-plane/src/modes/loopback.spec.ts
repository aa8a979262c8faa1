import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Listener } from '@privatelink/proto/broker/v1/connection';
import { ServiceResource } from '@privatelink/proto/provider/v1/endpoint_service';
import { afterEach, describe, expect, it } from 'vitest';
import type { Interface } from '../desired/interface.ts';
import { loopbackMode, parseLoopbackRange } from './loopback.ts';
import type { Mode, Placement } from './mode.ts';
import { type Probe, probe } from './probe.ts';

const calm = new AbortController().signal;

const wanted = (eniId: string, ports: readonly number[], listeners: readonly Listener[] = []): Interface => ({
  connectionId: `ep-${eniId}`,
  eniId,
  vpcId: 'vpc-1',
  addresses: ['10.0.0.5'],
  ways: ports.map((port) => ({ port, targets: [] })),
  resource: ServiceResource.fromPartial({}),
  egress: null,
  ingress: null,
  limitMbps: 0,
  listeners,
});

const open = (ask: Probe = probe, cidr = '127.64.0.0/10'): (() => Mode) => {
  const range = parseLoopbackRange(cidr);
  if (!range) throw new Error(cidr);
  return loopbackMode({ range, probe: ask });
};

const place = async (mode: Mode, ...interfaces: Interface[]): Promise<Placement[]> => {
  const placements = await mode.place(interfaces, calm);
  return interfaces.map(({ connectionId }) => placements.get(connectionId) ?? { waitsFor: 'nothing' });
};

const listenersOf = (placement: Placement | undefined): readonly Listener[] => {
  if (!placement || 'waitsFor' in placement) throw new Error(`not placed: ${placement?.waitsFor}`);
  return placement.listeners;
};

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** Somebody else listens there. */
const occupy = async (address: string): Promise<void> => {
  const [host, port] = address.split(':');
  const server = createServer().listen({ host, port: Number(port) });
  servers.push(server);
  await once(server, 'listening');
};

describe('an interface on the loopback network', () => {
  it('has an address of its own for its ports, the same wherever it is asked for', async () => {
    const [first, other] = await place(open()(), wanted('eni-1', [18080, 18443]), wanted('eni-2', [18080]));
    const [address = ''] = listenersOf(first).map((listener) => listener.address.split(':')[0]);
    expect(listenersOf(first)).toEqual([
      { port: 18080, address: `${address}:18080` },
      { port: 18443, address: `${address}:18443` },
    ]);
    expect(address).toMatch(/^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./);
    expect(first).toMatchObject({
      binds: new Map([
        [18080, [{ host: address, port: 18080, namespace: null }]],
        [18443, [{ host: address, port: 18443, namespace: null }]],
      ]),
      targetNamespace: null,
      source: null,
    });
    expect(listenersOf(other)[0]?.address).not.toBe(`${address}:18080`);
    const [again] = await place(open()(), wanted('eni-1', [18080, 18443]));
    expect(again).toEqual(first);
  });

  it('goes elsewhere when somebody listens there', async () => {
    const [before] = await place(open()(), wanted('eni-1', [18080]));
    const taken = listenersOf(before)[0]?.address ?? '';
    await occupy(taken);
    const mode = open()();
    const [now] = await place(mode, wanted('eni-1', [18080]));
    expect(listenersOf(now)[0]?.address).toMatch(/^127\.\d+\.\d+\.\d+:18080$/);
    expect(listenersOf(now)[0]?.address).not.toBe(taken);
  });

  it('stays where the broker says it is, although somebody listens there: that may be our own HAProxy', async () => {
    await occupy('127.99.1.2:18080');
    const told = [{ port: 18080, address: '127.99.1.2:18080' }];
    const mode = open()();
    const [placed] = await place(mode, wanted('eni-1', [18080], told));
    expect(listenersOf(placed)).toEqual(told);
    mode.refuse('ep-eni-1', 18080);
    const [moved] = await place(mode, wanted('eni-1', [18080], told));
    expect(listenersOf(moved)[0]?.address).toMatch(/^127\.\d+\.\d+\.\d+:18080$/);
    expect(listenersOf(moved)).not.toEqual(told);
  });

  it('takes nothing from what is told that is no place on the loopback network', async () => {
    const told = ['10.0.0.5:18080', '127.0.0.1', 'localhost:18080', '127.1.1.1:0', '127.1.1.1:99999', '127.1.1.1:1 x'];
    for (const address of told) {
      const [placed] = await place(open()(), wanted('eni-1', [18080], [{ port: 18080, address }]));
      expect(listenersOf(placed)[0]?.address).toMatch(/^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+:18080$/);
    }
  });

  it('keeps its place while it is closed, and over shifts; what was told by then counts more', async () => {
    const openMode = open();
    const mode = openMode();
    const [before] = await place(mode, wanted('eni-1', [18080]));
    await place(mode, wanted('eni-1', []));
    expect(await place(mode, wanted('eni-1', [18080]))).toEqual([before]);
    const later = openMode();
    expect(await place(later, wanted('eni-1', [18080]))).toEqual([before]);
    const told = [{ port: 18080, address: '127.99.1.3:18080' }];
    const [moved] = await place(openMode(), wanted('eni-1', [18080], told));
    expect(listenersOf(moved)).toEqual(told);
  });

  it('gets a new port at its place when its targets change', async () => {
    const mode = open()();
    const [before] = await place(mode, wanted('eni-1', [18080]));
    const [after] = await place(mode, wanted('eni-1', [18080, 18081]));
    const host = listenersOf(before)[0]?.address.split(':')[0];
    expect(listenersOf(after).map(({ address }) => address)).toEqual([`${host}:18080`, `${host}:18081`]);
  });

  it('never shares a place, and gives it back when it is gone', async () => {
    const told = [{ port: 18080, address: '127.99.1.4:18080' }];
    const mode = open()();
    const [first, second] = await place(mode, wanted('eni-1', [18080], told), wanted('eni-2', [18080], told));
    expect(listenersOf(first)).toEqual(told);
    expect(listenersOf(second)[0]?.address).not.toBe('127.99.1.4:18080');
    await mode.retain([]);
    expect(await place(mode, wanted('eni-2', [18080], told))).toEqual([first]);
  });

  it('that is reverse has a high port for each target, whose number is no port', async () => {
    const reverse = { ...wanted('eni-1', [1, 2]), egress: { host: '192.168.0.7', vpcId: '' } };
    const mode = open()();
    const [placed] = await place(mode, reverse);
    const [first, second] = listenersOf(placed).map(({ address }) => address.split(':'));
    expect(first?.[0]).toBe(second?.[0]);
    for (const port of [first?.[1], second?.[1]]) expect(Number(port)).toBeGreaterThanOrEqual(10_240);
    expect(await place(mode, reverse)).toEqual([placed]);
  });

  it('has high ports where low ones are for root', async () => {
    const asUser: Probe = async (host, port) => (port < 1024 ? 'forbidden' : probe(host, port));
    const [placed] = await place(open(asUser)(), wanted('eni-1', [80, 18080]));
    const [low, high] = listenersOf(placed).map(({ address }) => address.split(':'));
    expect(Number(low?.[1])).toBeGreaterThanOrEqual(10_240);
    expect(high).toEqual([low?.[0], '18080']);
  });

  it('has a high port of 127.0.0.1 where there is no other address', async () => {
    const asOnMacOs: Probe = async (host, port) => (host === '127.0.0.1' ? probe(host, port) : 'absent');
    const placements = await place(open(asOnMacOs)(), wanted('eni-1', [80]), wanted('eni-2', [80]));
    const addresses = placements.flatMap(listenersOf).map(({ address }) => address);
    for (const address of addresses) expect(address).toMatch(/^127\.0\.0\.1:[123]\d{4}$/);
    expect(new Set(addresses).size).toBe(2);
  });

  it('waits where nothing is free, and what is urgent does not wait for it', async () => {
    const [none] = await place(open(async () => 'taken')(), wanted('eni-1', [80]));
    expect(none).toEqual({ waitsFor: 'a free address of the loopback network' });
    const hurry = AbortSignal.abort();
    const mode = open()();
    const placements = await mode.place([wanted('eni-1', [18080])], hurry);
    expect(placements.get('ep-eni-1')).toHaveProperty('waitsFor');
    const [placed] = await place(mode, wanted('eni-1', [18080]));
    expect(listenersOf(placed)).toHaveLength(1);
  });
});

it('a range is a part of the loopback network', () => {
  expect(parseLoopbackRange('127.64.0.0/10')).toEqual({ first: 0x7f400000, size: 2 ** 22 });
  expect(parseLoopbackRange('127.64.3.9/24')).toEqual({ first: 0x7f400300, size: 256 });
  for (const text of ['127.0.0.0/7', '10.0.0.0/8', '127.0.0.0/30', '127.0.0.256/24', '127.0.0.0', '127.0.0.0/']) {
    expect(parseLoopbackRange(text)).toBeNull();
  }
});
