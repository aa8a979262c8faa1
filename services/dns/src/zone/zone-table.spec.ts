import { describe, expect, it } from 'vitest';
import { type Rrset, recordType } from './rrset.ts';
import { wireName } from './wire-name.ts';
import { createZoneTable, type NameRecords, type ZoneTable } from './zone-table.ts';

const apex = 'privatelink.internal';
const at = (name: string, ...addresses: string[]): NameRecords => ({
  name: `${name}.${apex}`,
  records: addresses.map((data) => ({ type: data.includes(':') ? 'AAAA' : 'A', data })),
});

/** The types at a name with their number of records; `undefined` where there is no such name. */
function types(table: ZoneTable, name: string): [number, number][] | undefined {
  return table.lookup(wireName(`${name}.${apex}`))?.rrsets?.map(({ type, records }) => [type, records.length]);
}

describe('put and remove', () => {
  it('replaces all names of an owner as a whole', () => {
    const table = createZoneTable([{ apex }]);
    table.put('ep-1', [at('ep-1.svc', '10.0.0.1', 'fd00::1'), at('ep-1-a.svc', '10.0.0.1')]);
    expect(types(table, 'ep-1.svc')).toEqual([
      [1, 1],
      [28, 1],
    ]);
    table.put('ep-1', [at('ep-1.svc', '10.0.0.2', '10.0.0.3'), at('ep-1-b.svc')]);
    expect(types(table, 'ep-1.svc')).toEqual([[1, 2]]);
    expect(types(table, 'ep-1-a.svc')).toBeUndefined();
    expect(types(table, 'ep-1-b.svc')).toEqual([]);
  });

  it('removing takes the names and what stood only for them', () => {
    const table = createZoneTable([{ apex }]);
    const empty = table.size();
    table.put('ep-1', [at('ep-1.svc.eu', '10.0.0.1')]);
    table.put('ep-2', [at('below.ep-1.svc.eu', '10.0.0.2')]);
    expect(table.remove('ep-1')).toBe(true);
    expect(types(table, 'ep-1.svc.eu')).toEqual([]);
    expect(table.remove('ep-2')).toBe(true);
    expect(types(table, 'ep-1.svc.eu')).toBeUndefined();
    expect(types(table, 'svc.eu')).toBeUndefined();
    expect(table.size()).toBe(empty);
    expect(table.remove('ep-2')).toBe(false);
  });

  it('putting no names is removing', () => {
    const table = createZoneTable([{ apex }]);
    table.put('ep-1', [at('ep-1', '10.0.0.1')]);
    table.put('ep-1', []);
    expect(types(table, 'ep-1')).toBeUndefined();
    expect(table.remove('ep-1')).toBe(false);
  });

  it('two owners of a name do not touch each other', () => {
    const table = createZoneTable([{ apex }]);
    table.put('first', [at('shared', '10.0.0.1', '10.0.0.2')]);
    table.put('second', [at('shared', '10.0.0.2', '10.0.0.3'), at('own', '10.0.0.9')]);
    expect(types(table, 'shared')).toEqual([[recordType.A, 3]]);
    table.remove('first');
    expect(types(table, 'shared')).toEqual([[recordType.A, 2]]);
    table.put('third', [at('shared')]);
    table.remove('second');
    expect(types(table, 'shared')).toEqual([]);
    expect(types(table, 'own')).toBeUndefined();
    table.remove('third');
    expect(types(table, 'shared')).toBeUndefined();
  });

  it('a name given twice by one owner has the addresses of both, each once', () => {
    const table = createZoneTable([{ apex }]);
    table.put('ep-1', [at('twice', '10.0.0.1', 'fd00::1'), at('TWICE', '10.0.0.1', 'fd00:0::1', '10.0.0.2')]);
    expect(types(table, 'twice')).toEqual([
      [1, 2],
      [28, 1],
    ]);
  });

  it('what the zone has itself stays, whoever declares the same name', () => {
    const table = createZoneTable([{ apex, nameServerAddresses: [{ type: 'A', data: '127.0.0.53' }] }]);
    table.put('owner', [at('ns1', '10.0.0.1'), { name: apex, records: [{ type: 'A', data: '10.0.0.2' }] }]);
    expect(types(table, 'ns1')).toEqual([[recordType.A, 2]]);
    expect(table.lookup(wireName(apex))?.rrsets?.map(({ type }) => type)).toEqual([6, 2, 1]);
    table.remove('owner');
    expect(types(table, 'ns1')).toEqual([[recordType.A, 1]]);
    expect(table.lookup(wireName(apex))?.rrsets?.map(({ type }) => type)).toEqual([6, 2]);
  });

  it.each<[string, NameRecords, string]>([
    ['a name in no zone', { name: 'ep.example.org', records: [] }, '"ep.example.org" is in no zone of this server'],
    ['a name that only ends like a zone', { name: `x${apex}`, records: [] }, 'is in no zone of this server'],
    ['an empty label', at('a..b'), 'is no host name: label ""'],
    ['no name', { name: '', records: [] }, 'is no host name'],
    ['a label of 64', at('a'.repeat(64)), 'is no host name'],
    ['a name of more than 255 bytes', at(`${'a'.repeat(63)}.`.repeat(4).slice(0, -1)), 'longer than 255 bytes'],
    ['a letter outside ASCII', at('é'), 'label "é"'],
    ['no IPv4 address', at('a', '10.0.0.256'), '"10.0.0.256" is no address for an A record'],
    ['an interface', at('a', 'fe80::1%eth0'), 'is no address for an AAAA record'],
    ['the wrong family', { name: apex, records: [{ type: 'AAAA', data: '10.0.0.1' }] }, 'for an AAAA record'],
  ])('%s is refused and changes nothing', (_, wrong, message) => {
    const table = createZoneTable([{ apex }]);
    table.put('ep-1', [at('ep-1', '10.0.0.1')]);
    const before = table.size();
    expect(() => table.put('ep-1', [at('ep-2', '10.0.0.2'), wrong])).toThrow(message);
    expect(types(table, 'ep-1')).toEqual([[recordType.A, 1]]);
    expect(types(table, 'ep-2')).toBeUndefined();
    expect(table.size()).toBe(before);
  });

  it('an owner needs an id', () => {
    expect(() => createZoneTable([{ apex }]).put('', [])).toThrow('an owner of names needs an id');
  });
});

describe('zones', () => {
  it('several are served side by side and inside each other', () => {
    const table = createZoneTable([{ apex: `eu.${apex}` }, { apex: 'Example.ORG.' }, { apex }]);
    table.put('ep-1', [at('x.eu', '10.0.0.1'), { name: 'x.example.org', records: [] }]);
    const apexOf = (name: string) => table.lookup(wireName(name))?.zone.apex;
    expect(apexOf(`x.eu.${apex}`)).toBe(wireName(`eu.${apex}`));
    expect(apexOf(`absent.eu.${apex}`)).toBe(wireName(`eu.${apex}`));
    expect(apexOf(`absent.${apex}`)).toBe(wireName(apex));
    expect(apexOf('x.example.org')).toBe(wireName('example.org'));
    expect(table.lookup(wireName('org'))).toBeUndefined();
  });

  it('a zone inside another makes the names between them exist, in whatever order they are given', () => {
    const table = createZoneTable([{ apex: `a.eu.${apex}` }, { apex }]);
    expect(types(table, 'eu')).toEqual([]);
    expect(types(table, 'us')).toBeUndefined();
  });

  it.each([
    [{}, { answer: 60, denial: 5 }],
    [
      { ttl: 300, negativeTtl: 30 },
      { answer: 300, denial: 30 },
    ],
    [{ ttl: 3 }, { answer: 3, denial: 3 }],
  ])('with %o records and absences may be cached for %o seconds', (settings, expected) => {
    const table = createZoneTable([{ apex, ...settings }]);
    table.put('ep-1', [at('ep-1', '10.0.0.1')]);
    const found = table.lookup(wireName(`ep-1.${apex}`));
    const ttl = (rrset: Rrset | undefined) => rrset?.records[0]?.readUInt32BE(4);
    expect({ answer: ttl(found?.rrsets?.[0]), denial: ttl(found?.zone.denial) }).toEqual(expected);
    expect([found?.zone.soa, found?.zone.ns].map(ttl)).toEqual([expected.answer, expected.answer]);
  });

  it('a wildcard does not reach into a zone inside its own', () => {
    const table = createZoneTable([{ apex }, { apex: `eu.${apex}` }]);
    table.put('wild', [at('*', '10.0.0.1')]);
    expect(types(table, 'any')).toEqual([[recordType.A, 1]]);
    expect(types(table, 'any.eu')).toBeUndefined();
  });

  it.each([
    [[{ apex }, { apex: apex.toUpperCase() }], 'is given twice'],
    [[{ apex: '' }], 'is no host name'],
  ])('no zone twice, none at the root', (zones, message) => {
    expect(() => createZoneTable(zones)).toThrow(message);
  });

  it('the serial can be set, modulo 2^32', () => {
    const table = createZoneTable([{ apex }], 41);
    const serials = () => {
      const zone = table.lookup(wireName(apex))?.zone;
      return [zone?.soa, zone?.denial].map((rrset) => rrset?.records[0]?.readUInt32BE(rrset.records[0].length - 20));
    };
    expect(serials()).toEqual([41, 41]);
    table.setSerial(2 ** 32 + 5);
    expect(serials()).toEqual([5, 5]);
  });
});
