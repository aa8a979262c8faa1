import { recordedLog } from '@privatelink/shared/grpc/test-support';
import { afterEach, describe, expect, it } from 'vitest';
import { createZoneViews } from '../zone/zone-views.ts';
import { createAnswer } from './answer.ts';
import { startDnsServer } from './dns-server.ts';
import { queryPacket, told } from './testing/ask.ts';
import { askUdp } from './testing/clients.ts';
import { createVpcResolvers, type VpcResolvers } from './vpc-resolvers.ts';

const { log } = recordedLog();
const opened: VpcResolvers[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

const ownerOf = (vpcId: string, zoneIds: readonly string[] = ['h', 'i']) => ({
  ...{ vpcId, accountId: `account of ${vpcId}`, zoneIds },
});
const limits = { portsPerVpc: 4, vpcs: 4, vpcsPerAccount: 4 };

const open = async () => {
  const views = createZoneViews('privatelink.internal');
  const resolvers = createVpcResolvers({
    ...{ ...limits, listen: { host: '127.0.0.1', port: 0 }, startServer: startDnsServer, log },
    answerIn: ({ vpcId, zoneId }) => createAnswer({ table: views.inside(vpcId, zoneId), nextRotation: () => 0 }),
  });
  opened.push(resolvers);
  await resolvers.start();
  return { views, resolvers };
};

const portOf = (address = ''): number => Number(address.split(':').at(-1));

/** Which ports are taken is settled here, not by whatever else runs on this machine. */
const onPorts = ({ taken = [], zones = ['h', 'i'], ...changed }: Partial<typeof limits> & OnPorts = {}) => {
  const listening = new Set<number>(taken);
  const resolvers = createVpcResolvers({
    ...{ ...limits, ...changed, listen: { host: '::1', port: 7500 }, log },
    answerIn: () => () => 'drop',
    startServer: async ({ port }) => {
      if (listening.has(port)) throw new Error(`port ${port} is in use`);
      listening.add(port);
      return { port, close: async () => void listening.delete(port) };
    },
  });
  const need = (vpcId: string, isNeeded: boolean) => resolvers.need(ownerOf(vpcId, zones), `ep of ${vpcId}`, isNeeded);
  const portsOf = async (vpcId: string) => (await resolvers.of(vpcId)).map(({ address }) => portOf(address));
  return { ...resolvers, resolvers, need, portsOf, listening };
};
type OnPorts = { taken?: readonly number[]; zones?: readonly string[] };

describe('the name servers of a VPC', () => {
  it('are one for any zone and one for each, and answer what is asked there by the VPC’s own names', async () => {
    const { views, resolvers } = await open();
    for (const [index, vpcId] of ['vpc-1', 'vpc-2'].entries()) {
      const records = [{ type: 'A', data: `10.0.0.${index}` }] as const;
      views.put(`ep-${index}`, vpcId, [{ name: 'db.example.com', isPrivate: true, records }]);
      resolvers.need(ownerOf(vpcId), `ep-${index}`, true);
    }
    for (const [index, vpcId] of ['vpc-1', 'vpc-2'].entries()) {
      const places = await resolvers.of(vpcId);
      expect(places.map(({ zoneId }) => zoneId)).toEqual(['', 'h', 'i']);
      for (const { address } of places) {
        const reply = await askUdp(portOf(address), queryPacket({ name: 'db.example.com', type: 'A' }));
        expect(told(reply).answers).toEqual([`db.example.com 60 A 10.0.0.${index}`]);
      }
    }
    expect(await resolvers.of('vpc-3')).toEqual([]);
  });

  it('answer with zone affinity by the address in their own zone alone, and by all for any zone or where it has none', async () => {
    const { views, resolvers } = await open();
    resolvers.need(ownerOf('vpc-1'), 'ep-1', true);
    const places = await resolvers.of('vpc-1');
    const name = 'ep-1.privatelink.internal';
    const inZone = (zoneId: string, data: string) => ({ type: 'A', data, zoneId }) as const;
    const asked = async () => {
      const replies = places.map(({ address }) => askUdp(portOf(address), queryPacket({ name, type: 'A' })));
      return (await Promise.all(replies)).map((reply) => told(reply).answers.map((answer) => answer.split(' ').at(-1)));
    };
    const both = [inZone('h', '10.0.0.1'), inZone('i', '10.0.1.1')];
    views.put('ep-1', 'vpc-1', [{ name, isPrivate: false, records: both }]);
    expect(await asked()).toEqual([['10.0.0.1', '10.0.1.1'], ['10.0.0.1'], ['10.0.1.1']]);
    views.put('ep-1', 'vpc-1', [{ name, isPrivate: false, records: both.slice(1) }]);
    expect(await asked()).toEqual([['10.0.1.1'], ['10.0.1.1'], ['10.0.1.1']]);
  });

  it('listen while an endpoint of the VPC needs them, and then their ports are free', async () => {
    const { need, resolvers, portsOf, listening, start, of } = onPorts();
    await start();
    const needs = (endpointId: string, isNeeded: boolean) => resolvers.need(ownerOf('vpc-1'), endpointId, isNeeded);
    needs('ep-1', true);
    needs('ep-2', true);
    expect((await of('vpc-1')).map(({ address }) => address)).toEqual(['[::1]:7500', '[::1]:7501', '[::1]:7502']);
    needs('ep-1', false);
    needs('ep-1', false);
    expect(await portsOf('vpc-1')).toEqual([7500, 7501, 7502]);
    needs('ep-2', false);
    needs('ep-3', false);
    need('vpc-2', true);
    expect([await portsOf('vpc-1'), await portsOf('vpc-2')]).toEqual([[], [7500, 7501, 7502]]);
    expect([...listening]).toEqual([7500, 7501, 7502]);
    await resolvers.close();
    expect(listening.size).toBe(0);
  });

  it('are in the zones of its own region', async () => {
    const { resolvers } = onPorts();
    await resolvers.start();
    resolvers.need(ownerOf('vpc-1'), 'ep-1', true);
    resolvers.need(ownerOf('vpc-2', ['a', 'b', 'c']), 'ep-2', true);
    const zonesOf = async (vpcId: string) => (await resolvers.of(vpcId)).map(({ zoneId }) => zoneId);
    expect(await zonesOf('vpc-1')).toEqual(['', 'h', 'i']);
    expect(await zonesOf('vpc-2')).toEqual(['', 'a', 'b', 'c']);
  });

  it('have the same ports at each start, whatever was told before it or after it, and whatever zones there are', async () => {
    const told = [
      ['vpc-1', true],
      ['vpc-2', true],
      ['vpc-3', true],
      ['vpc-1', false],
      ['vpc-4', true],
    ] as const;
    const ports = [];
    for (const before of [0, 2, told.length]) {
      const { need, portsOf, start } = onPorts({ zones: before === 0 ? ['h'] : ['h', 'i'] });
      for (const [vpcId, isNeeded] of told.slice(0, before)) need(vpcId, isNeeded);
      await start();
      for (const [vpcId, isNeeded] of told.slice(before)) need(vpcId, isNeeded);
      ports.push((await Promise.all(['vpc-1', 'vpc-2', 'vpc-3', 'vpc-4'].map(portsOf))).map((each) => each[0]));
    }
    expect(ports).toEqual(Array.from({ length: 3 }, () => [undefined, 7504, 7508, 7500]));
  });

  it('do not listen for what was needed only before the start', async () => {
    const { need, start, listening } = onPorts({ taken: [7500] });
    need('vpc-1', true);
    need('vpc-1', false);
    await start();
    expect([...listening]).toEqual([7500]);
  });

  it('are for so many VPCs, and the next one has them when one needs them no more', async () => {
    const { need, portsOf, start } = onPorts({ vpcs: 2 });
    await start();
    for (const vpcId of ['vpc-1', 'vpc-2', 'vpc-3']) need(vpcId, true);
    expect(await portsOf('vpc-3')).toEqual([]);
    need('vpc-2', false);
    expect(await portsOf('vpc-3')).toEqual([7504, 7505, 7506]);
  });

  it('are fewer where a port is taken, and the others answer', async () => {
    const { need, start, of } = onPorts({ taken: [7501] });
    await start();
    need('vpc-1', true);
    expect((await of('vpc-1')).map(({ zoneId }) => zoneId)).toEqual(['', 'i']);
  });
});
