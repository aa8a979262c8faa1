import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wireName } from './wire-name.ts';
import { createZoneTable, type NameRecords, type ZoneTable } from './zone-table.ts';

const apex = 'z.example';
const labels = ['a', 'b', '*', 'c'];
const relative = fc.array(fc.constantFrom(...labels), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const addresses = fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });
const name: fc.Arbitrary<NameRecords> = fc.tuple(relative, addresses).map(([own, last]) => ({
  name: `${own}.${apex}`,
  records: last.map((byte) => ({ type: byte % 2 ? 'A' : 'AAAA', data: byte % 2 ? `10.0.0.${byte}` : `fd00::${byte}` })),
}));
const owner = fc.constantFrom('one', 'two', 'three');
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ owner, names: fc.array(name, { maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ owner }) },
);
type Change = { owner: string; names?: NameRecords[] };

/** Every name of up to four of the labels, so that lookups meet names above, below and beside those put. */
const everyName = labels.reduce<string[]>(
  (names) => [...new Set([...names, ...names.flatMap((tail) => labels.map((own) => `${own}.${tail}`))])],
  [apex],
);

function apply(table: ZoneTable, { owner: who, names }: Change): void {
  if (names) table.put(who, names);
  else table.remove(who);
}

function declaredBy(changes: readonly Change[]): Map<string, NameRecords[]> {
  const declared = new Map<string, NameRecords[]>();
  for (const { owner: who, names } of changes) {
    if (names) declared.set(who, names);
    else declared.delete(who);
  }
  return declared;
}

function told(table: ZoneTable, asked: string): string[] | undefined {
  const found = table.lookup(wireName(asked));
  return found?.rrsets?.flatMap(({ records }) => records.map((record) => record.toString('hex'))).toSorted();
}

/** The addresses of a name by RFC 4592 and RFC 8020, looked up the slow and obvious way. */
function naive(all: readonly NameRecords[], asked: string): string[] | undefined {
  const exists = (wanted: string) =>
    wanted === apex || all.some((entry) => entry.name === wanted || entry.name.endsWith(`.${wanted}`));
  const data = (wanted: string) => [
    ...new Set(all.filter((entry) => entry.name === wanted).flatMap(({ records }) => records.map((r) => r.data))),
  ];
  if (exists(asked)) return data(asked).toSorted();
  let encloser = asked;
  while (!exists(encloser)) encloser = encloser.slice(encloser.indexOf('.') + 1);
  const wildcard = `*.${encloser}`;
  return exists(wildcard) ? data(wildcard).toSorted() : undefined;
}

function addressesOf(table: ZoneTable, asked: string): string[] | undefined {
  const rrsets = table.lookup(wireName(asked))?.rrsets?.filter(({ type }) => type === 1 || type === 28);
  const last = (record: Buffer) => record.readUInt8(record.length - 1);
  return rrsets
    ?.flatMap(({ type, records }) => records.map((record) => `${type === 1 ? '10.0.0.' : 'fd00::'}${last(record)}`))
    .toSorted();
}

describe('the zone table', () => {
  it('answers as the naive model does: a name exists iff it or something below it is declared', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), (names) => {
        const table = createZoneTable([{ apex }]);
        table.put('owner', names);
        const ns1 = { name: `ns1.${apex}`, records: [] };
        for (const asked of everyName)
          expect([asked, addressesOf(table, asked)]).toEqual([asked, naive([...names, ns1], asked)]);
      }),
      { numRuns: 150 },
    );
  });

  it('after any changes equals one built afresh from what is left', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes: Change[]) => {
        const changed = createZoneTable([{ apex }]);
        for (const each of changes) apply(changed, each);
        const fresh = createZoneTable([{ apex }]);
        for (const [who, names] of declaredBy(changes)) fresh.put(who, names);
        expect(changed.size()).toBe(fresh.size());
        for (const asked of everyName) expect([asked, told(changed, asked)]).toEqual([asked, told(fresh, asked)]);
      }),
      { numRuns: 150 },
    );
  });

  it('is empty again when every owner is gone', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes: Change[]) => {
        const table = createZoneTable([{ apex }]);
        const empty = table.size();
        for (const each of changes) apply(table, each);
        for (const who of ['one', 'two', 'three']) table.remove(who);
        expect(table.size()).toBe(empty);
      }),
    );
  });
});
