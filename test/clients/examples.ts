import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  acceptRequest,
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
} from '../support/scenario.ts';
import type { Stage } from '../support/stage.ts';
import { CALL } from '../support/world.ts';
import { writeToken } from './write-token.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

export const examples = (stage: () => Stage): void => {
  let directory: string;
  const started: ChildProcess[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'privatelink-examples-'));
  });
  afterAll(async () => {
    for (const child of started) await end(child);
    await rm(directory, { recursive: true });
  });

  const start = (name: string, ...args: readonly string[]) => {
    const file = join(stage().dataDir, 'run.json');
    const child = spawn(process.execPath, [fileOf(name), file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  };
  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
  };

  const given = async () => {
    const { cast, log, run } = stage();
    const { provider, consumer } = await cast();
    const service = await publishService(provider, log, { users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const request = async () => (await createEndpoint(consumer, endpointRequest(service, network))).endpointId;
    const providerToken = await writeToken(run, directory, provider.account, 'provider');
    return { provider, consumer, request, providerToken, service };
  };

  it('a subscriber accepts by a rule, and goes on where it was', async () => {
    const { provider, consumer, request, providerToken } = await given();
    const resume = join(directory, 'resume.token');
    const seen = join(directory, 'seen.token');
    const ofOthers = start('accept-by-rule.ts', providerToken, seen, '3000000000000003');
    const accepted = await request();
    await expect.poll(() => existsSync(seen), { timeout: 10_000 }).toBe(true);
    await end(ofOthers.child);
    expect(await ofOthers.lines.next()).toMatchObject({ done: true });
    const first = start('accept-by-rule.ts', providerToken, resume, consumer.account);
    expect((await first.lines.next()).value).toBe(`${accepted} accepted`);
    await stage().follow(provider, accepted).reaches('CONNECTED');
    await end(first.child);
    const meanwhile = await request();
    const second = start('accept-by-rule.ts', providerToken, resume, consumer.account);
    expect((await second.lines.next()).value).toBe(`${meanwhile} accepted`);
    await end(second.child);
  });

  it('a bridge tells which bills are unpaid and which are paid', async () => {
    const { provider, consumer, request } = await given();
    const endpointId = await request();
    const followed = stage().follow(consumer, endpointId);
    await followed.reaches('DISCONNECTED');
    await provider.broker.acceptConnection(acceptRequest(endpointId), CALL);
    await followed.reaches('CONNECTED');
    const bills = join(directory, 'bills.jsonl');
    const bill = { account: consumer.account, resource_id: endpointId, invoice: '7' };
    const tell = async (lines: readonly object[]) => {
      await writeFile(bills, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      const { child } = start('billing-bridge.ts', bills);
      expect(await once(child, 'exit')).toEqual([0, null]);
    };
    await tell([{ ...bill, paid: false }]);
    await followed.reaches('DISCONNECTED');
    await tell([
      { ...bill, paid: false },
      { ...bill, paid: true },
    ]);
    await followed.reaches('CONNECTED');
  });

  it('a page shows connections live', async () => {
    const { request, providerToken, service } = await given();
    const before = await request();
    const { lines } = start('dashboard.mjs', providerToken, '0');
    const { value: url = '' } = await lines.next();
    expect(await (await fetch(url)).text()).toContain("new EventSource('/live')");
    const live = (await fetch(`${url}live`)).body?.pipeThrough(new TextDecoderStream());
    let told = '';
    const rowOf = (id: string): string =>
      `data: ${JSON.stringify({ id, gone: false, cells: [id, service.serviceId, 'DISCONNECTED'] })}\n\n`;
    let after = '';
    for await (const text of live ?? []) {
      told += text;
      if (after === '' && told.includes(rowOf(before))) after = await request();
      if (after !== '' && told.includes(rowOf(after))) break;
    }
    expect(told.indexOf(rowOf(before))).toBeLessThan(told.indexOf(rowOf(after)));
  });
};
