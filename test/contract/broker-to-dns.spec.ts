import { readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { evolveAll } from '@privatelink/shared/eventing/decider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionCodec } from '../../services/connection-broker/src/connection/connection.codec.ts';
import { connection as decider } from '../../services/connection-broker/src/connection/connection.decide.ts';
import type { Connection } from '../../services/connection-broker/src/connection/connection.ts';
import { type DnsPort, dnsPort } from '../../services/connection-broker/src/dispatch/dns.ts';
import { calling, changesNothing, lastEvent, newId, refusalOf } from './support/given.ts';
import { dnsSuffix, type Services, startServices } from './support/services.ts';

let services: Services;
let port: DnsPort;
beforeAll(async () => {
  services = await startServices();
  port = dnsPort(services.clients.dns, dnsSuffix);
});
afterAll(() => services?.close());

const file = new URL('../../services/connection-broker/src/connection/connection.samples.json', import.meta.url);
const meta = { id: '', metadata: {}, stream: '', revision: 0n, position: 0n, recordedAt: '' };
const sampled = (JSON.parse(readFileSync(file, 'utf8')) as { events: { type: string; data: object }[] }).events;
const requested = evolveAll(
  decider,
  decider.initial,
  sampled.slice(0, 1).map((sample) => connectionCodec.decode({ ...sample, ...meta })),
);

/** A connection as the broker has it, from its frozen sample: two zones, one of them with IPv6. */
const someConnection = (): Connection => ({ ...requested, endpointId: newId('ep'), vpcId: newId('vpc') });
const at = (connection: Connection, generation: number): Connection => ({ ...connection, generation });
const base = ({ serviceId }: Connection): string => `${serviceId}.cn-hangzhou.privatelink.internal`;
const nameOf = (connection: Connection, zone = ''): string => `${connection.endpointId}${zone}.${base(connection)}`;
const answers = (name: string, type: 'A' | 'AAAA' = 'A') => {
  const { rcode, records } = services.dns.ask(name, type);
  return records.length > 0 ? [...records].sort() : rcode;
};

describe('the names of a connection', () => {
  it('are answered by DNS once they are put: the endpoint by all zones, each zone by its own', async () => {
    const connection = someConnection();
    const context = calling();
    await port.putNames(connection, 'WITHDRAWN', context);
    expect(answers(nameOf(connection))).toBe('NOERROR');
    await port.putNames(connection, 'PUBLISHED', context);
    expect(answers(nameOf(connection))).toEqual(['10.1.0.5', '10.1.1.5']);
    expect(answers(nameOf(connection), 'AAAA')).toEqual(['fd00::5']);
    expect(answers(nameOf(connection, '-cn-hangzhou-h'))).toEqual(['10.1.0.5']);
    expect(answers(nameOf(connection, '-cn-hangzhou-h'), 'AAAA')).toBe('NOERROR');
    expect(answers(nameOf(connection, '-cn-hangzhou-i'), 'AAAA')).toEqual(['fd00::5']);
    const { actor, correlationId } = context;
    const recorded = { type: 'NamesPublished.v1', actor, correlationId };
    expect(await lastEvent(services.dns.store, `nameSet-${connection.endpointId}`)).toEqual(recorded);
  });

  it('are told by LookupDomain as DNS answers them', async () => {
    const connection = someConnection();
    await port.putNames(connection, 'PUBLISHED', calling());
    const look = (domainName: string) =>
      services.clients.dns.lookupDomain({ domainName, recordType: 'A', vpcId: '', zoneId: '' }, {});
    expect(await look(nameOf(connection))).toEqual({
      ...{ responseCode: 'RESPONSE_CODE_NOERROR', records: ['10.1.0.5', '10.1.1.5'], ttlSeconds: 60 },
    });
    const nobody = { responseCode: 'RESPONSE_CODE_NXDOMAIN', records: [], ttlSeconds: 5 };
    expect(await look(`nobody.${base(connection)}`)).toEqual(nobody);
  });

  it('lead to the zones that answer, each zone’s own to it whether it answers or not, and to all if none does', async () => {
    const connection = someConnection();
    const { zones } = connection;
    const put = (healthRevision: number, ...healthy: readonly string[]) => {
      const seen = Object.entries(zones).map(([id, zone]) => [id, { ...zone, healthy: healthy.includes(id) }]);
      const now = { ...connection, healthRevision, zones: Object.fromEntries(seen), zoneAffinity: true };
      return port.putNames(now, 'PUBLISHED', calling());
    };
    const seen = () => [
      answers(nameOf(connection)),
      ...Object.keys(zones).map((id) => answers(nameOf(connection, `-${id}`))),
    ];
    const own = [['10.1.0.5'], ['10.1.1.5']];
    await put(0, 'cn-hangzhou-h', 'cn-hangzhou-i');
    expect(seen()).toEqual([['10.1.0.5', '10.1.1.5'], ...own]);
    await put(1, 'cn-hangzhou-i');
    expect(seen()).toEqual([['10.1.1.5'], ...own]);
    const near = async (zoneId: string) => {
      const said = { domainName: nameOf(connection), recordType: 'A', vpcId: connection.vpcId, zoneId };
      return (await services.clients.dns.lookupDomain(said, {})).records;
    };
    expect([await near('cn-hangzhou-h'), await near('cn-hangzhou-i')]).toEqual([['10.1.1.5'], ['10.1.1.5']]);
    await changesNothing(services.dns.store, () => put(0, 'cn-hangzhou-h', 'cn-hangzhou-i'));
    await put(2);
    expect(seen()).toEqual([['10.1.0.5', '10.1.1.5'], ...own]);
    await put(3, 'cn-hangzhou-h');
    expect([await near('cn-hangzhou-h'), await near('cn-hangzhou-i')]).toEqual([['10.1.0.5'], ['10.1.0.5']]);
  });

  it('put again, or late for an older generation or an earlier step, change nothing', async () => {
    const connection = someConnection();
    await port.putNames(at(connection, 3), 'PUBLISHED', calling());
    const late = [
      [3, 'PUBLISHED'],
      [3, 'WITHDRAWN'],
      [2, 'WITHDRAWN'],
      [2, 'REMOVED'],
    ] as const;
    for (const [generation, state] of late) {
      const call = () => port.putNames(at(connection, generation), state, calling());
      await changesNothing(services.dns.store, call);
    }
    expect(answers(nameOf(connection))).toEqual(['10.1.0.5', '10.1.1.5']);
  });

  it('go and come back with the generations, and stay away once they are removed', async () => {
    const connection = someConnection();
    await port.putNames(at(connection, 1), 'PUBLISHED', calling());
    await port.putNames(at(connection, 2), 'WITHDRAWN', calling());
    expect(answers(nameOf(connection))).toBe('NOERROR');
    await port.putNames(at(connection, 3), 'PUBLISHED', calling());
    expect(answers(nameOf(connection))).toEqual(['10.1.0.5', '10.1.1.5']);
    await port.putNames(at(connection, 4), 'REMOVED', calling());
    expect(answers(nameOf(connection))).toBe('NXDOMAIN');
    const late = () => port.putNames(at(connection, 9), 'PUBLISHED', calling());
    await changesNothing(services.dns.store, late);
    expect(answers(nameOf(connection))).toBe('NXDOMAIN');
  });
});

describe('names that DNS could not answer', () => {
  it('are refused where they are elsewhere, and DNS goes on', async () => {
    const elsewhere = dnsPort(services.clients.dns, 'example.com');
    const connection = someConnection();
    const call = () => refusalOf(elsewhere.putNames(connection, 'PUBLISHED', calling()));
    const refusal = await changesNothing(services.dns.store, call);
    expect(refusal).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'INVALID_ARGUMENT' });
    const fields = refusal.violations.map(({ field }) => field);
    expect(fields).toEqual([0, 1, 2].map((index) => `names[${index}].domain_name`));
    await port.putNames(connection, 'PUBLISHED', calling());
    expect(answers(nameOf(connection))).toEqual(['10.1.0.5', '10.1.1.5']);
  });

  it('are refused where an address is none, and DNS goes on', async () => {
    const connection = someConnection();
    const { 'cn-hangzhou-h': zone, ...others } = connection.zones;
    if (!zone) throw new Error('no zone in the sample');
    const wrong = { ...connection, zones: { ...others, 'cn-hangzhou-h': { ...zone, ipv4: '10.1.0.256' } } };
    const call = () => refusalOf(port.putNames(wrong, 'PUBLISHED', calling()));
    const refusal = await changesNothing(services.dns.store, call);
    expect(refusal.violations.map(({ field }) => field)).toContain('names[0].ipv4_addresses[1]');
    await port.putNames(connection, 'PUBLISHED', calling());
    expect(answers(nameOf(connection))).toEqual(['10.1.0.5', '10.1.1.5']);
  });
});
