import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionCommand } from './connection.commands.ts';
import * as the from './connection.fixtures.ts';
import { connectionObstacles } from './connection.obstacles.ts';
import { anyState, last, run, settled, settling } from './connection.stories.ts';
import { initialConnection } from './connection.ts';
import { isServing } from './forwarding.ts';

const after = (...commands: ConnectionCommand[]) => last(run(commands));
const assigned = ['h', 'i'].map((zoneId) => ({ zoneId, resource: the.resource(zoneId), placement: 1 }));
const withResources = the.report(1, { assigned });
const reasonsOf = (state: Parameters<typeof connectionObstacles>[0]) =>
  connectionObstacles(state).map(({ reason, zoneId }) => (zoneId ? `${reason} ${zoneId}` : reason));

describe('what stands in the way of a connection', () => {
  it('is nothing exactly when it is connected and a zone answers, but for others that are off or do not', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const whole = connectionObstacles(state).filter(({ partial }) => !partial);
        const answers = Object.values(state.zones).some((zone) => isServing(zone) && zone.healthy);
        expect(whole.length === 0, JSON.stringify(whole)).toBe(state.status === 'CONNECTED' && answers);
        for (const { reason, partial, zoneId } of connectionObstacles(state)) {
          const { enabled, healthy } = state.zones[zoneId ?? ''] ?? {};
          if (partial) expect(reason).toBe(enabled && !healthy ? 'ZONE_UNHEALTHY' : 'ZONE_DISABLED');
        }
      }),
    );
  });

  it('is each of its holds, whatever else there is', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        if (state.status === 'SERVICE_DELETED' || state.status === 'DELETING' || state.status === 'GONE') return;
        const shown = connectionObstacles(state).flatMap(({ hold }) => hold ?? []);
        const held = [...(state.decisionHold ? [state.decisionHold] : []), ...Object.values(state.holds)];
        expect(shown).toHaveLength(held.length);
        expect(shown).toEqual(expect.arrayContaining(held));
      }),
    );
  });

  it('is that it was never asked for, that it is established, or what it still waits for', () => {
    expect(reasonsOf(initialConnection)).toEqual(['CONNECTION_NOT_REQUESTED']);
    const requested = after(the.request(true));
    expect(reasonsOf(requested)).toEqual([
      ...['CONNECTION_IN_TRANSITION', 'NO_AVAILABLE_RESOURCE h', 'NO_AVAILABLE_RESOURCE i', 'NAMES_MISSING'],
    ]);
    const placed = after(the.request(true), withResources);
    expect(reasonsOf(placed)).toEqual([
      ...['CONNECTION_IN_TRANSITION', 'FORWARDING_MISSING h', 'FORWARDING_MISSING i', 'NAMES_MISSING'],
    ]);
    expect(reasonsOf(settled(placed))).toEqual([]);
  });

  it('is all at once: not accepted, paused by both', () => {
    const state = after(the.request(false), the.pause('CONSUMER'), the.pause('PROVIDER'));
    expect(reasonsOf(state).slice(0, 3)).toEqual(['AWAITING_ACCEPTANCE', 'PAUSED_BY_CONSUMER', 'PAUSED_BY_PROVIDER']);
  });

  it('is in one zone only where the provider has switched that off', () => {
    const up = settled(after(the.request(true), withResources));
    const off = last(run([the.switched('DisableZone', 'h'), settling], up));
    expect(reasonsOf(off)).toEqual(['ZONE_DISABLED h']);
    expect(connectionObstacles(off)[0]).toMatchObject({ partial: true });
  });

  it('is that the provider has switched off what is left, where the consumer removed the other zone meanwhile', () => {
    const up = settled(after(the.request(true), withResources));
    const off = last(run([the.switched('DisableZone', 'h'), settling, the.updated(3, ['h']), settling], up));
    expect([off.status, reasonsOf(off)]).toEqual(['CONNECTED', ['ZONE_DISABLED h']]);
    expect(connectionObstacles(off)[0]).toMatchObject({ partial: false });
  });

  it('is that zones do not answer: in part while another one does', () => {
    const up = settled(after(the.request(true), withResources));
    const silent = (zoneId: string): ConnectionCommand => ({
      type: 'ReportZoneHealth',
      data: { zoneId, healthy: false, bandwidthKept: null },
    });
    const one = last(run([silent('h')], up));
    expect(connectionObstacles(one)).toEqual([
      { reason: 'ZONE_UNHEALTHY', zoneId: 'h', facts: { resource: 'nlb-h' }, partial: true },
    ]);
    const none = last(run([silent('i')], one));
    expect(connectionObstacles(none)).toMatchObject([
      { reason: 'ZONE_UNHEALTHY', zoneId: 'h', partial: false },
      { reason: 'ZONE_UNHEALTHY', zoneId: 'i', partial: false },
    ]);
  });

  it('is nothing but its end when the service or the endpoint is gone', () => {
    expect(reasonsOf(after(the.request(false), the.apply(the.serviceDeleted)))).toEqual(['SERVICE_DELETED']);
    expect(reasonsOf(after(the.request(false), the.remove))).toEqual(['CONNECTION_IN_TRANSITION']);
  });
});
