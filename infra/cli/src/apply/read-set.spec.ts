import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { BadFile } from './failures.ts';
import { readSet } from './read-set.ts';

const directory = mkdtempSync(join(tmpdir(), 'plctl-set-'));
afterAll(() => rmSync(directory, { recursive: true }));

const SHOP = '1000000000000001';
const HEADER = `set: s\naccount: shop\naccounts: { shop: "${SHOP}", web: { profile: web } }\n---\n`;

const written = (name: string, text: string): string => {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
};

const read = (text: string) => readSet([written('set.yaml', text)], '');

/** Problems without the directory. */
const problems = (text: string): readonly string[] => {
  try {
    read(text);
  } catch (error) {
    if (error instanceof BadFile) return error.message.replaceAll(`${directory}/`, '').split('\n');
    throw error;
  }
  return [];
};

describe('a file', () => {
  it('of the examples is read', () => {
    const example = fileURLToPath(new URL('../../../../examples/two-accounts.yaml', import.meta.url));
    const { set, accounts, declared } = readSet([example], '');
    expect(set).toBe('two-accounts');
    expect(accounts.toSorted()).toEqual(['shop', 'web']);
    expect(declared.map(({ name }) => name)).toContain('to-orders');
  });

  it('fills in whose a thing is, and what is usual of a rule', () => {
    const { declared, accountOf } = read(
      `${HEADER}kind: SecurityGroup\nname: g\nvpc_id: vpc-1\nrules: [{ source_cidr: 10.0.0.0/8 }]\n`,
    );
    const rule = { policy: 'ALLOW', protocol: 'all', from_port: 0, to_port: 65_535, priority: 1 };
    const fields = { vpc_id: 'vpc-1', rules: [{ ...rule, source_cidr: '10.0.0.0/8' }] };
    expect(declared).toEqual([{ kind: 'SecurityGroup', name: 'g', account: 'shop', id: '', fields }]);
    expect(accountOf.get('web')).toEqual({ profile: 'web' });
  });

  it('names accounts of users as it names its own', () => {
    const { declared } = read(
      `${HEADER}kind: EndpointService\nname: a\nusers: [{ account_id: shop }, { account_id: "*" }]\n`,
    );
    expect(declared[0]?.fields).toEqual({ users: [{ account_id: SHOP }, { account_id: '*' }] });
  });

  it('may be several, of one set', () => {
    const one = written('one.yaml', `${HEADER}kind: Vpc\nname: net\nipv4_cidr: 10.0.0.0/16\n`);
    const two = written('two.yaml', 'kind: SecurityGroup\nname: g\naccount: web\nvpc_id: ref:net\n');
    expect(readSet([one, two], '').declared.map(({ name, account }) => [name, account])).toEqual([
      ['net', 'shop'],
      ['g', 'web'],
    ]);
    const other = written('other.yaml', 'set: other\n');
    expect(() => readSet([one, other], '')).toThrow('set must be s, as in the first file');
  });

  it.each([
    ['no set', 'kind: Vpc\nname: n\naccount: "1000000000000001"\nipv4_cidr: x\n', 'no document says its `set`'],
    ['a kind that is none', `${HEADER}kind: Thing\n`, 'set.yaml:5 (document 2): kind must be one of Vpc, VSwitch,'],
    ['neither', `${HEADER}colour: red\n`, 'set.yaml:5 (document 2): has neither a `kind`'],
    [
      'a field that is none',
      `${HEADER}kind: Vpc\nname: n\nipv4_cidr: 10.0.0.0/8\ncolour: red\n`,
      'set.yaml:5 (document 2): it has no colour: it has kind, name, account, id, region_id, ipv4_cidr, ipv6_cidr, tags',
    ],
    [
      'a field that is none, further in',
      `${HEADER}kind: EndpointService\nname: n\nusers:\n  - account_id: "*"\n    limit: 3\n`,
      'set.yaml:8 (document 2): users[0] has no limit: it has account_id, auto_accept, max_connections, approval_ttl',
    ],
    [
      'a value that is none',
      `${HEADER}kind: EndpointService\nname: n\n\npayer: NOBODY\n`,
      'set.yaml:8 (document 2): payer must be one of ENDPOINT, ENDPOINT_SERVICE',
    ],
    ['a missing field', `${HEADER}kind: Vpc\nname: n\n`, 'set.yaml:5 (document 2): ipv4_cidr is missing: a string'],
    [
      'a wrong type',
      `${HEADER}kind: Vpc\nname: n\nipv4_cidr: 10\n`,
      'set.yaml:7 (document 2): ipv4_cidr must be a string',
    ],
    [
      'a name twice',
      `${HEADER}kind: Vpc\nname: n\nipv4_cidr: x\n---\nkind: Vpc\nname: n\nipv4_cidr: x\n`,
      'set.yaml:10 (document 3): name n is taken: set.yaml:6 (document 2)',
    ],
    [
      'a reference to nothing',
      `${HEADER}kind: SecurityGroup\nname: g\nvpc_id: ref:net\n`,
      'set.yaml:7 (document 2): vpc_id ref:net is no Vpc of the set: there are none',
    ],
    [
      'a reference to another kind',
      `${HEADER}kind: SecurityGroup\nname: g\nvpc_id: ref:g\n`,
      'set.yaml:7 (document 2): vpc_id ref:g is no Vpc of the set: there are none',
    ],
    [
      'an account that is none',
      `${HEADER}kind: Vpc\nname: n\naccount: nobody\nipv4_cidr: x\n`,
      'set.yaml:7 (document 2): account must be one of 16 digits, shop, web',
    ],
    [
      'a label that is ours',
      `${HEADER}kind: Vpc\nname: n\nipv4_cidr: x\ntags: { privatelink/set: other }\n`,
      'set.yaml:8 (document 2): tags.privatelink/set must not begin with privatelink/',
    ],
    ['no YAML', `${HEADER}kind: [`, 'set.yaml:5 (document 2): Flow sequence in block collection'],
    ['a list', `${HEADER}- 1\n`, 'set.yaml:5 (document 2): must be a mapping'],
    [
      'an id of an acceptance',
      `${HEADER}kind: Acceptance\nname: a\nid: x\nconnection_id: ep-1\ndecision: ACCEPTED\n`,
      'it has no id',
    ],
  ])('with %s is refused with the place and what is allowed', (_, text, problem) => {
    const [first = '', ...more] = problems(text);
    expect(first).toContain(problem);
    expect(more).toEqual([]);
  });

  it('with several mistakes is refused with all of them', () => {
    const text = `${HEADER}kind: Vpc\nname: N\nipv4_cidr: 1\n---\nkind: None\n`;
    expect(problems(text)).toHaveLength(3);
  });

  it('of aliases that would fill the memory is refused', () => {
    const layers = Array.from(
      { length: 12 },
      (_, at) => `l${at + 1}: &l${at + 1} [${'*l0,'.replace('0', `${at}`).repeat(10)}]`,
    );
    expect(problems(`set: s\nl0: &l0 [x]\n${layers.join('\n')}\n`)[0]).toContain('alias');
  });

  it('that is not there is refused', () => {
    expect(() => readSet([join(directory, 'absent.yaml')], '')).toThrow(/absent.yaml: cannot be read/);
  });
});
