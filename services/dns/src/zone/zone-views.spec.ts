import { describe, expect, it } from 'vitest';
import { createAnswer } from '../server/answer.ts';
import { createAsk } from '../server/ask.ts';
import { createZoneViews, type ViewedName } from './zone-views.ts';

const apex = 'privatelink.internal';
const named = (isPrivate: boolean, name: string, ...addresses: readonly string[]): ViewedName => ({
  ...{ name, isPrivate },
  records: addresses.map((data) => ({ type: 'A', data })),
});
const own = (name: string, ...addresses: readonly string[]) => named(true, name, ...addresses);
const given = (name: string, ...addresses: readonly string[]) => named(false, `${name}.${apex}`, ...addresses);

const open = () => {
  const views = createZoneViews(apex);
  const asking = (vpcId: string | null, zoneId = '') => {
    const table = vpcId === null ? views.everybody : views.inside(vpcId, zoneId);
    const ask = createAsk(createAnswer({ table, nextRotation: () => 0 }));
    return (name: string) => {
      const { rcode, records } = ask(name, 'A');
      return records.length > 0 ? [...records].sort() : rcode;
    };
  };
  return { views, in: asking };
};

describe('a name of a VPC', () => {
  it('is answered there, and elsewhere not even denied', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [given('ep-1', '10.0.0.1'), own('db.example.com', '10.0.0.1')]);
    views.put('ep-2', 'vpc-2', [given('ep-2', '10.0.0.2')]);
    expect(within('vpc-1')('db.example.com')).toEqual(['10.0.0.1']);
    for (const vpcId of [null, 'vpc-2', 'vpc-9']) expect(within(vpcId)('db.example.com')).toBe('REFUSED');
    for (const vpcId of [null, 'vpc-1', 'vpc-2']) {
      expect([within(vpcId)(`ep-1.${apex}`), within(vpcId)(`ep-2.${apex}`)]).toEqual([['10.0.0.1'], ['10.0.0.2']]);
    }
  });

  it('leads in each VPC to that VPC’s endpoint', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [own('db.example.com', '10.0.0.1')]);
    views.put('ep-2', 'vpc-2', [own('db.example.com', '10.0.0.2')]);
    expect([within('vpc-1')('db.example.com'), within('vpc-2')('DB.example.com')]).toEqual([
      ['10.0.0.1'],
      ['10.0.0.2'],
    ]);
    views.remove('ep-1');
    expect([within('vpc-1')('db.example.com'), within('vpc-2')('db.example.com')]).toEqual(['REFUSED', ['10.0.0.2']]);
  });

  it('that is more specific is before a wildcard, whichever came first', () => {
    for (const order of [
      ['ep-1', 'ep-2'],
      ['ep-2', 'ep-1'],
    ]) {
      const { views, in: within } = open();
      for (const endpointId of order) {
        const name = endpointId === 'ep-1' ? own('*.example.com', '10.0.0.1') : own('db.example.com', '10.0.0.2');
        views.put(endpointId, 'vpc-1', [name]);
      }
      const ask = within('vpc-1');
      expect([ask('db.example.com'), ask('www.example.com'), ask('a.b.example.com')]).toEqual([
        ['10.0.0.2'],
        ['10.0.0.1'],
        ['10.0.0.1'],
      ]);
      // Below a name that exists no wildcard above it speaks (RFC 4592).
      expect([ask('x.db.example.com'), ask('example.com'), ask('ns1.example.com')]).toEqual([
        'NXDOMAIN',
        'NOERROR',
        ['10.0.0.1'],
      ]);
      views.remove('ep-2');
      expect([ask('db.example.com'), ask('www.example.com')]).toEqual([['10.0.0.1'], ['10.0.0.1']]);
    }
  });

  it('is an authority of its own, and leaves what is between it and a wildcard to that', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [own('*.example.com', '10.0.0.1')]);
    views.put('ep-2', 'vpc-1', [own('a.b.example.com', '10.0.0.2'), own('*.a.b.example.com', '10.0.0.3')]);
    const ask = within('vpc-1');
    expect(['a.b.example.com', 'x.a.b.example.com', 'b.example.com', 'x.b.example.com'].map(ask)).toEqual([
      ['10.0.0.2'],
      ['10.0.0.3'],
      ['10.0.0.1'],
      ['10.0.0.1'],
    ]);
    views.put('ep-2', 'vpc-1', [own('*.a.b.example.com', '10.0.0.3')]);
    expect(['a.b.example.com', 'x.a.b.example.com'].map(ask)).toEqual(['NOERROR', ['10.0.0.3']]);
  });

  it('says of itself as of when it is, though others in its VPC change', () => {
    const { views } = open();
    const ask = createAsk(createAnswer({ table: views.inside('vpc-1', ''), nextRotation: () => 0 }));
    const serial = (name: string) => Number(ask(name, 'SOA').records[0]?.split(' ')[2]);
    views.setSerial(3);
    views.put('ep-1', 'vpc-1', [own('a.example.com', '10.0.0.1')]);
    views.setSerial(4);
    views.put('ep-2', 'vpc-1', [own('b.example.com', '10.0.0.2')]);
    expect(['a.example.com', 'b.example.com'].map(serial)).toEqual([3, 4]);
  });

  it('exists without an answer while its connection is down', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [own('db.example.com')]);
    expect(within('vpc-1')('db.example.com')).toBe('NOERROR');
  });

  it('goes when its endpoint has it no more, and nothing of another goes with it', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [given('ep-1', '10.0.0.1'), own('a.example.com', '10.0.0.1')]);
    views.put('ep-2', 'vpc-1', [given('ep-2', '10.0.0.2'), own('b.example.com', '10.0.0.2')]);
    views.put('ep-1', 'vpc-1', [given('ep-1', '10.0.0.1')]);
    const ask = within('vpc-1');
    expect([ask('a.example.com'), ask(`ep-1.${apex}`)]).toEqual(['REFUSED', ['10.0.0.1']]);
    views.remove('ep-1');
    expect([ask('b.example.com'), ask(`ep-2.${apex}`), ask(`ep-1.${apex}`)]).toEqual([
      ['10.0.0.2'],
      ['10.0.0.2'],
      'NXDOMAIN',
    ]);
  });

  it('that cannot be answered changes nothing', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [own('a.example.com', '10.0.0.1')]);
    expect(() => views.put('ep-1', 'vpc-1', [own('a b.example.com', '10.0.0.9')])).toThrow(RangeError);
    expect(within('vpc-1')('a.example.com')).toEqual(['10.0.0.1']);
  });
});

describe('for clients in a zone', () => {
  const inZone = (zoneId: string, data: string) => ({ type: 'A', data, zoneId }) as const;
  const near: ViewedName = {
    ...{ name: `ep-1.${apex}`, isPrivate: false },
    records: [inZone('h', '10.0.0.1'), inZone('i', '10.0.1.1')],
  };

  it('a name answers the address in that zone, elsewhere all', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [near, { ...near, name: 'db.example.com', isPrivate: true }]);
    for (const name of [`ep-1.${apex}`, 'db.example.com']) {
      expect(['h', 'i', 'j', ''].map((zoneId) => within('vpc-1', zoneId)(name))).toEqual([
        ['10.0.0.1'],
        ['10.0.1.1'],
        ['10.0.0.1', '10.0.1.1'],
        ['10.0.0.1', '10.0.1.1'],
      ]);
    }
    expect(within('vpc-2', 'h')(`ep-1.${apex}`)).toEqual(['10.0.0.1']);
  });

  it('a name whose addresses are of no zone answers all of them', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [given('ep-1', '10.0.0.1', '10.0.1.1')]);
    expect(within('vpc-1', 'h')(`ep-1.${apex}`)).toEqual(['10.0.0.1', '10.0.1.1']);
  });

  it('an answer follows the newest names', () => {
    const { views, in: within } = open();
    views.put('ep-1', 'vpc-1', [near]);
    expect(within('vpc-1', 'h')(`ep-1.${apex}`)).toEqual(['10.0.0.1']);
    views.put('ep-1', 'vpc-1', [{ ...near, records: [inZone('h', '10.0.0.9')] }]);
    expect(within('vpc-1', 'h')(`ep-1.${apex}`)).toEqual(['10.0.0.9']);
    views.remove('ep-1');
    expect(within('vpc-1', 'h')(`ep-1.${apex}`)).toBe('NXDOMAIN');
  });
});
