import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { BrokerServiceClient, type GetConnectionRequest } from '@privatelink/proto/broker/v1/broker_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Unavailable } from '../app/errors.ts';
import { Rejected } from '../eventing/rejected.ts';
import { connect } from './client.ts';
import { createIssuer, type Issuer, startBroker } from './test-support.ts';
import { unary } from './unary.ts';

let issuer: Issuer;
let token: string;
beforeAll(async () => {
  issuer = await createIssuer();
  token = await issuer.token(['provider', 'consumer']);
});
afterAll(() => issuer.remove());

const to = (...ports: number[]) =>
  connect(
    BrokerServiceClient,
    ports.map((port) => `127.0.0.1:${port}`),
    { token: () => token },
  );

describe('a client', () => {
  it('goes round over all addresses, past one that is gone', async () => {
    const calls = [0, 0, 0];
    const servers = await Promise.all(
      calls.map((_, index) =>
        startBroker(issuer, {
          getConnection: unary(async (_: GetConnectionRequest) => {
            calls[index] = (calls[index] ?? 0) + 1;
            return { connection: undefined, revision: 0n };
          }),
        }),
      ),
    );
    const broker = to(...servers.map(({ port }) => port));
    const get = () => broker.getConnection({ connectionId: '' }, {});
    await expect
      .poll(async () => {
        await get();
        return calls.every((count) => count > 0);
      })
      .toBe(true);
    calls.fill(0);
    for (let i = 0; i < 30; i++) await get();
    expect(calls).toEqual([10, 10, 10]);
    const [first, ...others] = servers;
    await first?.stop(0);
    calls.fill(0);
    await Promise.all(Array.from({ length: 20 }, get));
    expect(calls[0]).toBe(0);
    expect((calls[1] ?? 0) + (calls[2] ?? 0)).toBe(20);
    broker.close();
    await Promise.all(others.map((server) => server.stop(1_000)));
  });

  it('tries again what was unavailable, and nothing else', async () => {
    let attempts = 0;
    let thrown: Error = new Unavailable('BEHIND', 'behind');
    const server = await startBroker(
      issuer,
      {
        getConnection: unary(async (_: GetConnectionRequest) => {
          if (++attempts < 3) throw thrown;
          return { connection: undefined, revision: 9n };
        }),
      },
      { catalogue: { NO: { code: status.FAILED_PRECONDITION, message: () => 'no' } } },
    );
    const broker = to(server.port);
    expect(await broker.getConnection({ connectionId: '' }, {})).toMatchObject({ revision: 9n });
    expect(attempts).toBe(3);
    attempts = 0;
    thrown = new Rejected('NO');
    await expect(broker.getConnection({ connectionId: '' }, {})).rejects.toMatchObject({ reason: 'NO' });
    expect(attempts).toBe(1);
    broker.close();
    await server.stop(1_000);
  });

  it('always has a deadline: its own, or the one it works under', async () => {
    const deadlines: number[] = [];
    const server = await startBroker(issuer, {
      getConnection: unary(async (_: GetConnectionRequest, rpc) => {
        deadlines.push(rpc.deadline - Date.now());
        return { connection: undefined, revision: 0n };
      }),
    });
    const broker = to(server.port);
    await broker.getConnection({ connectionId: '' }, {});
    await broker.getConnection({ connectionId: '' }, { deadline: Date.now() + 60_000 });
    await broker.getConnection({ connectionId: '' }, { deadline: Date.now() + 3_000 });
    expect(deadlines).toHaveLength(3);
    for (const own of deadlines.slice(0, 2)) expect(own).toBeGreaterThan(3_000);
    for (const own of deadlines.slice(0, 2)) expect(own).toBeLessThanOrEqual(5_000);
    expect(deadlines[2]).toBeLessThanOrEqual(2_950);
    await expect(broker.getConnection({ connectionId: '' }, { deadline: Date.now() - 1 })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    expect(deadlines).toHaveLength(3);
    broker.close();
    await server.stop(1_000);
  });

  it('hangs up when the one it works for does', async () => {
    const ending = new AbortController();
    const told = Promise.withResolvers<Error>();
    const server = await startBroker(issuer, {
      getConnection: unary((_: GetConnectionRequest, rpc) => {
        rpc.signal.addEventListener('abort', () => told.resolve(rpc.signal.reason));
        ending.abort();
        return new Promise<never>(() => undefined);
      }),
    });
    const broker = to(server.port);
    const answer = broker.getConnection({ connectionId: '' }, { signal: ending.signal });
    await expect(answer).rejects.toMatchObject({ code: status.CANCELLED });
    expect(await told.promise).toMatchObject({ name: 'Cancelled' });
    await expect(broker.getConnection({ connectionId: '' }, { signal: ending.signal })).rejects.toMatchObject({
      code: status.CANCELLED,
    });
    broker.close();
    await server.stop(1_000);
  });

  it('reads its token anew when the file changes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'privatelink-client-'));
    const file = join(directory, 'token');
    await writeFile(file, `${await issuer.token(['billing'], '')}\n`);
    const server = await startBroker(issuer, {});
    const broker = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: { file } });
    const code = () =>
      broker.getConnection({ connectionId: '' }, {}).then(
        () => 0,
        (error) => error.code,
      );
    expect(await code()).toBe(status.PERMISSION_DENIED);
    await writeFile(file, `${token}\n`);
    await expect.poll(code, { timeout: 5_000 }).toBe(0);
    broker.close();
    await server.stop(1_000);
    await rm(directory, { recursive: true });
  });

  it('takes several addresses only as IP addresses', () => {
    expect(() => connect(BrokerServiceClient, ['a:1', 'b:1'], { token: () => '' })).toThrow('must all be IP addresses');
    connect(BrokerServiceClient, ['[::1]:1', '[::2]:1'], { token: () => '' }).close();
    connect(BrokerServiceClient, ['broker:1'], { token: () => '' }).close();
  });
});
