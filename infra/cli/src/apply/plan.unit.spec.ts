import { describe, expect, it } from 'vitest';
import { planOf } from './plan.ts';
import { planLines } from './render.ts';
import { type Declared, type Fields, NAME_MARK, SET_MARK, type Thing } from './things.ts';

const WEB = 'web';
const declare = (kind: Declared['kind'], name: string, fields: object, more: Partial<Declared> = {}): Declared => ({
  ...{ kind, name, account: WEB, id: '', fields: fields as Fields },
  ...more,
});
/** What the set made. */
const made = (kind: Thing['kind'], name: string, id: string, fields: object, set = 's'): Thing => ({
  ...{ kind, account: WEB, id, revision: '3', marks: { [SET_MARK]: set, [NAME_MARK]: name } },
  fields: fields as Fields,
});
const setOf = (...declared: readonly Declared[]) => ({ set: 's', accounts: [WEB], declared });
const plan = (declared: readonly Declared[], things: readonly Thing[], prune = false) =>
  planOf(setOf(...declared), things, prune);
const rpcs = (declared: readonly Declared[], things: readonly Thing[], prune = false) =>
  plan(declared, things, prune).steps.flatMap(({ calls }) => calls.map(({ rpc, request }) => [rpc, request]));

const net = { ipv4_cidr: '10.0.0.0/16' };

describe('a plan', () => {
  it('makes things after those that they refer to, whatever the order in the file', () => {
    const declared = [declare('SecurityGroup', 'group', { vpc_id: 'ref:net', rules: [] }), declare('Vpc', 'net', net)];
    expect(plan(declared, []).steps.map(({ action, name }) => [action, name])).toEqual([
      ['create', 'net'],
      ['create', 'group'],
    ]);
    expect(rpcs(declared, [])[0]).toEqual([
      'RegisterVpc',
      {
        ...net,
        tags: {
          tags: [
            { key: SET_MARK, value: 's' },
            { key: NAME_MARK, value: 'net' },
          ],
        },
      },
    ]);
  });

  it('is empty where all is as declared: ranges in any form, what is left out whatever it is', () => {
    const things = [
      made('Vpc', 'net', 'vpc-1', { ...net, ipv6_cidr: '2001:db8::/56', tags: {} }),
      made('EndpointService', 'orders', 'epsrv-1', {
        description: 'x',
        auto_accept: true,
        users: [],
        tags: { k: 'v' },
      }),
    ];
    const declared = [
      declare('Vpc', 'net', { ...net, ipv6_cidr: '2001:0DB8:0::/56' }),
      declare('EndpointService', 'orders', { description: 'x' }),
    ];
    expect(plan(declared, things)).toMatchObject({ steps: [], unchanged: 2 });
  });

  it('refuses what cannot be changed before anything is done, all of it, by field', () => {
    const things = [made('Vpc', 'net', 'vpc-1', net), made('EndpointService', 'a', 'epsrv-1', { payer: 'ENDPOINT' })];
    const declared = [
      declare('Vpc', 'net', { ipv4_cidr: '10.1.0.0/16' }),
      declare('EndpointService', 'a', { payer: 'ENDPOINT_SERVICE' }),
    ];
    expect(() => plan(declared, things)).toThrow(
      'Vpc net: ipv4_cidr cannot be changed: it is "10.0.0.0/16", and is to be "10.1.0.0/16"; ' +
        'give it another name, and --prune takes the old one away\n' +
        'EndpointService a: payer cannot be changed',
    );
    const resource = { resource_id: 'r', zone_id: 'h', targets: [{ ip: '10.0.0.1', port: 80 }] };
    const moved = { ...resource, targets: [{ ip: '10.0.0.2', port: 80 }] };
    expect(() =>
      plan(
        [declare('EndpointService', 'a', { resources: [moved] })],
        [made('EndpointService', 'a', 'epsrv-1', { resources: [resource] })],
      ),
    ).toThrow('EndpointService a: resources[h/r].targets cannot be changed');
  });

  it('changes users by what differs, and says a term that is gone by saying the others', () => {
    const before = { users: [{ account_id: '1', max_connections: 3 }, { account_id: '2' }] };
    const after = { users: [{ account_id: '1', auto_accept: true }, { account_id: '3' }] };
    const things = [made('EndpointService', 'a', 'epsrv-1', before)];
    expect(rpcs([declare('EndpointService', 'a', after)], things)).toEqual([
      ['AddServiceUser', { service_id: 'epsrv-1', account_id: '3' }],
      ['AddServiceUser', { service_id: 'epsrv-1', account_id: '1', auto_accept: true }],
      ['RemoveServiceUser', { service_id: 'epsrv-1', account_id: '2' }],
    ]);
  });

  it('keeps a zone and a group of an endpoint at any time', () => {
    const zone = (id: string) => ({ vswitch_id: id, zone_id: `zone-${id}` });
    const things = [made('Endpoint', 'e', 'ep-1', { zones: [zone('a')], security_group_ids: ['sg-1'] })];
    const names = (fields: object) => rpcs([declare('Endpoint', 'e', fields)], things).map(([rpc]) => rpc);
    expect(names({ zones: [zone('b')] })).toEqual(['AddEndpointZone', 'RemoveEndpointZone']);
    expect(names({ zones: [zone('a'), zone('b')] })).toEqual(['AddEndpointZone']);
    expect(names({ security_group_ids: ['sg-2'] })).toEqual(['AttachSecurityGroup', 'DetachSecurityGroup']);
  });

  it('keeps our labels when others change', () => {
    const things = [made('Endpoint', 'e', 'ep-1', { tags: { old: '' } })];
    const [[, request] = []] = rpcs([declare('Endpoint', 'e', { tags: { team: 'web' } })], things);
    expect(request).toMatchObject({
      tags: {
        tags: [
          { key: 'team', value: 'web' },
          { key: SET_MARK, value: 's' },
          { key: NAME_MARK, value: 'e' },
        ],
      },
    });
  });

  it('takes away what is declared no more only when asked, users before what they use', () => {
    const things = [
      made('Vpc', 'net', 'vpc-1', net),
      made('VSwitch', 'switch', 'vsw-1', { vpc_id: 'vpc-1' }),
      made('Endpoint', 'e', 'ep-1', { vpc_id: 'vpc-1', zones: [{ vswitch_id: 'vsw-1' }] }),
      made('RouteTable', 'table', 'vtb-1', {
        vpc_id: 'vpc-1',
        routes: [{ destination_cidr: '0.0.0.0/0', next_hop: 'ep-1' }],
      }),
      made('Vpc', 'theirs', 'vpc-2', net, 'another-set'),
    ];
    expect(plan([], things)).toMatchObject({ steps: [], orphans: [{}, {}, {}, {}] });
    expect(rpcs([], things, true).map(([rpc]) => rpc)).toEqual([
      'RemoveRoute',
      'DeregisterRouteTable',
      'DeleteEndpoint',
      'DeregisterVSwitch',
      'DeregisterVpc',
    ]);
  });

  it('takes a thing by its id, whoever made it, under any name, and never prunes it', () => {
    const things = [made('Vpc', 'old-name', 'vpc-1', net), made('Vpc', 'x', 'vpc-2', net, 'another-set')];
    const declared = [declare('Vpc', 'new-name', net, { id: 'vpc-1' }), declare('Vpc', 'mine', net, { id: 'vpc-2' })];
    expect(plan(declared, things, true)).toMatchObject({ steps: [], orphans: [] });
    expect(() => plan([declare('Vpc', 'n', net, { id: 'vpc-9' })], things)).toThrow('Vpc n: account web has no vpc-9');
  });

  it('makes a thing under its new name beside the old one', () => {
    const things = [made('Vpc', 'old', 'vpc-1', net)];
    const steps = plan([declare('Vpc', 'new', net)], things, true).steps;
    expect(steps.map(({ action, name }) => [action, name])).toEqual([
      ['create', 'new'],
      ['delete', 'old'],
    ]);
  });

  it('does not take a thing of another account for its own', () => {
    const things = [{ ...made('Vpc', 'net', 'vpc-1', net), account: 'shop' }];
    expect(plan([declare('Vpc', 'net', net)], things)).toMatchObject({
      steps: [{ action: 'create', account: WEB }],
      orphans: [{ id: 'vpc-1' }],
    });
  });

  it('decides on connections by what was decided and until when', () => {
    const connection = (fields: object): Thing => ({ ...made('Acceptance', '', 'ep-1', fields), marks: {} });
    const wanted = { connection_id: 'ep-1', decision: 'ACCEPTED', message: 'welcome' };
    const planned = (fields: object, more = {}) =>
      rpcs([declare('Acceptance', 'a', { ...wanted, ...more })], [connection({ connection_id: 'ep-1', ...fields })]);
    expect(planned({ decision: 'ACCEPTED', zone_ids: ['h', 'i'] })).toEqual([]);
    expect(planned({ decision: 'AWAITING' })).toEqual([
      ['AcceptConnection', { connection_id: 'ep-1', message: 'welcome' }],
    ]);
    const until = { expire_time: '2030-01-01T00:00:00+08:00' };
    expect(planned({ decision: 'ACCEPTED', expire_time: '2029-12-31T16:00:00Z' }, until)).toEqual([]);
    expect(planned({ decision: 'ACCEPTED' }, until)).toHaveLength(1);
    expect(planned({ decision: 'ACCEPTED' }, { decision: 'REJECTED' })).toEqual([
      ['RejectConnection', { connection_id: 'ep-1', message: 'welcome' }],
    ]);
  });
});

describe('a plan on the screen', () => {
  const lines = (declared: readonly Declared[], things: readonly Thing[], prune = false) =>
    planLines({ plan: plan(declared, things, prune), ids: new Map(), effects: new Map() }, prune);

  it('says what is there and what is to be', () => {
    const things = [
      made('EndpointService', 'a', 'epsrv-1', {
        ...{ description: '', connect_bandwidth: { limit_mbps: 100 } },
        users: [{ account_id: '1', max_connections: 3 }, { account_id: '2' }],
      }),
      made('Vpc', 'gone', 'vpc-1', net),
    ];
    const fields = {
      ...{ description: 'orders', connect_bandwidth: { limit_mbps: 200 } },
      users: [
        { account_id: '1', max_connections: 4 },
        { account_id: '3', auto_accept: true },
      ],
    };
    expect(lines([declare('EndpointService', 'a', fields), declare('Vpc', 'net', net)], things)).toEqual([
      '~ EndpointService a of web (epsrv-1)',
      '    description: "" -> orders',
      '    connect_bandwidth.limit_mbps: 100 -> 200',
      '    users[1].max_connections: 3 -> 4',
      '    + users[3]: { account_id: 3, auto_accept: true }',
      '    - users[2]',
      '+ Vpc net of web',
      '    ipv4_cidr: 10.0.0.0/16',
      'Not declared any more, kept without --prune: Vpc vpc-1',
      '1 to create, 1 to change, 0 to delete, 0 as declared.',
    ]);
    expect(lines([], [], true)).toEqual(['No change: all 0 are as declared.']);
  });
});
