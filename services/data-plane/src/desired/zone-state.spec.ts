import { Forwarding, ForwardingState, type WatchZoneResponse } from '@privatelink/proto/broker/v1/broker_service';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createZoneState, type ZoneState } from './zone-state.ts';

const { READY, CLOSED, REMOVED } = ForwardingState;

const forwarding = (connectionId: string, generation: number, state: ForwardingState = READY, rest = {}): Forwarding =>
  Forwarding.fromPartial({ connectionId, generation: BigInt(generation), state, ...rest });

const told = (value: Forwarding, position = 0): WatchZoneResponse => ({
  told: { $case: 'forwarding', value },
  position: BigInt(position),
});

const synced = (position: number): WatchZoneResponse => ({
  told: { $case: 'synced', value: true },
  position: BigInt(position),
});

/** One stream that tells these as the whole. */
const tellWhole = (zone: ZoneState, whole: readonly Forwarding[], position: number): void => {
  zone.begin();
  for (const value of whole) zone.tell(told(value));
  zone.tell(synced(position));
};

const shown = (zone: ZoneState): Record<string, string> =>
  Object.fromEntries(
    zone
      .desired()
      .map(({ connectionId, generation, state }) => [connectionId, `${generation} ${state}`])
      .sort(),
  );

describe('the state of a zone', () => {
  it('is whole once the stream says so, each stream anew', () => {
    const zone = createZoneState();
    zone.begin();
    zone.tell(told(forwarding('a', 1)));
    expect(zone.isSynced()).toBe(false);
    zone.tell(synced(5));
    expect(zone.isSynced()).toBe(true);
    zone.begin();
    expect(zone.isSynced()).toBe(false);
    expect(shown(zone)).toEqual({ a: `1 ${READY}` });
  });

  it('loses what a whole does not tell, unless it was told at a later position', () => {
    const zone = createZoneState();
    tellWhole(zone, [forwarding('gone', 1), forwarding('stays', 1)], 5);
    zone.tell(told(forwarding('new', 1), 9));
    tellWhole(zone, [forwarding('stays', 1)], 8);
    expect(shown(zone)).toEqual({ stays: `1 ${READY}`, new: `1 ${READY}` });
    tellWhole(zone, [forwarding('stays', 1)], 9);
    expect(shown(zone)).toEqual({ stays: `1 ${READY}` });
  });

  it('only goes forward within a generation, and takes what is told again as it is now', () => {
    const zone = createZoneState();
    tellWhole(zone, [forwarding('a', 3, CLOSED)], 5);
    zone.tell(told(forwarding('a', 3, READY), 6));
    expect(shown(zone)).toEqual({ a: `3 ${CLOSED}` });
    zone.tell(told(forwarding('a', 3, CLOSED, { confirmed: true }), 7));
    expect(zone.desired()).toMatchObject([{ confirmed: true }]);
    zone.tell(told(forwarding('a', 3, CLOSED), 8));
    expect(zone.desired()).toMatchObject([{ confirmed: false }]);
  });

  it('does not bring back what was removed, nor take a state that it does not know', () => {
    const zone = createZoneState();
    tellWhole(zone, [forwarding('a', 3), forwarding('b', 1)], 5);
    zone.tell(told(forwarding('a', 4, REMOVED), 6));
    zone.tell(told(forwarding('a', 3), 7));
    zone.tell(told(forwarding('b', 2, ForwardingState.UNRECOGNIZED), 8));
    expect(shown(zone)).toEqual({ b: `1 ${READY}` });
  });

  it('keeps what was reported, and knows when a report is of no interest any more', () => {
    const zone = createZoneState();
    tellWhole(zone, [forwarding('a', 3)], 5);
    const listeners = [{ port: 80, address: '127.64.0.1:80' }];
    const ready = { connectionId: 'a', generation: 3n, state: READY, listeners };
    expect(zone.isCurrent(ready)).toBe(true);
    zone.confirm(ready);
    expect(zone.desired()).toMatchObject([{ confirmed: true, listeners }]);
    zone.tell(told(forwarding('a', 4, CLOSED, { listeners }), 6));
    expect(zone.isCurrent(ready)).toBe(false);
    expect(zone.isCurrent({ ...ready, generation: 4n })).toBe(false);
    const closed = { ...ready, generation: 4n, state: CLOSED, listeners: [] };
    expect(zone.isCurrent(closed)).toBe(true);
    zone.confirm(closed);
    expect(zone.desired()).toMatchObject([{ confirmed: true, listeners }]);
    expect(zone.isCurrent({ ...closed, connectionId: 'b' })).toBe(false);
  });
});

describe('whatever is told', () => {
  const state = fc.constantFrom(READY, CLOSED, REMOVED);
  const message = fc.record({ id: fc.constantFrom('a', 'b', 'c'), generation: fc.nat(4), state });
  const messages = fc.array(message, { maxLength: 20 });
  const asForwarding = ({ id, generation, state }: { id: string; generation: number; state: ForwardingState }) =>
    forwarding(id, generation, state);
  const fold = (list: readonly Forwarding[]): ZoneState => {
    const zone = createZoneState();
    tellWhole(zone, [], 0);
    for (const value of list) zone.tell(told(value, 1));
    return zone;
  };

  it('the order and repetition of generations change nothing', () => {
    fc.assert(
      fc.property(messages, fc.infiniteStream(fc.nat()), (list, numbers) => {
        const forwardings = list.map(asForwarding);
        const mixed = [...forwardings, ...forwardings]
          .map((value) => ({ value, at: numbers.next().value ?? 0 }))
          .sort((x, y) => x.at - y.at)
          .map(({ value }) => value);
        expect(shown(fold(mixed))).toEqual(shown(fold(forwardings)));
      }),
    );
  });

  it('the highest generation counts', () => {
    fc.assert(
      fc.property(messages, (list) => {
        const zone = fold(list.map(asForwarding));
        for (const { connectionId, generation } of zone.desired()) {
          const own = list.filter(({ id }) => id === connectionId).map((one) => one.generation);
          expect(Number(generation)).toBe(Math.max(...own));
        }
        const removed = list.filter(({ id }) => !zone.desired().some(({ connectionId }) => connectionId === id));
        for (const { id } of removed) expect(list.some((one) => one.id === id && one.state === REMOVED)).toBe(true);
      }),
    );
  });

  it('a new whole leaves exactly what it tells', () => {
    fc.assert(
      fc.property(messages, fc.uniqueArray(message, { selector: ({ id }) => id }), (list, now) => {
        const zone = fold(list.map(asForwarding));
        const whole = now.map((one) => forwarding(one.id, one.generation + 5, one.state));
        tellWhole(zone, whole, 2);
        expect(shown(zone)).toEqual(shown(fold(whole)));
      }),
    );
  });
});
