import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { typeOf } from '../support/event-log.ts';
import { type Failpoints, openFailpoints } from '../support/failpoint-files.ts';
import { startPlctl } from '../support/plctl.ts';
import { newAccount } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';

/** What a consumer cannot handle: it stops nobody, operators see it, and it takes effect once when it is mended. */

const CONSUMER = 'broker__billing_reports';
const HANDLING = `${CONSUMER}:before-handling`;
const REMOVAL = 'dead-letter:before-removal';
const PATIENCE = { timeout: 20_000, interval: 100 };

let failpoints: Failpoints;
let nats: NatsConnection;
let settings = '';
const stage = useStage(async () => {
  failpoints = await openFailpoints({ refuse: [HANDLING], killOnce: [REMOVAL] });
  return { env: failpoints.env };
});

beforeAll(async () => {
  const { run } = stage();
  const { user, password, inboxPrefix } = run.nats.billing ?? expect.fail('billing has no user');
  nats = await connect({ servers: new URL(run.nats.url).host, user, pass: password, inboxPrefix });
  settings = await mkdtemp(join(tmpdir(), 'plctl-'));
  await writeFile(join(settings, 'plctl.yaml'), 'profiles: {}\n');
});
afterAll(async () => {
  await nats?.close();
  await failpoints?.close();
  await rm(settings, { recursive: true, force: true });
});

type Letter = Readonly<{
  dead_letter_id: string;
  subject: string;
  reason: string;
  delivery_count: number;
  text?: string;
  raw?: string;
}>;

const plctl = (...args: readonly string[]) =>
  startPlctl(stage().dataDir, join(settings, 'plctl.yaml'), ['-o', 'json', 'dead-letter', ...args]).ended;
const listed = async (): Promise<readonly Letter[]> => {
  const { stdout, stderr, code } = await plctl('list');
  expect([stderr, code]).toEqual(['', 0]);
  return JSON.parse(stdout).dead_letters;
};
const parked = (count: number): Promise<readonly Letter[]> =>
  expect.poll(listed, PATIENCE).toHaveLength(count).then(listed);
const gauge = async (): Promise<string | undefined> => {
  const { address } = stage().run.metrics.find(({ name }) => name === 'broker-1') ?? expect.fail('no metrics');
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return new RegExp(`^privatelink_dead_letters\\{consumer="${CONSUMER}"\\} (\\d+)$`, 'm').exec(text)?.[1];
};
const report = (account: string, body: string | Uint8Array) => nats.request(`billing.v1.${account}.overdue`, body);
const overdue = (account: string) => report(account, JSON.stringify({ source: 'erp', sequence: 1 }));
const factsOf = (account: string) => stage().log.of('facts', account).map(typeOf);

it('is set aside, replayed when it can be handled, and discarded when it cannot', async () => {
  const { log } = stage();
  const [garbled, refused, well, after] = [newAccount(), newAccount(), newAccount(), newAccount()];
  expect(await gauge()).toBe('0');
  await report(garbled, new Uint8Array([0xff, 0xfe, 0x00]));
  await overdue(well);
  await log.records('facts', well, 'PaymentOverdueReported');
  const mend = failpoints.refuse(HANDLING);
  await overdue(refused);
  const [garbage, poison] = await parked(2);
  mend();
  await overdue(after);
  await log.records('facts', after, 'PaymentOverdueReported');
  expect(garbage).toMatchObject({ subject: `billing.v1.${garbled}.overdue`, delivery_count: 1, raw: '//4A' });
  expect(garbage?.reason).toContain('carries no report');
  expect(poison).toMatchObject({ reason: expect.stringContaining('FAILPOINT'), delivery_count: 1 });
  expect(JSON.parse(poison?.text ?? '')).toEqual({ source: 'erp', sequence: 1 });
  expect(await gauge()).toBe('2');

  const again = await plctl('replay', garbage?.dead_letter_id ?? '');
  expect(again).toMatchObject({ code: 9, stderr: expect.stringContaining('REPLAY_FAILED') });
  expect(await listed()).toMatchObject([{ text: poison?.text }, { raw: '//4A', delivery_count: 2 }]);

  failpoints.killOnce(REMOVAL);
  expect(factsOf(refused)).toEqual([]);
  expect(await plctl('replay', poison?.dead_letter_id ?? '')).toMatchObject({ code: 14 });
  await log.records('facts', refused, 'PaymentOverdueReported');
  await expect.poll(() => plctl('replay', poison?.dead_letter_id ?? ''), PATIENCE).toMatchObject({ code: 0 });
  expect(factsOf(refused)).toEqual(['PaymentOverdueReported']);

  expect(await plctl('discard', garbage?.dead_letter_id ?? '')).toMatchObject({ code: 3 });
  const discarded = await plctl('discard', garbage?.dead_letter_id ?? '', '--message', 'noise on the line');
  expect(discarded).toMatchObject({ stderr: '', code: 0 });
  expect(await listed()).toEqual([]);
  await expect.poll(gauge).toBe('0');
  expect(await plctl('discard', garbage?.dead_letter_id ?? '', '--message', 'x')).toMatchObject({ code: 5 });
}, 180_000);
