import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { acceptance, DIFFERENT, endpoint, group, service, type Tool, vpc, vswitch, whole } from './files.ts';

const NO_CHANGE = /^No change: all \d+ are as declared\.\n$/;

const gateway = `
kind: EndpointService
account: shop
name: firewall
service_type: GATEWAY_LOAD_BALANCER
auto_accept: true
resources:
  - { resource_id: gwlb-h, resource_type: GWLB, zone_id: cn-hangzhou-h, targets: [{ ip: 127.0.0.1, port: 6081 }] }
users: [{ account_id: "*" }]`;
const toGateway = `
kind: Endpoint
account: web
name: to-firewall
endpoint_type: GATEWAY_LOAD_BALANCER
service: ref:firewall
vpc_id: ref:net
zones: [{ vswitch_id: ref:net-h }]`;
const routes = (...destinations: readonly string[]) => `
kind: RouteTable
account: web
name: table
vpc_id: ref:net
routes: [${destinations.map((to) => `{ destination_cidr: ${to}, next_hop: ref:to-firewall }`).join(', ')}]`;
const abroad = `
kind: Vpc
account: web
name: abroad
region_id: cn-shanghai
ipv4_cidr: 10.9.0.0/16
tags: { team: web }`;
const many =
  'custom_domains: [orders.example.org, "*.Orders.example.org."]\nsupported_regions: [cn-shanghai]\ntags: { team: shop }';

export const kinds = (tool: () => Tool): void => {
  const plctl = (...args: readonly string[]) => tool().plctl(...args);
  /** What is declared is there, and so is what was exported of it. */
  const isThere = async (file: string, accounts: Readonly<Record<string, string>>): Promise<void> => {
    expect(await plctl('diff', '--prune', '-f', file)).toMatchObject({
      stderr: '',
      stdout: expect.stringMatching(NO_CHANGE),
    });
    for (const account of Object.values(accounts)) {
      const { stdout } = await plctl('--account', account, 'export');
      const exported = await tool().keep(`export-${account}.yaml`, stdout);
      expect((await plctl('diff', '-f', exported)).stdout).toMatch(NO_CHANGE);
    }
  };

  it('of every kind is there as it is declared, also as it is exported, and is changed and taken away', async () => {
    const { write, accounts } = tool().files();
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const terms = `zone_ids: [cn-hangzhou-h]\nexpire_time: ${until}\nbandwidth: { limit_mbps: 200 }`;
    const networks = [vpc, vswitch('h', 1), vswitch('i', 2), group, abroad];
    const zones = '[{ vswitch_id: ref:net-h }, { vswitch_id: ref:net-i }]';
    const file = await write(
      ...[...networks, gateway, toGateway, routes('0.0.0.0/0', '192.168.0.0/16'), service(many)],
      ...[endpoint(zones), `${acceptance()}\n${terms}`],
    );
    const applied = await plctl('apply', '--yes', '-f', file);
    expect(applied).toMatchObject({ stderr: '', code: 0 });
    expect(applied.stdout).toMatch(/^ {2}Endpoint to-firewall CONNECTED$/m);
    await isThere(file, accounts);

    const other = await write(
      ...[...networks, gateway, toGateway, routes('0.0.0.0/0')],
      ...[service('custom_domains: []\nsupported_regions: []\ntags: {}'), endpoint(zones), acceptance()],
    );
    const changed = await plctl('apply', '--yes', '-f', other);
    expect(changed).toMatchObject({ stderr: '', code: 0 });
    expect(changed.stdout).toMatch(/^0 to create, 2 to change, 0 to delete, 9 as declared\.$/m);
    expect((await plctl('diff', '-f', other)).stdout).toMatch(NO_CHANGE);

    const nothing = await plctl('apply', '--prune', '--yes', '-f', await write());
    expect(nothing).toMatchObject({ stderr: '', code: 0, stdout: expect.stringContaining('10 to delete') });
    for (const account of Object.values(accounts)) {
      const { stdout } = await plctl('--account', account, 'export');
      expect(stdout).toBe(`set: export-${account}\naccount: "${account}"\n`);
    }
  });

  it('and somebody deleted by hand is made again', async () => {
    const { write, accounts } = tool().files();
    const file = await write(...whole);
    expect(await plctl('apply', '--yes', '-f', file)).toMatchObject({ stderr: '', code: 0 });
    for (let time = 0; time < 2; time++) {
      const { stdout } = await plctl('--account', accounts.web, '-o', 'json', 'endpoint', 'list');
      const [found] = (JSON.parse(stdout) as { endpoints: readonly { endpoint_id: string }[] }).endpoints;
      expect(await plctl('--account', accounts.web, 'endpoint', 'delete', found?.endpoint_id ?? '')).toMatchObject({
        code: 0,
      });
      const again = await plctl('apply', '--yes', '-f', file);
      expect(again).toMatchObject({ stderr: '', code: 0 });
      expect(again.stdout).toMatch(/^ {2}Endpoint to-orders CONNECTED$/m);
      expect(again.stdout).not.toContain(found?.endpoint_id);
    }
  });

  it('is of accounts by profile, too', async () => {
    const { accounts } = tool().files();
    const { web } = accounts;
    await tool().configure(`profiles:\n  web: { account: "${web}" }\n`);
    const header = `set: profiles\naccount: mine\naccounts: { mine: { profile: web } }\n`;
    const file = await tool().keep('profiles.yaml', `${header}---\n${vpc.replace('account: web\n', '').trim()}\n`);
    expect(await plctl('apply', '--yes', '-f', file)).toMatchObject({ stderr: '', code: 0 });
    expect(await plctl('--profile', 'web', 'vpc', 'list')).toMatchObject({ stdout: expect.stringMatching(/\nvpc-/) });
    await tool().configure('profiles: {}\n');
    const gone = await plctl('diff', '-f', file);
    expect(gone).toMatchObject({ code: 64, stderr: expect.stringContaining('has no profile web') });
  });

  it.skipIf(process.platform !== 'linux')('is asked about on a terminal', async () => {
    const { write } = tool().files();
    const file = await write(vpc);
    const { spawnargs } = tool().start('diff', '-f', file).child;
    const command = spawnargs
      .map((arg) => `'${arg}'`)
      .join(' ')
      .replace("'diff'", "'apply'");
    const answered = async (answer: string): Promise<string> => {
      const terminal = spawn('script', ['-qec', `stty cols 80; ${command}`, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      terminal.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('[y/N]')) terminal.stdin.write(`${answer}\r`);
      });
      return text(terminal.stdout);
    };
    expect(await answered('n')).toContain('Nothing was changed.');
    expect(await plctl('diff', '-f', file)).toMatchObject({ code: DIFFERENT });
    expect(await answered('y')).toMatch(/\+ Vpc net vpc-/);
    expect(await plctl('diff', '-f', file)).toMatchObject({ code: 0 });
  });
};
