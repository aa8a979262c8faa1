import { recordedLog } from '@privatelink/shared/grpc/test-support';
import { afterEach, describe, expect, it } from 'vitest';
import { createZoneViews } from '../zone/zone-views.ts';
import { createAnswer } from './answer.ts';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { queryPacket, told } from './testing/ask.ts';
import { askUdp } from './testing/clients.ts';
import { createVpcResolvers, type VpcResolvers } from './vpc-resolvers.ts';

const { log } = recordedLog();
const opened: (Pick<VpcResolvers, 'close'> | DnsServer)[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

const open = (port = 0, host = '127.0.0.1') => {
  const views = createZoneViews('privatelink.internal');
  const resolvers = createVpcResolvers({
    ...{ listen: { host, port }, zones: ['h', 'i'], startServer: startDnsServer, log },
    answerIn: ({ vpcId, zoneId }) => createAnswer({ table: views.inside(vpcId, zoneId), nextRotation: () => 0 }),
  });
  opened.push(resolvers);
  return { views, resolvers };
};

const portOf = (address = ''): number => Number(address.split(':').at(-1));

/** Three ports in a row that nobody has now. */
const someFreePort = async (): Promise<number> => {
  const answer = createAnswer({ table: createZoneViews('x.y').everybody, nextRotation: () => 0 });
  const server = await startDnsServer({ host: '127.0.0.1', port: 0, answer, log });
  await server.close();
  return server.port;
};

describe('the name servers of a VPC', () => {
  it('are one for any zone and one for each, and answer what is asked there by the VPC’s own names', async () => {
    const { views, resolvers } = open();
    for (const [index, vpcId] of ['vpc-1', 'vpc-2'].entries()) {
      const records = [{ type: 'A', data: `10.0.0.${index}` }] as const;
      views.put(`ep-${index}`, vpcId, [{ name: 'db.example.com', isPrivate: true, records }]);
      resolvers.open(vpcId);
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
    const { views, resolvers } = open();
    resolvers.open('vpc-1');
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

  it('have the same ports at each start, those of one VPC after those of the other', async () => {
    const first = await someFreePort();
    const { resolvers } = open(first);
    resolvers.open('vpc-1');
    resolvers.open('vpc-2');
    await resolvers.opened();
    const ports = [...(await resolvers.of('vpc-1')), ...(await resolvers.of('vpc-2'))].map((one) => one.address);
    expect(ports.map(portOf)).toEqual([0, 1, 2, 3, 4, 5].map((index) => first + index));
  });

  it('are fewer where a port is taken, and the others answer', async () => {
    const first = await someFreePort();
    const answer = createAnswer({ table: createZoneViews('x.y').everybody, nextRotation: () => 0 });
    opened.push(await startDnsServer({ host: '127.0.0.1', port: first + 1, answer, log }));
    const { resolvers } = open(first);
    resolvers.open('vpc-1');
    expect((await resolvers.of('vpc-1')).map(({ zoneId }) => zoneId)).toEqual(['', 'i']);
  });
});
