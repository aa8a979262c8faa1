import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceResource } from '@privatelink/proto/provider/v1/endpoint_service';
import { recordedLog } from '@privatelink/shared/grpc/test-support';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Interface } from '../desired/interface.ts';
import { hasNamespaces, ip, type Namespaces, networkNamespaces, newId } from '../testing/network-namespaces.ts';
import { deviceFor } from './ip.ts';
import type { Mode } from './mode.ts';
import { namespacesMode } from './namespaces.ts';

const calm = new AbortController().signal;

it('an address is put on the device whose link it is on, else on the loopback device', () => {
  const on = (name: string, address: string, prefix: number, isUp = true) => ({
    name,
    isUp,
    addresses: [{ address, prefix }],
  });
  const lo = on('lo', '127.0.0.1', 8);
  const devices = [lo, on('eth0', '10.0.0.1', 24), on('eth1', '10.0.1.1', 24, false), on('eth2', 'fd00::1', 64)];
  expect(deviceFor(devices, '10.0.0.5')).toBe('eth0');
  expect(deviceFor(devices, '10.0.1.5')).toBe('lo');
  expect(deviceFor(devices, 'fd00::5')).toBe('eth2');
  expect(deviceFor(devices, 'fd01::5')).toBe('lo');
  expect(deviceFor([on('lo', '127.0.0.1', 8, false)], '10.0.0.5')).toBeUndefined();
  expect(deviceFor([on('a b', '10.0.0.1', 24), lo], '10.0.0.5')).toBe('lo');
});

describe.skipIf(!hasNamespaces)('interfaces in network namespaces (root on Linux)', () => {
  let directory: string;
  let namespaces: Namespaces;
  let mode: Mode;
  const { log, lines } = recordedLog();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'privatelink-ns-'));
    namespaces = networkNamespaces();
    mode = namespacesMode({ directory, log });
    lines.length = 0;
  });
  afterEach(async () => {
    await namespaces.removeAll();
    await rm(directory, { recursive: true });
  });

  const wanted = (vpcId: string, addresses: readonly string[], targetVpcId?: string): Interface => ({
    connectionId: newId('ep'),
    eniId: newId('eni'),
    vpcId,
    addresses,
    ways: [{ port: 80, targets: [] }],
    egress: null,
    ingress: null,
    limitMbps: 0,
    resource: ServiceResource.fromPartial({ vpcId: targetVpcId ?? '' }),
    listeners: [],
  });
  const place = async (...interfaces: Interface[]) => {
    const placements = await mode.place(interfaces, calm);
    return interfaces.map(({ connectionId }) => placements.get(connectionId));
  };
  const addressesIn = async (vpcId: string): Promise<string[]> => {
    const devices = JSON.parse(await ip(`-n ${vpcId} -json address show`)) as {
      ifname: string;
      addr_info: { local: string; prefixlen: number; scope: string; tentative?: boolean }[];
    }[];
    return devices.flatMap(({ ifname, addr_info }) =>
      addr_info
        .filter(({ scope }) => scope === 'global')
        .map(({ local, prefixlen, tentative }) => `${local}/${prefixlen} ${ifname}${tentative ? ' tentative' : ''}`),
    );
  };

  it('are addresses on the link they belong to, once each, and are told as they are', async () => {
    const vpc = await namespaces.make();
    const provider = await namespaces.make();
    await namespaces.link({ name: vpc, address: '10.0.0.1/24' }, { name: provider, address: '10.0.0.2/24' });
    const eni = wanted(vpc, ['10.0.0.5', 'fd00::5'], provider);
    const placed = {
      binds: new Map([
        [
          80,
          [
            { host: '10.0.0.5', port: 80, namespace: vpc },
            { host: 'fd00::5', port: 80, namespace: vpc },
          ],
        ],
      ]),
      listeners: [
        { port: 80, address: '10.0.0.5:80' },
        { port: 80, address: '[fd00::5]:80' },
      ],
      targetNamespace: provider,
      source: null,
      ingress: null,
    };
    expect(await place(eni)).toEqual([placed]);
    expect(await place(eni)).toEqual([placed]);
    const on = ['10.0.0.1/24 l0', '10.0.0.5/32 l0', 'fd00::5/128 lo'];
    expect((await addressesIn(vpc)).sort()).toEqual(on.sort());
    expect(await place(wanted(vpc, ['10.9.9.9']))).toMatchObject([{ targetNamespace: null }]);
    expect(await addressesIn(vpc)).toContain('10.9.9.9/32 lo');
  });

  it('wait for a namespace, and others do not', async () => {
    const vpc = await namespaces.make();
    const [absent, target] = [newId('vpc'), newId('vpc')];
    const all = [wanted(absent, ['10.0.0.5']), wanted(vpc, ['10.0.0.5']), wanted(vpc, ['10.0.0.6'], target)];
    const [waits, placed, waitsToo] = await place(...all);
    expect(waits).toEqual({ waitsFor: `network namespace ${absent}, which does not exist` });
    expect(placed).toHaveProperty('binds');
    expect(waitsToo).toEqual({ waitsFor: `network namespace ${target}, which does not exist` });
    expect(await mode.check(calm)).toBe(false);
    await namespaces.make(absent);
    expect(await mode.check(calm)).toBe(true);
    expect((await place(...all))[0]).toHaveProperty('binds');
    expect(await mode.check(calm)).toBe(false);
    await namespaces.make(target);
    expect(await mode.check(calm)).toBe(true);
    expect((await place(...all))[2]).toHaveProperty('binds');
  });

  it('wait while the loopback device is down', async () => {
    const vpc = await namespaces.make();
    await ip(`-n ${vpc} link set lo down`);
    expect(await place(wanted(vpc, ['10.0.0.5']))).toEqual([
      { waitsFor: `device lo of network namespace ${vpc}, which is down` },
    ]);
  });

  it('are put on again when somebody takes them off, or makes the namespace anew', async () => {
    const vpc = await namespaces.make();
    const eni = wanted(vpc, ['10.0.0.5']);
    await place(eni);
    await ip(`-n ${vpc} address delete 10.0.0.5/32 dev lo`);
    expect(await mode.check(calm)).toBe(true);
    expect(lines).toMatchObject([{ level: 'warn', connectionId: eni.connectionId, address: '10.0.0.5' }]);
    await place(eni);
    expect(await addressesIn(vpc)).toEqual(['10.0.0.5/32 lo']);
    expect(await mode.check(calm)).toBe(false);
    await namespaces.remove(vpc);
    await namespaces.make(vpc);
    expect(await mode.check(calm)).toBe(true);
    await place(eni);
    expect(await addressesIn(vpc)).toEqual(['10.0.0.5/32 lo']);
  });

  it('are taken off when they are not retained, also by who comes after a crash', async () => {
    const vpc = await namespaces.make();
    const [stays, goes] = [wanted(vpc, ['10.0.0.5']), wanted(vpc, ['10.0.0.6', 'fd00::6'])];
    await place(stays, goes);
    const successor = namespacesMode({ directory, log });
    await successor.place([stays], calm);
    await successor.retain([stays]);
    expect(await addressesIn(vpc)).toEqual(['10.0.0.5/32 lo']);
    await successor.retain([]);
    expect(await addressesIn(vpc)).toEqual([]);
    expect(await readFile(join(directory, 'addresses.json'), 'utf8')).toBe('[]');
  });

  it('leave alone what somebody else has put on', async () => {
    const vpc = await namespaces.make();
    await ip(`-n ${vpc} address add 10.0.0.5/24 dev lo`);
    await ip(`-n ${vpc} address add 10.0.0.7/24 dev lo`);
    await place(wanted(vpc, ['10.0.0.5']));
    await mode.retain([]);
    expect(await addressesIn(vpc)).toEqual(['10.0.0.5/24 lo', '10.0.0.7/24 lo']);
  });

  it('are forgotten with their namespace', async () => {
    const vpc = await namespaces.make();
    await place(wanted(vpc, ['10.0.0.5']));
    await namespaces.remove(vpc);
    await mode.retain([]);
    expect(await readFile(join(directory, 'addresses.json'), 'utf8')).toBe('[]');
  });

  it('are not placed by a file that says something else than addresses', async () => {
    const entry = { namespace: newId('vpc'), address: '10.0.0.5', device: 'lo' };
    for (const damage of [{ device: 'lo\naddress flush dev lo' }, { namespace: 'x' }, { address: '10.0.0.5/8' }]) {
      await writeFile(join(directory, 'addresses.json'), JSON.stringify([{ ...entry, ...damage }]));
      await expect(namespacesMode({ directory, log }).retain([])).rejects.toThrow('addresses.json is damaged');
    }
  });

  it('leave the rest for later when something is urgent', async () => {
    const vpc = await namespaces.make();
    const eni = wanted(vpc, ['10.0.0.5']);
    const placements = await mode.place([eni], AbortSignal.abort());
    expect(placements.get(eni.connectionId)).toEqual({ waitsFor: 'what is more urgent' });
    expect(await addressesIn(vpc)).toEqual([]);
  });

  it('are many', async () => {
    const vpcs = await Promise.all([namespaces.make(), namespaces.make()]);
    const all = Array.from({ length: 400 }, (_, index) =>
      wanted(vpcs[index % 2] ?? '', [`10.1.${index >> 8}.${index & 255}`]),
    );
    const placements = await place(...all);
    expect(placements.every((placement) => placement && 'binds' in placement)).toBe(true);
    expect(await addressesIn(vpcs[1] ?? '')).toHaveLength(200);
    await mode.retain([]);
    expect(await addressesIn(vpcs[1] ?? '')).toEqual([]);
  });
});
