import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import type { ConnectionCommand } from './connection.commands.ts';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';
import type { ConnectionEvent } from './connection.ts';
import { areNamesOutdated, isDegraded, namedZones } from './forwarding.ts';

const { givenAll } = deciderSpec(connection, the.at);

const seen = (zoneId: string, healthy: boolean, bandwidthKept: boolean | null = null): ConnectionCommand => ({
  type: 'ReportZoneHealth',
  data: { zoneId, healthy, bandwidthKept },
});
const changed = (zoneId: string, healthy: boolean): ConnectionEvent => ({
  type: 'ZoneHealthChanged',
  data: { zoneId, healthy, at: the.at },
});
const keeping = (zoneId: string, kept: boolean): ConnectionEvent => ({
  type: 'BandwidthKeepingChanged',
  data: { zoneId, kept, at: the.at },
});
const after = (...events: readonly ConnectionEvent[]) => {
  const state = evolveAll(connection, connection.initial, [...the.connected, ...events]);
  const zones = Object.values(state.zones);
  return { state, degraded: isDegraded(state), named: namedZones(zones).map(({ zoneId }) => zoneId) };
};

describe('the health of a zone', () => {
  it('is recorded when it changes, and moves no status', () => {
    givenAll(the.connected).when(seen('h', false)).thenEvents(changed('h', false));
    givenAll([...the.connected, changed('h', false)])
      .when(seen('h', true))
      .thenEvents(changed('h', true));
    expect(after(changed('h', false)).state.status).toBe('CONNECTED');
  });

  it.each([
    ['as it is known', the.connected, seen('h', true)],
    ['of a zone that the endpoint has not', the.connected, seen('z', false)],
    ['of a zone that is not open yet', the.connecting, seen('h', false)],
    ['of a zone that is about to close', the.disconnecting, seen('h', false)],
    ['of a zone that is closed', the.disconnected, seen('h', false)],
    ['before the request', [], seen('h', false)],
    ['after the end', the.gone, seen('h', false)],
  ])('changes nothing %s', (_which, history, command) => givenAll(history).when(command).thenNothing());

  it('leads the names to the zones that answer, or to all where none does', () => {
    expect(after()).toMatchObject({ degraded: false, named: ['h', 'i'] });
    expect(after(changed('h', false))).toMatchObject({ degraded: true, named: ['i'] });
    expect(after(changed('h', false), changed('i', false))).toMatchObject({ degraded: true, named: ['h', 'i'] });
    expect(after(changed('h', false), changed('h', true))).toMatchObject({ degraded: false, named: ['h', 'i'] });
  });

  it('is not known any more once the zone is closed', () => {
    const closed: ConnectionEvent = { type: 'ZoneDisconnected', data: { zoneId: 'h', generation: 2, at: the.at } };
    expect(after(changed('h', false), closed).state.zones['h']?.healthy).toBe(true);
  });
});

describe('whether the bandwidth limit is kept in a zone', () => {
  it('is recorded when it changes, by itself or with the health, and outdates no names', () => {
    givenAll(the.connected)
      .when(seen('h', true, false))
      .thenEvents(keeping('h', false));
    givenAll(the.connected)
      .when(seen('h', false, false))
      .thenEvents(changed('h', false), keeping('h', false));
    givenAll([...the.connected, keeping('h', false)])
      .when(seen('h', true, true))
      .thenEvents(keeping('h', true));
    const { state, degraded } = after(keeping('h', false));
    expect([state.status, degraded, areNamesOutdated(state)]).toEqual(['CONNECTED', false, false]);
  });

  it('stays as it is when nothing is said of it', () =>
    givenAll([...the.connected, keeping('h', false)])
      .when(seen('h', true))
      .thenNothing());

  it('is not known any more once the zone is closed', () => {
    const closed: ConnectionEvent = { type: 'ZoneDisconnected', data: { zoneId: 'h', generation: 2, at: the.at } };
    expect(after(keeping('h', false), closed).state.zones['h']?.bandwidthKept).toBe(true);
  });
});

describe('names after a change of health', () => {
  const flipped = [...the.connected, changed('h', false)];
  const put = (healthRevision: number) => the.report(1, { names: 'PUBLISHED', healthRevision });

  it('are outdated until they are put by it', () => {
    expect(areNamesOutdated(after().state)).toBe(false);
    expect(areNamesOutdated(after(changed('h', false)).state)).toBe(true);
    givenAll(flipped).when(put(1)).thenEvents(the.namesAs('NamesPublished', 1));
    expect(areNamesOutdated(after(changed('h', false), the.namesAs('NamesPublished', 1)).state)).toBe(false);
  });

  it('are not those that were put by an earlier one', () => {
    givenAll(flipped).when(put(0)).thenNothing();
    givenAll([...flipped, changed('h', true)])
      .when(put(1))
      .thenNothing();
  });

  it('are put once', () =>
    givenAll([...flipped, the.namesAs('NamesPublished', 1)])
      .when(put(1))
      .thenNothing());
});
