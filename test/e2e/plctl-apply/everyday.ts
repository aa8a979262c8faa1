import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { acceptance, DIFFERENT, endpoint, group, service, type Tool, vpc, vswitch, whole } from './files.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/two-accounts.yaml', import.meta.url));

export const everyday = (tool: () => Tool): void => {
  const plctl = (...args: readonly string[]) => tool().plctl(...args);
  const files = () => tool().files();

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
      const { child, ended } = tool().start('apply', '--yes', '-f', file);
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
};
