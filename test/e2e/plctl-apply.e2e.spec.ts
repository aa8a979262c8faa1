import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Ran, startPlctl } from '../support/plctl.ts';
import { newAccount } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/two-accounts.yaml', import.meta.url));
const DIFFERENT = 20;
const stage = useStage();

const directory = await mkdtemp(join(tmpdir(), 'plctl-apply-'));
afterAll(() => rm(directory, { recursive: true }));
const config = join(directory, 'plctl.yaml');
await writeFile(config, 'profiles: {}\n');

const start = (...args: readonly string[]) => startPlctl(stage().dataDir, config, args);
const plctl = (...args: readonly string[]): Promise<Ran> => start(...args).ended;

/** A file of a set of two accounts that nobody used before. */
const files = () => {
  const accounts = { shop: newAccount(), web: newAccount() };
  const set = `set-${accounts.shop}`;
  const header = `set: ${set}\naccounts: { shop: "${accounts.shop}", web: "${accounts.web}" }\n`;
  return {
    accounts,
    write: async (...documents: readonly string[]): Promise<string> => {
      const file = join(directory, `${set}.yaml`);
      await writeFile(file, [header, ...documents.map((document) => `${document.trim()}\n`)].join('---\n'));
      return file;
    },
  };
};

const service = (more = '') => `
kind: EndpointService
account: shop
name: orders
resources:
  - { resource_id: nlb-h, resource_type: NLB, zone_id: cn-hangzhou-h, targets: [{ ip: 127.0.0.1, port: 8080 }] }
  - { resource_id: nlb-i, resource_type: NLB, zone_id: cn-hangzhou-i, targets: [{ ip: 127.0.0.1, port: 8080 }] }
users: [{ account_id: web, max_connections: 5 }]
${more}`;
const vpc = `
kind: Vpc
account: web
name: net
ipv4_cidr: 10.0.0.0/16
ipv6_cidr: 2001:0db8:0000::/56`;
const vswitch = (zone: string, at: number) => `
kind: VSwitch
account: web
name: net-${zone}
vpc_id: ref:net
zone_id: cn-hangzhou-${zone}
ipv4_cidr: 10.0.${at}.0/24`;
const group = `
kind: SecurityGroup
account: web
name: group
vpc_id: ref:net
rules: [{ protocol: tcp, from_port: 8080, to_port: 8080, source_cidr: 10.0.0.0/16 }]`;
const endpoint = (zones = '[{ vswitch_id: ref:net-h }]', more = '') => `
kind: Endpoint
account: web
name: to-orders
service: ref:orders
vpc_id: ref:net
zones: ${zones}
security_group_ids: [ref:group]
${more}`;
const acceptance = (decision = 'ACCEPTED') => `
kind: Acceptance
account: shop
name: accept
connection_id: ref:to-orders
decision: ${decision}`;

const whole = [endpoint(), acceptance(), group, vswitch('h', 1), vpc, service()];

describe('plctl apply', { timeout: 240_000 }, () => {
  it('connects the two accounts of the example, and the second time changes nothing', async () => {
    const first = await plctl('apply', '--yes', '-f', EXAMPLE);
    expect(first).toMatchObject({ stderr: '', code: 0 });
    expect(first.stdout).toMatch(/^7 to create, 0 to change, 0 to delete, 0 as declared\.$/m);
    expect(first.stdout).toMatch(/^ {2}Endpoint to-orders CONNECTED$/m);
    expect(await plctl('diff', '-f', EXAMPLE)).toEqual({
      ...{ stdout: 'No change: all 7 are as declared.\n', stderr: '', code: 0 },
    });
    const second = await plctl('apply', '-f', EXAMPLE);
    expect(second).toEqual({ stdout: 'No change: all 7 are as declared.\n', stderr: '', code: 0 });
  });

  it('changes what differs, and shows it and what it touches before', async () => {
    const { write } = files();
    expect(await plctl('apply', '--yes', '-f', await write(...whole))).toMatchObject({ stderr: '', code: 0 });
    const file = await write(
      ...[vpc, vswitch('h', 1), vswitch('i', 2), group],
      service('auto_accept: true\ndescription: orders\ntags: { team: shop }').replace(
        'max_connections: 5',
        'auto_accept: true',
      ),
      endpoint('[{ vswitch_id: ref:net-h }, { vswitch_id: ref:net-i }]', 'description: to the shop\nprotected: true'),
      acceptance('REJECTED'),
    );
    const diff = await plctl('diff', '-f', file);
    expect(diff).toMatchObject({ stderr: '', code: DIFFERENT });
    expect(diff.stdout).toMatch(/^~ EndpointService orders of shop \(epsrv-\w+\)$/m);
    expect(diff.stdout).toMatch(/^ {4}auto_accept: false -> true$/m);
    expect(diff.stdout).toMatch(/^ {4}\+ zones\[ref:net-i\]: /m);
    expect(diff.stdout).toMatch(
      /^~ Acceptance accept of shop .*\n {4}decision: ACCEPTED -> REJECTED\n {4}touches 1 connections: ep-/m,
    );
    const refused = await plctl('apply', '-f', file);
    expect(refused).toMatchObject({ code: 64, stderr: expect.stringContaining('--yes is needed') });
    expect((await plctl('diff', '-f', file)).stdout).toBe(diff.stdout);
    const applied = await plctl('apply', '--yes', '-f', file);
    expect(applied).toMatchObject({ stderr: '', code: 0 });
    expect(applied.stdout).toMatch(/^ {2}Endpoint to-orders DISCONNECTED \(REJECTED\)$/m);
    expect(await plctl('diff', '-f', file)).toMatchObject({ code: 0, stdout: 'No change: all 7 are as declared.\n' });
    const json = await plctl('diff', '-o', 'json', '-f', await write(...whole));
    expect(JSON.parse(json.stdout)).toMatchObject({
      steps: [{ kind: 'EndpointService' }, { kind: 'Endpoint' }, { kind: 'Acceptance' }].map((step) =>
        expect.objectContaining({ ...step, action: 'update' }),
      ),
      undeclared: [{ kind: 'VSwitch' }],
    });
  });

  it('refuses a change that cannot be made, by field, and does nothing', async () => {
    const { write } = files();
    expect(await plctl('apply', '--yes', '-f', await write(vpc))).toMatchObject({ code: 0 });
    const file = await write(vpc.replace('10.0.0.0/16', '10.1.0.0/16'), service());
    const refused = await plctl('apply', '--yes', '-f', file);
    expect(refused).toMatchObject({ stdout: '', code: 65 });
    expect(refused.stderr).toMatch(/^plctl: Vpc net: ipv4_cidr cannot be changed: it is "10\.0\.0\.0\/16"/);
    expect((await plctl('diff', '-f', await write(vpc, service()))).stdout).toMatch(/^1 to create/m);
  });

  it('takes away what is declared no more when it is told to, and makes it again', async () => {
    const { write } = files();
    const all = await write(...whole);
    expect(await plctl('apply', '--yes', '-f', all)).toMatchObject({ stderr: '', code: 0 });
    const file = await write(service(), vpc);
    const kept = await plctl('apply', '-f', file);
    expect(kept).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Not declared any more, kept without --prune/),
    });
    const pruned = await plctl('apply', '--prune', '--yes', '-f', file);
    expect(pruned).toMatchObject({ stderr: '', code: 0 });
    expect(pruned.stdout).toMatch(/^0 to create, 0 to change, 3 to delete, 2 as declared\.$/m);
    expect(await plctl('diff', '--prune', '-f', file)).toMatchObject({ code: 0 });
    const again = await plctl('apply', '--yes', '-f', await write(...whole));
    expect(again).toMatchObject({
      stderr: '',
      code: 0,
      stdout: expect.stringContaining('Endpoint to-orders CONNECTED'),
    });
    expect(await plctl('apply', '--prune', '--yes', '-f', await write())).toMatchObject({ stderr: '', code: 0 });
  });

  it('killed at any point is finished by the next one, and makes nothing twice', async () => {
    const { write, accounts } = files();
    const file = await write(...whole);
    for (const line of [/^\+ Vpc net vpc-/m, /^\+ EndpointService orders epsrv-/m, /^\+ Endpoint to-orders ep-/m]) {
      const { child, ended } = start('apply', '--yes', '-f', file);
      let seen = '';
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
        if (line.test(seen)) child.kill('SIGKILL');
      });
      await ended;
    }
    expect(await plctl('apply', '--yes', '-f', file)).toMatchObject({ stderr: '', code: 0 });
    expect(await plctl('diff', '-f', file)).toMatchObject({ code: 0 });
    for (const [noun, account] of [
      ['endpoint-service', accounts.shop],
      ['vpc', accounts.web],
      ['endpoint', accounts.web],
    ] as const) {
      const { stdout } = await plctl('--account', account, '-o', 'json', noun, 'list');
      const [rows] = Object.values(JSON.parse(stdout) as Record<string, unknown>);
      expect(rows).toHaveLength(1);
    }
  });

  it('of what was exported changes nothing', async () => {
    const { write, accounts } = files();
    expect(await plctl('apply', '--yes', '-f', await write(...whole))).toMatchObject({ stderr: '', code: 0 });
    for (const account of Object.values(accounts)) {
      const { stdout, code } = await plctl('--account', account, 'export');
      expect(code).toBe(0);
      const file = join(directory, `export-${account}.yaml`);
      await writeFile(file, stdout);
      expect(await plctl('diff', '--prune', '-f', file)).toMatchObject({
        ...{ stderr: '', code: 0, stdout: expect.stringMatching(/^No change: all \d+ are as declared\.\n$/) },
      });
    }
  });

  it('says what is wrong in a file, and where', async () => {
    const { write } = files();
    const file = await write(
      vpc.replace('ipv4_cidr', 'ipv4_range'),
      service().replace('account: shop', 'account: nobody'),
    );
    const bad = await plctl('apply', '--yes', '-f', file);
    expect(bad).toMatchObject({ stdout: '', code: 65 });
    expect(bad.stderr).toContain(`${file}:4 (document 2): it has no ipv4_range: it has kind, name, account`);
    expect(bad.stderr).toContain(`${file}:11 (document 3): account must be one of 16 digits, shop, web`);
    const wrong = await plctl('diff', '-f', await write(vpc.replace('10.0.0.0/16', '10.0.0.1/16')));
    expect(wrong.stdout).toMatch(/^ {4}would be refused now: INVALID_ARGUMENT/m);
    const failed = await plctl('apply', '--yes', '-f', await write(vpc.replace('10.0.0.0/16', '10.0.0.1/16')));
    expect(failed).toMatchObject({ code: 3, stderr: expect.stringMatching(/^plctl: Vpc net: INVALID_ARGUMENT/) });
  });
});
