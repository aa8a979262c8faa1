import { status } from '@grpc/grpc-js';
import { Status } from '@privatelink/proto/google/rpc/status';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import type { Answer } from '../../call.ts';
import type { Json } from '../../field-option.ts';
import { compact, entriesOf, pick } from '../kind.ts';
import type { Call, Fields, Invoke } from '../things.ts';
import { changers, list, type Row, tagsOf } from './changes.ts';

const refusal = (code: number, message: string): RemoteError =>
  new RemoteError({
    ...{ code, message, reason: message, facts: {}, violations: [] },
    status: Status.create({ code, message }),
  } as unknown as ConstructorParameters<typeof RemoteError>[0]);

const notFound = (): RemoteError => refusal(status.NOT_FOUND, 'NOT_FOUND');

/**
 * The services as apply sees them: what its calls make of things, that a request id is one request for ever, that ids
 * follow from it, that what is in use stays, and that lists know of a new thing late.
 */
export const modelWorld = () => {
  /** By id; each with its account and kind. */
  const rows = new Map<string, Row>();
  /** Request → what was made by it first. */
  const requests = new Map<string, Answer>();
  /** Made since the lists were last brought up to date. */
  const unlisted = new Set<string>();
  let calls = 0;
  let failAt = Number.POSITIVE_INFINITY;

  const row = (account: string, id: Json | undefined): Row => {
    const found = rows.get(String(id));
    if (!found || found['account_id'] !== account) throw noSuch();
    return found;
  };
  const noSuch = notFound;
  const inVpc = (vpcId: Json, kind: string): Row[] =>
    [...rows.values()].filter((each) => each['vpc_id'] === vpcId && each['kind'] === kind);
  const used = (id: string): boolean =>
    [...rows.values()].some((each) => each['id'] !== id && JSON.stringify(each['uses'] ?? []).includes(id));
  const touch = (changed: Row): void => {
    changed['revision'] = String(Number(changed['revision']) + 1);
  };

  const idFor = (prefix: string, account: string, request: Fields): string => {
    const text = `${account} ${String(request['request_id'])} ${String(request['vpc_id'] ?? '')}`;
    return `${prefix}-${Buffer.from(text).toString('hex')}`;
  };
  const insert = (
    kind: string,
    prefix: string,
    name: string,
    account: string,
    request: Fields,
    more: Row,
    uses: Json,
  ): Row => {
    const id = idFor(prefix, account, request);
    const made: Row = { ...more, kind, id, [name]: id, account_id: account, revision: '0', uses };
    return made;
  };
  const keep = (made: Row): Row => {
    rows.set(String(made['id']), made);
    unlisted.add(String(made['id']));
    return made;
  };
  const makers: Readonly<Record<string, (account: string, request: Fields) => readonly [string, Row]>> = {
    RegisterVpc: (account, request) => [
      'vpc',
      insert(
        'Vpc',
        'vpc',
        'vpc_id',
        account,
        request,
        { ...pick(request, 'ipv4_cidr', 'ipv6_cidr'), tags: tagsOf(request) },
        [],
      ),
    ],
    RegisterVSwitch: (account, request) => {
      const vpc = row(account, request['vpc_id']);
      const more = { ...pick(request, 'vpc_id', 'zone_id', 'ipv4_cidr', 'ipv6_cidr'), tags: tagsOf(request) };
      const made = insert('VSwitch', 'vsw', 'vswitch_id', account, request, more, [vpc['id'] ?? null]);
      const taken = inVpc(request['vpc_id'] ?? '', 'VSwitch').some(
        (each) => each['ipv4_cidr'] === request['ipv4_cidr'] && each['id'] !== made['id'],
      );
      if (taken && !requests.has(String(request['request_id']))) throw refusal(9, 'CIDR_OVERLAPS');
      return ['vswitch', made];
    },
    RegisterSecurityGroup: (account, request) => {
      const vpc = row(account, request['vpc_id']);
      const more = { ...pick(request, 'vpc_id', 'rules'), tags: tagsOf(request) };
      return [
        'security_group',
        insert('SecurityGroup', 'sg', 'security_group_id', account, request, more, [vpc['id'] ?? null]),
      ];
    },
    RegisterRouteTable: (account, request) => {
      const vpc = row(account, request['vpc_id']);
      const more = { ...pick(request, 'vpc_id'), routes: [], tags: tagsOf(request) };
      return [
        'route_table',
        insert('RouteTable', 'vtb', 'route_table_id', account, request, more, [vpc['id'] ?? null]),
      ];
    },
    CreateEndpointService: (account, request) => {
      const resources = entriesOf(request['resources']).map((each) => ({ auto_allocated: true, ...each }));
      const more = {
        ...{ description: '', auto_accept: false, zone_affinity: false, payer: 'PAYER_ENDPOINT', tags: [] },
        ...{
          service_type: 'ENDPOINT_TYPE_INTERFACE',
          address_type: 'ADDRESS_TYPE_IPV4',
          status: 'ENDPOINT_SERVICE_STATUS_ACTIVE',
        },
        ...pick(
          request,
          'description',
          'auto_accept',
          'zone_affinity',
          'payer',
          'service_type',
          'address_type',
          'tags',
        ),
        ...{ resources: resources as unknown as Json, users: [], custom_domains: [], supported_regions: [] },
      };
      return ['endpoint_service', insert('EndpointService', 'epsrv', 'service_id', account, request, more as Row, [])];
    },
    CreateEndpoint: (account, request) => {
      for (const zone of entriesOf(request['zones'])) row(account, zone['vswitch_id']);
      for (const group of request['security_group_ids'] as readonly string[]) row(account, group);
      const service = rows.get(String(request['service']));
      if (!service) throw noSuch();
      const more = {
        ...{
          description: '',
          protected: false,
          tags: [],
          policy: '',
          zone_affinity: false,
          custom_domain_enabled: false,
        },
        ...{
          endpoint_type: 'ENDPOINT_TYPE_INTERFACE',
          address_type: 'ADDRESS_TYPE_IPV4',
          status: 'ENDPOINT_STATUS_ACTIVE',
        },
        ...pick(
          request,
          'vpc_id',
          'zones',
          'security_group_ids',
          'description',
          'protected',
          'tags',
          'policy',
          'zone_affinity',
        ),
        ...{
          service_id: service['id'],
          connection_status: 'CONNECTION_STATUS_DISCONNECTED',
          decision: 'DECISION_AWAITING',
        },
        provider: service['account_id'],
      };
      return ['endpoint', insert('Endpoint', 'ep', 'endpoint_id', account, request, more as Row, [])];
    },
  };

  const usesOf = (endpoint: Row): Json => [
    endpoint['vpc_id'] ?? null,
    endpoint['service_id'] ?? null,
    ...entriesOf(endpoint['zones']).map((zone) => zone['vswitch_id'] ?? null),
    ...((endpoint['security_group_ids'] as readonly Json[]) ?? []),
  ];

  const removers: Readonly<Record<string, string>> = {
    DeregisterVpc: 'vpc_id',
    DeregisterVSwitch: 'vswitch_id',
    DeregisterSecurityGroup: 'security_group_id',
    DeregisterRouteTable: 'route_table_id',
    DeleteEndpointService: 'service_id',
    DeleteEndpoint: 'endpoint_id',
  };

  const listed = (account: string, kind: string, filter: Json | undefined): readonly Row[] => {
    const [, set] = /= "(.*)"$/.exec(String(filter ?? '')) ?? [];
    return [...rows.values()].filter(
      (each) =>
        each['kind'] === kind &&
        each['account_id'] === account &&
        !unlisted.has(String(each['id'])) &&
        (set === undefined ||
          entriesOf(each['tags']).some(({ key, value }) => key === 'privatelink/set' && value === set)),
    );
  };
  const whole = (vpc: Row): Row => ({
    ...vpc,
    vswitches: inVpc(vpc['id'] ?? '', 'VSwitch'),
    security_groups: inVpc(vpc['id'] ?? '', 'SecurityGroup'),
    route_tables: inVpc(vpc['id'] ?? '', 'RouteTable'),
  });

  const readers: Readonly<Record<string, (account: string, request: Fields) => Answer>> = {
    ListEndpointServices: (account, { filter }) => ({
      endpoint_services: [...listed(account, 'EndpointService', filter)],
    }),
    ListEndpoints: (account, { filter }) => ({ endpoints: [...listed(account, 'Endpoint', filter)] }),
    ListVpcs: (account, { filter }) => ({ vpcs: [...listed(account, 'Vpc', filter)] }),
    ListServiceUsers: (account, { service_id }) => ({ service_users: row(account, service_id)['users'] ?? [] }),
    GetEndpointService: (account, { service_id }) => answerOf('endpoint_service', row(account, service_id)),
    GetEndpoint: (account, { endpoint_id }) => answerOf('endpoint', row(account, endpoint_id)),
    GetVpc: (account, { vpc_id }) => answerOf('vpc', whole(row(account, vpc_id))),
    GetConnection: (account, { connection_id }) => {
      const endpoint = rows.get(String(connection_id));
      if (!endpoint || endpoint['provider'] !== account) throw noSuch();
      return answerOf('connection', { ...endpoint, connection_id: endpoint['id'] ?? null, zones: [] });
    },
  };
  const answerOf = (name: string, thing: Row): Answer => ({
    [name]: structuredClone(first(thing)),
    revision: thing['revision'] ?? '0',
  });

  const write = (account: string, rpc: string, request: Fields): Answer => {
    const { request_id: requestId, dry_run: dryRun = false, ...content } = request;
    const known = requests.get(`${account} ${String(requestId)}`);
    if (known) return known;
    const events = dryRun ? { preview: { events: [{}] as Json, connection_ids: [] } } : {};
    const maker = makers[rpc];
    let answer: Answer;
    if (maker) {
      const [name, made] = maker(account, request);
      if (!dryRun) keep(made);
      if (made['kind'] === 'Endpoint') made['uses'] = usesOf(made);
      answer = { ...answerOf(name, made), ...events };
    } else if (removers[rpc] !== undefined) {
      const id = String(content[removers[rpc] ?? '']);
      row(account, id);
      if (used(id)) throw refusal(9, 'IN_USE');
      if (!dryRun) rows.delete(id);
      answer = events;
    } else {
      const [name = '', change] = changers[rpc] ?? [];
      const thing = rows.get(String(content[name]));
      if (!thing || !change) throw noSuch();
      if (!dryRun) {
        change(thing, content);
        if (thing['kind'] === 'Endpoint') thing['uses'] = usesOf(thing);
        if (thing['kind'] === 'RouteTable')
          thing['uses'] = [thing['vpc_id'] ?? null, ...list(thing, 'routes').map((route) => route['next_hop'] ?? null)];
        touch(thing);
        const vpc = rows.get(String(thing['vpc_id']));
        if (vpc) touch(vpc);
      }
      answer = events;
    }
    if (!dryRun) requests.set(`${account} ${String(requestId)}`, answer);
    return answer;
  };

  const invoke: Invoke = async (account: string, { rpc, request }: Call) => {
    const read = readers[rpc];
    // As JSON it is what a server would be told.
    const told = JSON.parse(JSON.stringify(request)) as Fields;
    if (JSON.stringify(told).includes('"ref:'))
      throw new Error(`${rpc} with an open reference: ${JSON.stringify(told)}`);
    if (read) return structuredClone(read(account, told));
    if (told['dry_run'] === true) return write(account, rpc, told);
    calls++;
    if (calls === failAt) throw new Error('interrupted before it was done');
    const answer = write(account, rpc, told);
    if (calls === failAt + 0.5) throw new Error('interrupted after it was done');
    return answer;
  };

  return {
    invoke,
    rows,
    /** The lists show everything. */
    settle: () => unlisted.clear(),
    /** The n-th change from now on fails, before or after it is done. */
    interrupt: (at: number, after: boolean): void => {
      failAt = at === Number.POSITIVE_INFINITY ? at : calls + at - (after ? 0.5 : 0);
    },
    deleteByHand: (id: string): void => void rows.delete(id),
  };
};

/** The field that a message's own id is in comes first, as in the contract. */
const first = ({ kind, id, uses: _uses, ...thing }: Row): Row => {
  const names: Readonly<Record<string, string>> = {
    VSwitch: 'vswitch_id',
    SecurityGroup: 'security_group_id',
    RouteTable: 'route_table_id',
    Endpoint: 'endpoint_id',
    EndpointService: 'service_id',
  };
  const name = names[String(kind)] ?? 'vpc_id';
  return { [name]: id ?? null, ...(compact(thing) as Row) };
};
