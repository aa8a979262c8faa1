import { setImmediate as nextTurn } from 'node:timers/promises';
import { Forwarding, ForwardingState, type ReportZoneHealthRequest } from '@privatelink/proto/broker/v1/broker_service';
import { recordedLog } from '@privatelink/shared/grpc/test-support';
import { describe, expect, it } from 'vitest';
import { createZoneState } from './desired/zone-state.ts';
import type { Forward } from './haproxy/forward.ts';
import { createHealthReports } from './health.ts';

const A = { ip: '10.0.0.1', port: 80 };
const B = { ip: '10.0.0.2', port: 80 };
const OTHER = { ip: '10.0.0.1', port: 443 };
const checkOf = { A: ':10.0.0.1:80', B: ':10.0.0.2:80', OTHER: ':10.0.0.1:443' };

const forward = (port: number, ...targets: Forward['targets']): Forward => ({
  ...{ connectionId: 'ep-1', port, binds: [], targets, targetNamespace: null, source: null },
  ...{ proxyProtocol: false, ingress: null },
});

const open = (change: Partial<Forwarding> = {}) => {
  const zone = createZoneState();
  const value = Forwarding.fromPartial({
    ...{ connectionId: 'ep-1', generation: 1n, state: ForwardingState.READY, confirmed: true, healthy: true },
    ...{ bandwidthKept: true, ...change },
  });
  zone.tell({ told: { $case: 'forwarding', value }, position: 1n });
  const reported: boolean[] = [];
  const kept: (boolean | undefined)[] = [];
  let answer: Promise<object> = Promise.resolve({});
  const { log, lines } = recordedLog();
  const broker = {
    reportZoneHealth: ({ healthy, bandwidthKept }: ReportZoneHealthRequest) => {
      reported.push(healthy);
      kept.push(bandwidthKept);
      return answer;
    },
  };
  const { signal } = new AbortController();
  const deps = { broker, zoneId: 'h', zone, log, signal } as unknown as Parameters<typeof createHealthReports>[0];
  const reports = createHealthReports(deps);
  return {
    reported,
    kept,
    lines,
    look: async (
      forwards: readonly Forward[],
      checks: Readonly<Record<string, boolean>>,
      unkept: readonly string[] = [],
    ) => {
      reports.look(forwards, new Map(Object.entries(checks)), new Set(unkept));
      await nextTurn();
    },
    answerWith: (next: Promise<object>) => {
      answer = next;
      next.catch(() => undefined);
    },
  };
};

describe('the health of an interface', () => {
  const both = [forward(80, A, B), forward(443, OTHER)];
  it.each([
    ['every port has a target that answers', { A: true, B: false, OTHER: true }, []],
    ['a port has none', { A: false, B: false, OTHER: true }, [false]],
    ['a port has none, whatever is not known of another', { A: false, B: false }, [false]],
    ['it is not known of each port whether it has one', { A: true }, []],
    ['one target is down and of another it is not known', { A: false, OTHER: true }, []],
  ])('is said when it changes: %s', async (_which, checks, expected) => {
    const { look, reported } = open();
    const seen = Object.entries(checks).map(([name, up]) => [checkOf[name as keyof typeof checkOf], up]);
    await look(both, Object.fromEntries(seen));
    expect(reported).toEqual(expected);
  });

  it('is said once, and again when it is another', async () => {
    const { look, reported } = open();
    for (const up of [false, false, true, true]) await look([forward(80, A)], { [checkOf.A]: up });
    expect(reported).toEqual([false, true]);
  });

  it('is not said of what is closed or not in place, nor of what nobody forwards', async () => {
    for (const change of [{ state: ForwardingState.CLOSED }, { confirmed: false }, { connectionId: 'ep-2' }]) {
      const { look, reported } = open(change);
      await look([forward(80, A)], { [checkOf.A]: false });
      expect(reported).toEqual([]);
    }
  });

  it('is said with whether its limit is kept, also while it is not known', async () => {
    const { look, reported, kept } = open();
    await look([forward(80, A)], {}, ['ep-1']);
    await look([forward(80, A)], { [checkOf.A]: false }, ['ep-1']);
    await look([forward(80, A)], { [checkOf.A]: false }, ['ep-2']);
    expect(reported).toEqual([true, false, false]);
    expect(kept).toEqual([false, false, true]);
  });

  it('is said again until it is accepted; that it is not is logged once', async () => {
    const { look, reported, lines, answerWith } = open();
    answerWith(Promise.reject(new Error('not now')));
    for (const _ of [1, 2]) await look([forward(80, A)], { [checkOf.A]: false });
    answerWith(Promise.resolve({}));
    for (const _ of [3, 4]) await look([forward(80, A)], { [checkOf.A]: false });
    expect(reported).toEqual([false, false, false]);
    expect(lines).toHaveLength(1);
  });
});
