import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { connections as connectionTable } from '../../services/connection-broker/src/read-models/connections.ts';
import { type Ran, startPlctl } from '../support/plctl.ts';
import { createEndpoint, endpointRequest, publishService, registerNetwork } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';

const stage = useStage();

const settings = await mkdtemp(join(tmpdir(), 'plctl-'));
afterAll(() => rm(settings, { recursive: true }));
const config = join(settings, 'plctl.yaml');
const configure = (text: string): Promise<void> => writeFile(config, text);
await configure('profiles: {}\n');

const lines = (stream: Readable) => createInterface({ input: stream })[Symbol.asyncIterator]();
const plctl = (...args: readonly string[]): Promise<Ran> => startPlctl(stage().dataDir, config, args).ended;

const connected = async () => {
  const { cast, log, tables } = stage();
  const { provider, consumer } = await cast();
  const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
  const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
  const { position } = await log.records('connection', endpointId, 'ConnectionEstablished');
  // A list knows nothing of what another process has seen.
  await tables.reaches('broker', connectionTable.table, position);
  return { provider: provider.account, consumer: consumer.account, endpointId, ...service };
};

// Each call is a process of its own, which has to start first.
describe('plctl', { timeout: 240_000 }, () => {
  it('lists, gets and changes, within 80 columns', async () => {
    const { provider, endpointId, serviceId } = await connected();
    const list = await plctl('--account', provider, 'connection', 'list', '--status', 'connected');
    expect(list).toMatchObject({ stderr: '', code: 0 });
    const [heading = '', row = '', ...more] = list.stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^CONNECTION ID +STATUS/);
    expect(row).toMatch(new RegExp(`^${endpointId} +CONNECTED .*${serviceId}`));
    expect(more).toEqual([]);
    for (const line of [heading, row]) expect(line.length).toBeLessThanOrEqual(80);

    const paused = await plctl('--account', provider, 'connection', 'pause', endpointId, '--message', 'maintenance');
    expect(paused).toMatchObject({ stderr: '', code: 0 });
    expect(paused.stdout).toMatch(/^STATUS +DISCONNECTING$/m);
    const json = await plctl('--account', provider, '-o', 'json', 'connection', 'get', endpointId);
    expect(JSON.parse(json.stdout)).toMatchObject({
      connection: {
        connection_id: endpointId,
        holds: [{ reason: 'HOLD_REASON_PAUSED_BY_PROVIDER', message: 'maintenance' }],
      },
    });
    const yaml = await plctl('--account', provider, '-o', 'yaml', 'connection', 'get', endpointId);
    expect(yaml.stdout).toContain(`connection_id: ${endpointId}\n`);
  });

  it('builds requests from options: messages, enums, lists and times', async () => {
    const { cast } = stage();
    const { provider, consumer } = await cast();
    const created = await plctl(
      ...['--account', provider.account, '-o', 'json', 'endpoint-service', 'create', '--payer', 'endpoint-service'],
      ...[
        '--resource',
        '{"resource_id":"nlb-1","resource_type":"RESOURCE_TYPE_NLB","zone_id":"cn-hangzhou-h","targets":[{"ip":"127.0.0.1","port":8080}]}',
      ],
      ...['--tag', 'key=env,value=prod', '--auto-accept'],
    );
    expect(created).toMatchObject({ stderr: '', code: 0 });
    const service = JSON.parse(created.stdout).endpoint_service;
    expect(service).toMatchObject({
      auto_accept: true,
      payer: 'PAYER_ENDPOINT_SERVICE',
      tags: [{ key: 'env', value: 'prod' }],
    });
    expect(service.resources).toMatchObject([{ resource_id: 'nlb-1', targets: [{ port: 8080 }] }]);
    const user = ['service-user', 'add', service.service_id, '--account-id', consumer.account, '--approval-ttl', '60'];
    expect(await plctl('--account', provider.account, ...user)).toMatchObject({ stderr: '', code: 0 });
    const users = await plctl('--account', provider.account, 'service-user', 'list', service.service_id);
    expect(users.stdout).toMatch(new RegExp(`^${consumer.account} +60s`, 'm'));
  });

  it('tells errors in a line, with the reason and what to do, and ends with the gRPC code', async () => {
    const { provider } = await connected();
    const absent = await plctl('--account', provider, 'connection', 'get', `ep-${'0'.repeat(20)}`);
    expect(absent).toEqual({
      stdout: '',
      code: 5,
      stderr: expect.stringMatching(/^plctl: NOT_FOUND CONNECTION_NOT_FOUND: .+\n$/),
    });
    const wrong = await plctl('--account', provider, 'connection', 'pause', 'x');
    expect(wrong).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^plctl: INVALID_ARGUMENT: --connection-id must be/),
    });
    const denied = await plctl('--role', 'billing', 'endpoint-service', 'list');
    expect(denied).toMatchObject({ code: 7, stderr: expect.stringContaining('say another --role') });
    for (const args of [
      ['connection', 'list', '--status', 'perhaps'],
      ['--timeout', 'soon', 'vpc', 'list'],
      ['connexion'],
      ['token', 'create'],
      ['--profile', 'none', 'vpc', 'list'],
    ]) {
      const { code, stderr } = await plctl(...args);
      expect([args, code]).toEqual([args, 64]);
      expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    }
  });

  it('follows a list until it is stopped, and adds what is new', async () => {
    const { consumer } = await stage().cast();
    const { child, ended } = startPlctl(stage().dataDir, config, [
      '--account',
      consumer.account,
      'vpc',
      'list',
      '--watch',
    ]);
    const seen = lines(child.stdout);
    expect((await seen.next()).value).toBe('(none)');
    const { vpcId } = await registerNetwork(consumer);
    expect((await seen.next()).value).toMatch(/^VPC ID +/);
    expect((await seen.next()).value).toMatch(new RegExp(`^${vpcId} `));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ stderr: '', code: 0 });
  });

  it('shows what a dry run would do', async () => {
    const { provider, consumer, serviceId, endpointId } = await connected();
    const remove = [
      'service-user',
      'remove',
      serviceId,
      '--account-id',
      consumer,
      '--reconcile',
      'disconnect',
      '--dry-run',
    ];
    const { stdout, code } = await plctl('--account', provider, ...remove);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Nothing was changed\. It would record, in this order:\n\+ endpointService \S+ +ServiceUserRemoved$/m,
    );
    expect(stdout).toMatch(new RegExp(`^\\+ connection ${endpointId} +\\w+ +CONNECTED -> DISCONNECTING$`, 'm'));
    expect(stdout).toContain(`touches 1 connections: ${endpointId}`);
    const again = /^To do just this: without --dry-run, with (--request-id) (\S+)$/m.exec(stdout);
    const done = await plctl('--account', provider, ...remove.slice(0, -1), ...(again?.slice(1) ?? []), '-o', 'json');
    expect(JSON.parse(done.stdout)).toMatchObject({ endpoint_ids: [endpointId] });
  });

  it('tells the story of a connection, and what an operator asks for', async () => {
    const { consumer, endpointId } = await connected();
    const { stdout, code } = await plctl('--account', consumer, 'timeline', endpointId);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d #0 +ConnectionRequested -> CONNECTING by /);
    expect(lines.some((line) => /ConnectionEstablished -> CONNECTED/.test(line))).toBe(true);

    expect(await plctl('--account', consumer, 'explain', endpointId)).toMatchObject({
      ...{ code: 0, stdout: 'Nothing stands in the way.\n' },
    });
    const { service_id } = JSON.parse((await plctl('-o', 'json', 'connection', 'get', endpointId)).stdout).connection;
    const stranger = await plctl('explain', '9000000000000009', service_id);
    expect(stranger.stdout).toMatch(/^Not reached:\n {2}NOT_WHITELISTED {2}9000000000000009\n {4}The provider puts /);
    expect((await plctl('explain', endpointId, service_id)).code).toBe(64);
    const shown = await plctl('read-model', 'rebuild', 'connections', '--service', 'broker');
    expect(shown.stdout).toMatch(/^report position \d+, row count \d+, difference count 0/m);
    const rebuilt = await plctl('-o', 'json', 'read-model', 'rebuild', 'connections', '--service', 'broker');
    const last = rebuilt.stdout.trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ report: { difference_count: '0' } });
    const token = await plctl('--account', consumer, '--role', 'consumer', 'token', 'create');
    const listed = await plctl('--token', token.stdout.trim(), 'vpc', 'list');
    expect(listed).toMatchObject({ stderr: '', code: 0, stdout: expect.stringMatching(/^VPC ID/) });
  });

  it('tells what happens as it happens, what one request caused, and lets an account listen on NATS', async () => {
    const { consumer, endpointId } = await connected();
    const { child } = startPlctl(stage().dataDir, config, [
      ...['--account', consumer, '-o', 'json', 'events', 'follow', '--from', 'start'],
      ...['--filter', `resource_id = ${endpointId}`],
    ]);
    type Told = Readonly<{ type: string; source_stream: string; position: string; correlation_id: string }>;
    const told: Told[] = [];
    const heard = lines(child.stdout);
    while (told.at(-1)?.type !== 'ConnectionEstablished')
      told.push(JSON.parse((await heard.next()).value ?? '') as Told);
    child.kill();
    expect(new Set(told.map(({ source_stream }) => source_stream))).toEqual(
      new Set([`endpoint-${endpointId}`, `connection-${endpointId}`, `nameSet-${endpointId}`]),
    );
    const positions = told.map(({ position }) => BigInt(position));
    expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : 1)));

    const { correlation_id: correlationId = '' } = told[0] ?? {};
    const trace = () => plctl('trace', correlationId);
    await expect.poll(trace, { timeout: 20_000 }).toMatchObject({
      stdout: expect.stringMatching(/ConnectionRequested .* EndpointCreated$[\s\S]* dns +endpoint-names /m),
    });
    const { stdout, code } = await trace();
    expect(code).toBe(0);
    const [heading = '', ...rows] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^TIME +SERVICE +RESOURCE +FACT +ACTOR +CAUSE$/);
    expect(rows[0]).toMatch(/ consumer +endpoint ep-\S+ +EndpointCreated -> CREATING +user:consumer /);
    expect(rows.filter((line) => /ConnectionRequested .* EndpointCreated$/.test(line))).toHaveLength(1);
    expect(await plctl('trace', 'nothing')).toMatchObject({ stdout: '(none)\n', code: 0 });
    expect(await plctl('trace', '"')).toMatchObject({ code: 64 });
    expect(await plctl('events', 'follow', '--from', 'yesterday')).toMatchObject({ code: 64 });

    const user = await plctl('--account', consumer, '-o', 'json', 'nats-user', 'create');
    expect(JSON.parse(user.stdout)).toMatchObject({ subjects: `privatelink.v1.${consumer}.>` });
    expect(await plctl('nats-user', 'create')).toMatchObject({ code: 64 });
  });

  it('acts for the account of a profile, and takes no profile for another', async () => {
    const { consumer, provider, endpointId } = await connected();
    await configure(
      `current: mine\nprofiles:\n  mine: { account: "${consumer}" }\n  away: { addresses: { broker: "127.0.0.1:1" } }\n`,
    );
    try {
      const mine = await plctl('connection', 'list', '-o', 'json');
      const { connections } = JSON.parse(mine.stdout) as { connections: { endpoint_account_id: string }[] };
      expect(new Set(connections.map((connection) => connection.endpoint_account_id))).toEqual(new Set([consumer]));
      const theirs = await plctl('--account', provider, 'connection', 'get', endpointId);
      expect(theirs).toMatchObject({ code: 0, stdout: expect.stringContaining('.privatelink.internal\n') });
      const away = await plctl('--profile', 'away', 'connection', 'list');
      expect(away).toMatchObject({ code: 64, stderr: expect.stringContaining('needs a token') });
      await configure('profiles: [');
      expect(await plctl('vpc', 'list')).toMatchObject({ code: 64, stderr: expect.stringContaining('is no YAML') });
    } finally {
      await configure('profiles: {}\n');
    }
    const none = await plctl('--config', join(settings, 'absent.yaml'), 'vpc', 'list');
    expect(none).toMatchObject({ code: 64, stderr: expect.stringContaining('there is no') });
  });

  it('says which part does not answer', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.on('listening', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const dataDir = join(settings, 'data');
    const run = JSON.parse(await readFile(join(stage().dataDir, 'run.json'), 'utf8')) as { nats: { url: string } };
    await cp(join(stage().dataDir, 'run.json'), join(dataDir, 'run.json'));
    await writeFile(join(dataDir, 'run.json'), JSON.stringify({ ...run, nats: { url: `nats://127.0.0.1:${port}` } }));
    const { stdout, stderr, code } = await plctl('--data-dir', dataDir, 'doctor');
    expect(stdout).toMatch(/^NATS +does not answer: /m);
    expect(stdout).toMatch(/^PostgreSQL +ok$/m);
    expect(stderr).toMatch(/^plctl: 1 of \d+ parts do not answer$/m);
    expect(code).toBe(70);
  });

  it('checks every part of the system', async () => {
    const { stdout, code } = await plctl('doctor');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^event store +ok$/m);
    expect(stdout).toMatch(/^broker at 127\.0\.0\.1:\d+ +ok$/m);
    expect(stdout).toMatch(/^DNS at 127\.0\.0\.1:\d+ +ok$/m);
    expect(stdout).toContain('Traffic is not forwarded');
  });

  it('helps without a manual, and without a system', async () => {
    const { stdout, code } = await plctl('--help');
    expect(code).toBe(0);
    for (const noun of ['endpoint-service', 'connection', 'reachability', 'token', 'timeline', 'explain', 'doctor']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${noun}\\b`, 'm'));
    }
    const accept = await plctl('connection', 'accept', '--help');
    expect(accept.stdout).toContain('--expire-time <time>');
    for (const line of [...stdout.split('\n'), ...accept.stdout.split('\n')])
      expect(line.length).toBeLessThanOrEqual(80);
  });
});
