import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ran, startPlctl } from '../../support/plctl.ts';
import { newAccount } from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';

/** What `diff` ends with when there is something to do. */
export const DIFFERENT = 20;

export type Tool = Awaited<ReturnType<typeof openTool>>;

/** plctl with files of its own. */
export const openTool = async (stage: () => Stage) => {
  const directory = await mkdtemp(join(tmpdir(), 'plctl-apply-'));
  const config = join(directory, 'plctl.yaml');
  const configure = (text: string): Promise<void> => writeFile(config, text);
  await configure('profiles: {}\n');
  const start = (...args: readonly string[]) => startPlctl(stage().dataDir, config, args);
  const keep = async (name: string, text: string): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, text);
    return file;
  };
  return {
    ...{ configure, start, keep },
    plctl: (...args: readonly string[]): Promise<Ran> => start(...args).ended,
    /** A file of a set of two accounts that nobody used before. */
    files: () => {
      const accounts = { shop: newAccount(), web: newAccount() };
      const set = `set-${accounts.shop}`;
      const header = `set: ${set}\naccounts: { shop: "${accounts.shop}", web: "${accounts.web}" }\n`;
      return {
        accounts,
        write: (...documents: readonly string[]): Promise<string> =>
          keep(`${set}.yaml`, [header, ...documents.map((document) => `${document.trim()}\n`)].join('---\n')),
      };
    },
    close: () => rm(directory, { recursive: true }),
  };
};

export const service = (more = '') => `
kind: EndpointService
account: shop
name: orders
resources:
  - { resource_id: nlb-h, resource_type: NLB, zone_id: cn-hangzhou-h, targets: [{ ip: 127.0.0.1, port: 8080 }] }
  - { resource_id: nlb-i, resource_type: NLB, zone_id: cn-hangzhou-i, targets: [{ ip: 127.0.0.1, port: 8080 }] }
users: [{ account_id: web, max_connections: 5 }]
${more}`;
export const vpc = `
kind: Vpc
account: web
name: net
ipv4_cidr: 10.0.0.0/16
ipv6_cidr: 2001:0db8:0000::/56`;
export const vswitch = (zone: string, at: number) => `
kind: VSwitch
account: web
name: net-${zone}
vpc_id: ref:net
zone_id: cn-hangzhou-${zone}
ipv4_cidr: 10.0.${at}.0/24`;
export const group = `
kind: SecurityGroup
account: web
name: group
vpc_id: ref:net
rules: [{ protocol: tcp, from_port: 8080, to_port: 8080, source_cidr: 10.0.0.0/16 }]`;
export const endpoint = (zones = '[{ vswitch_id: ref:net-h }]', more = '') => `
kind: Endpoint
account: web
name: to-orders
service: ref:orders
vpc_id: ref:net
zones: ${zones}
security_group_ids: [ref:group]
${more}`;
export const acceptance = (decision = 'ACCEPTED') => `
kind: Acceptance
account: shop
name: accept
connection_id: ref:to-orders
decision: ${decision}`;

export const whole = [endpoint(), acceptance(), group, vswitch('h', 1), vpc, service()];
