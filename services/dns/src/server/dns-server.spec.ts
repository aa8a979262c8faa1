import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { type DnsServer, type DnsServerOptions, startDnsServer } from './dns-server.ts';
import { queryPacket, tableOf, told, unrotated, withA } from './testing/ask.ts';
import { askUdp, connectTcp, framed, type TcpClient } from './testing/clients.ts';

const apex = 'privatelink.internal';
const endpoint = `ep-1.epsrv-1.eu-1.${apex}`;
const crowd = `crowd.${apex}`;
const many = Array.from({ length: 200 }, (_, index) => `10.0.0.${index}`);
const answer = unrotated(tableOf([withA(endpoint, '10.0.1.5'), withA(crowd, ...many)]));

const open = { servers: [] as DnsServer[], clients: [] as TcpClient[] };
afterEach(async () => {
  for (const client of open.clients.splice(0)) client.socket.destroy();
  await Promise.all(open.servers.splice(0).map((server) => server.close()));
});

const errors: string[] = [];
const quiet = { debug: () => {}, warn: () => {}, error: (_: object, message: string) => void errors.push(message) };

async function start(options: Partial<DnsServerOptions> = {}): Promise<number> {
  const server = await startDnsServer({ host: '127.0.0.1', port: 0, answer, log: quiet, ...options });
  open.servers.push(server);
  return server.port;
}

async function client(port: number, host?: string): Promise<TcpClient> {
  const connected = await connectTcp(port, host);
  open.clients.push(connected);
  return connected;
}

const query = (id: number, name = endpoint) => queryPacket({ name, id });
const ids = (responses: Buffer[]) => responses.map((response) => response.readUInt16BE(0));

describe('UDP and TCP on one port', () => {
  it('give the same answer', async () => {
    const port = await start();
    const overTcp = await client(port);
    overTcp.send(query(1));
    const [tcp] = await overTcp.receive(1);
    expect(told(await askUdp(port, query(1)))).toMatchObject({ answers: [`${endpoint} 60 A 10.0.1.5`] });
    expect(await askUdp(port, query(1))).toEqual(tcp);
  });

  it('what is truncated over UDP comes whole over TCP', async () => {
    const port = await start();
    expect(told(await askUdp(port, query(1, crowd)))).toMatchObject({ flags: ['aa', 'tc'], answers: [] });
    const overTcp = await client(port);
    overTcp.send(query(1, crowd));
    expect(told((await overTcp.receive(1))[0] ?? 'drop').answers).toHaveLength(200);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));
  it.skipIf(!hasIpv6)('over IPv6 (skipped where there is no ::1)', async () => {
    const port = await start({ host: '::1' });
    const overTcp = await client(port, '::1');
    overTcp.send(query(9));
    expect(await overTcp.receive(1)).toEqual([await askUdp(port, query(9), '::1')]);
  });

  it('packets that deserve no answer get none, and the next one does', async () => {
    const port = await start();
    const socket = createSocket('udp4');
    const overTcp = await client(port);
    const response = query(1);
    response.writeUInt8(0x80, 2);
    for (const packet of [Buffer.alloc(0), Buffer.alloc(11), response, query(2)])
      socket.send(packet, port, '127.0.0.1');
    const [first] = await once(socket, 'message');
    socket.close();
    overTcp.send(Buffer.alloc(0), Buffer.alloc(11), response, query(2));
    expect(ids([first, ...(await overTcp.receive(1))])).toEqual([2, 2]);
  });
});

describe('TCP', () => {
  it('takes a query in one-byte segments', async () => {
    const { socket, receive } = await client(await start());
    for (const byte of framed(query(3))) await new Promise((sent) => socket.write(Buffer.from([byte]), sent));
    expect(ids(await receive(1))).toEqual([3]);
  });

  it('answers pipelined queries in order', async () => {
    const { send, receive } = await client(await start());
    send(...[1, 2, 3, 4, 5].map((id) => query(id)));
    expect(ids(await receive(5))).toEqual([1, 2, 3, 4, 5]);
  });

  it('stops reading from a client that asks without reading, then loses nothing', async () => {
    let answered = 0;
    const counted: typeof answer = (...query) => {
      answered++;
      return answer(...query);
    };
    const port = await start({ answer: counted });
    const greedy = await client(port);
    const patient = await client(port);
    greedy.socket.pause();
    const asked = Array.from({ length: 5000 }, (_, id) => id);
    greedy.send(...asked.map((id) => query(id, crowd)));
    // Meanwhile another client is served, over more turns than reading all of the above would take.
    for (let turn = 0; turn < 100; turn++) {
      patient.send(query(turn));
      expect(ids(await patient.receive(1))).toEqual([turn]);
    }
    expect(answered - 100).toBeLessThan(asked.length);
    greedy.socket.resume();
    expect(ids(await greedy.receive(asked.length))).toEqual(asked);
  });

  it('answers a client that has already closed its side', async () => {
    const { socket, send, receive, closed } = await client(await start());
    send(query(4));
    socket.end();
    expect(ids(await receive(1))).toEqual([4]);
    await closed;
  });

  it('closes a connection without a whole query in time, though bytes keep coming', async () => {
    const { socket, closed } = await client(await start({ limits: { tcpIdleTimeout: 100 } }));
    socket.write(framed(query(1)).subarray(0, 1));
    const bytes = setInterval(() => socket.write(Buffer.from([0])), 10);
    await closed;
    clearInterval(bytes);
  });

  it('at the cap makes room by closing the connection idle longest', async () => {
    const port = await start({ limits: { tcpConnections: 2 } });
    const busy = await client(port);
    const idle = await client(port);
    idle.send(query(1));
    await idle.receive(1);
    busy.send(query(2));
    await busy.receive(1);
    const third = await client(port);
    await idle.closed;
    busy.send(query(3));
    third.send(query(4));
    expect(ids([...(await busy.receive(1)), ...(await third.receive(1))])).toEqual([3, 4]);
  });

  it('survives resets in the middle of everything', async () => {
    const port = await start();
    for (const bytes of [Buffer.from([0]), framed(query(1)).subarray(0, 20), framed(query(1, crowd))]) {
      const { socket, closed } = await client(port);
      socket.write(bytes, () => socket.resetAndDestroy());
      await closed;
    }
    const after = await client(port);
    after.send(query(5));
    expect(ids(await after.receive(1))).toEqual([5]);
  });
});

describe('the rate limit', () => {
  it('sends a client over it to TCP, where it is answered', async () => {
    const port = await start({ limits: { rateLimit: { responsesPerSecond: 0.001, burst: 1, slip: 1 } } });
    expect(told(await askUdp(port, query(1)))).toMatchObject({ flags: ['aa'] });
    expect(told(await askUdp(port, query(1)))).toMatchObject({ flags: ['aa', 'tc'], answers: [] });
    const overTcp = await client(port);
    overTcp.send(query(1), query(2));
    expect((await overTcp.receive(2)).map((response) => told(response).flags)).toEqual([['aa'], ['aa']]);
  });
});

describe('starting and stopping', () => {
  it('a port in use for UDP is one clear error', async () => {
    const taken = createSocket('udp4');
    taken.bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address();
    const message = `DNS cannot listen on 127.0.0.1 port ${port} (UDP): the port is in use`;
    await expect(start({ port })).rejects.toThrow(message);
    taken.close();
  });

  it('a port in use for TCP is one clear error, and leaves UDP free', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const message = `DNS cannot listen on 127.0.0.1 port ${port} (TCP): the port is in use`;
    await expect(start({ port })).rejects.toThrow(message);
    taken.close();
    await once(taken, 'close');
    expect(await start({ port })).toBe(port);
  });

  it('an address that is not of this machine is one clear error', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toThrow(
      'DNS cannot listen on 192.0.2.1 port 0 (UDP): bind EADDR',
    );
  });

  it('closing ends connections, frees the port, and may be done twice', async () => {
    const port = await start();
    const { closed } = await client(port);
    const [server] = open.servers;
    await Promise.all([server?.close(), server?.close(), closed]);
    expect(await start({ port })).toBe(port);
  });

  it('a defect in answering costs one answer, and is logged once', async () => {
    errors.length = 0;
    const port = await start({
      answer: (packet, transport) => {
        if (packet.readUInt16BE(0) === 13) throw new Error('defect');
        return answer(packet, transport);
      },
    });
    expect(told(await askUdp(port, query(13)))).toMatchObject({ rcode: 'SERVFAIL', flags: [] });
    expect(told(await askUdp(port, query(14)))).toMatchObject({ rcode: 'NOERROR' });
    expect(errors).toEqual(['DNS query could not be answered']);
  });
});
