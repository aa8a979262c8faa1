import { createServer, type RequestListener, type Server } from 'node:http';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Process, watchProcesses } from './processes.ts';

const SOON = { timeout: 20_000, interval: 10 };

const servers = new Set<Server>();
let ending: AbortController;
beforeEach(() => {
  ending = new AbortController();
});
afterEach(() => {
  ending.abort();
  for (const server of servers) stop(server);
});

const stop = (server: Server): void => {
  server.close();
  server.closeAllConnections();
  servers.delete(server);
};

const serve = async (listener: RequestListener, host = '127.0.0.1', port = 0): Promise<Server> => {
  const server = createServer(listener);
  servers.add(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return server;
};

const portOf = (server: Server): number => {
  const address = server.address();
  return address && typeof address === 'object' ? address.port : 0;
};

const gives =
  (value: number): RequestListener =>
  (request, reply) =>
    reply.writeHead(request.url === '/metrics' ? 200 : 404).end(`given ${value}\nother 1\n# EOF\n`);

/** What is known of the processes; the clock goes fast. */
const watch = (addresses: readonly string[], resolve?: (host: string) => Promise<readonly string[]>) => {
  let known: readonly Process[] = [];
  let skipped = 0;
  const clock = {
    now: () => new Date(Date.now() + skipped),
    sleep: async (ms: number, signal?: AbortSignal) => {
      skipped += ms;
      await systemClock.sleep(10, signal);
    },
  };
  const onRound = (processes: readonly Process[]): void => {
    known = processes;
  };
  const deps = { clock, log: pino({ level: 'silent' }), signal: ending.signal, ...(resolve && { resolve }) };
  const watching = watchProcesses(deps, { addresses, names: new Set(['given']), onRound });
  return {
    watching,
    /** Of each process what it gave last, negative where it does not answer. */
    values: () =>
      known.map(({ isAnswering, samples }) => (isAnswering ? 1 : -1) * (samples[0]?.value ?? Number.POSITIVE_INFINITY)),
    known: () => known,
  };
};

describe('processes', () => {
  it('are asked again and again; one that is gone is known as what it was, until it is back', async () => {
    const [first, second] = [await serve(gives(1)), await serve(gives(2), '127.0.0.2')];
    const port = portOf(first);
    const { values, known, watching } = watch([`127.0.0.1:${port}`, `127.0.0.2:${portOf(second)}`]);
    await expect.poll(values, SOON).toEqual([1, 2]);
    expect(known()[0]?.samples).toEqual([{ name: 'given', labels: {}, value: 1 }]);
    stop(first);
    await expect.poll(values, SOON).toEqual([-1, 2]);
    const heardAt = known()[0]?.heardAt;
    await serve(gives(3), '127.0.0.1', port);
    await expect.poll(values, SOON).toEqual([3, 2]);
    expect(known()[0]?.heardAt?.getTime()).toBeGreaterThan(heardAt?.getTime() ?? Number.POSITIVE_INFINITY);
    ending.abort();
    await watching;
  });

  it('do not answer where they are slow, cut off, too long, elsewhere, or no process of ours', async () => {
    const bad: readonly RequestListener[] = [
      () => undefined,
      (_, reply) => reply.end('given 1\n'),
      (_, reply) => reply.end(`${'# a comment\n'.repeat(500_000)}given 1\n# EOF\n`),
      (_, reply) => reply.writeHead(302, { location: 'http://127.0.0.1/' }).end(),
      (_, reply) => reply.writeHead(500).end('given 1\n# EOF\n'),
      (_, reply) => {
        reply.write('given 1\n');
        reply.destroy();
      },
    ];
    const fine = await serve(gives(1));
    const ports = await Promise.all(bad.map(async (listener) => portOf(await serve(listener))));
    const { known } = watch([...ports, portOf(fine)].map((port) => `127.0.0.1:${port}`));
    await expect.poll(() => known().length, SOON).toBe(bad.length + 1);
    expect(known().filter(({ isAnswering }) => isAnswering)).toHaveLength(1);
    expect(known().filter(({ heardAt }) => heardAt === null)).toHaveLength(bad.length);
  });

  it('may be several of one name; one to which it does not lead any more is forgotten after a while', async () => {
    const first = await serve(gives(1));
    const port = portOf(first);
    const second = await serve(gives(2), '127.0.0.2', port);
    let places: readonly string[] = [];
    const { values, known } = watch([`dns:${port}`, `127.0.0.1:${port}`], async () => places);
    await expect.poll(() => known().map(({ address }) => address), SOON).toEqual([`127.0.0.1:${port}`, `dns:${port}`]);
    places = ['127.0.0.1', '127.0.0.2'];
    await expect.poll(values, SOON).toEqual([1, 2]);
    places = ['127.0.0.1'];
    stop(second);
    await expect.poll(values, SOON).toEqual([1, -2]);
    await expect.poll(values, SOON).toEqual([1]);
    // A name that cannot be looked up leads where it led.
    places = [];
    stop(first);
    await expect.poll(values, SOON).toEqual([-1]);
  });
});
