import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSlots, type Slots } from './slots.ts';

const accountOf = (vpcId: string): string => vpcId.slice(0, 1);
const take = (slots: Slots, vpcId: string) => slots.take({ vpcId, accountId: accountOf(vpcId), zoneIds: [] });
const shown = ({ held }: Slots) => [...held].map(([slot, { vpcId }]) => [slot, vpcId]).sort();

describe('slots', () => {
  it('go to whoever comes first, the lowest free one', () => {
    const slots = createSlots({ count: 3, perAccount: 3 });
    expect(['a1', 'b1', 'a2'].map((vpcId) => take(slots, vpcId))).toEqual([true, true, true]);
    slots.give('a1');
    take(slots, 'c1');
    expect(shown(slots)).toEqual([
      [0, 'c1'],
      [1, 'b1'],
      [2, 'a2'],
    ]);
  });

  it('are waited for in turn', () => {
    const slots = createSlots({ count: 1, perAccount: 1 });
    expect(['a1', 'b1', 'c1', 'd1'].map((vpcId) => take(slots, vpcId))).toEqual([true, false, false, false]);
    slots.give('b1');
    slots.give('a1');
    expect(shown(slots)).toEqual([[0, 'c1']]);
  });

  it('are not all one account’s, whose next waits for its own', () => {
    const slots = createSlots({ count: 3, perAccount: 1 });
    expect(['a1', 'a2', 'b1'].map((vpcId) => take(slots, vpcId))).toEqual([true, false, true]);
    slots.give('b1');
    expect(shown(slots)).toEqual([[0, 'a1']]);
    slots.give('a1');
    expect(shown(slots)).toEqual([[0, 'a2']]);
  });

  it('are never doubled or idle while somebody waits who may have one', () => {
    const vpc = fc.constantFrom('a1', 'a2', 'a3', 'b1', 'b2', 'c1');
    const step = fc.record({ vpcId: vpc, isTaken: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const slots = createSlots({ count: 3, perAccount: 2 });
        const wanted = new Set<string>();
        for (const { vpcId, isTaken } of steps) {
          if (isTaken === wanted.has(vpcId)) continue;
          if (isTaken) take(slots, vpcId);
          else slots.give(vpcId);
          if (isTaken) wanted.add(vpcId);
          else wanted.delete(vpcId);
          const holders = [...slots.held.values()].map((holder) => holder.vpcId);
          expect(new Set(holders).size).toBe(holders.length);
          expect(holders.every((holder) => wanted.has(holder))).toBe(true);
          const count = (account: string) => holders.filter((holder) => accountOf(holder) === account).length;
          const mayHave = [...wanted].filter((one) => !holders.includes(one) && count(accountOf(one)) < 2);
          expect(holders.length === 3 || mayHave.length === 0).toBe(true);
          expect(['a', 'b', 'c'].every((account) => count(account) <= 2)).toBe(true);
        }
      }),
    );
  });
});
