import { describe, expect, it } from 'vitest';
import { createDataPlane } from './data-plane.ts';
import type { Process } from './processes.ts';

const START = Date.parse('2026-01-02T03:00:00Z');
const at = (seconds: number): Date => new Date(START + seconds * 1_000);

const silent = (process: Process): Process => ({ ...process, isAnswering: false });

describe('the data plane', () => {
  type Told = Readonly<{ zone?: string; began?: number; reloads?: number; failed?: number }>;
  const told = (
    address: string,
    seconds: number,
    { zone = 'h', began = 0, reloads = 0, failed = 0 }: Told = {},
  ): Process => ({
    ...{ address, heardAt: at(seconds), isAnswering: true },
    samples: [
      {
        name: 'privatelink_forwarding_shift_start_time_seconds',
        labels: { zone, agent: `of-${address}` },
        value: began,
      },
      { name: 'privatelink_forwarding_interfaces', labels: { desired: 'READY', confirmed: 'true' }, value: 5 },
      { name: 'privatelink_forwarding_interfaces', labels: { desired: 'READY', confirmed: 'false' }, value: 2 },
      { name: 'privatelink_forwarding_interfaces', labels: { desired: 'CLOSED', confirmed: 'false' }, value: 1 },
      { name: 'privatelink_forwarding_interfaces', labels: { desired: 'CLOSED', confirmed: 'true' }, value: 9 },
      { name: 'privatelink_forwarding_impaired_interfaces', labels: { problem: 'no target' }, value: 4 },
      { name: 'privatelink_forwarding_targets', labels: { state: 'down' }, value: 3 },
      { name: 'privatelink_forwarding_reloads_total', labels: {}, value: reloads },
      { name: 'privatelink_forwarding_round_duration_seconds_count', labels: { outcome: 'in place' }, value: 99 },
      { name: 'privatelink_forwarding_round_duration_seconds_count', labels: { outcome: 'failed' }, value: failed },
    ],
  });

  it('is each zone that there should be with its agents, and what the one does that works', () => {
    const dataPlane = createDataPlane(['g', 'h']);
    dataPlane.hear([told('2', 0, { began: 1_700_000_000 }), told('1', 0), told('3', 0, { zone: 'new' })], at(0));
    const { zones, unknown } = dataPlane.show();
    expect(unknown).toEqual([]);
    expect(zones.map(({ zoneId, agents }) => [zoneId, agents.map(({ name }) => name)])).toEqual([
      ['g', []],
      ['h', ['of-1', 'of-2']],
      ['new', ['of-3']],
    ]);
    expect(zones[1]?.agents.map(({ work }) => work)).toEqual([
      null,
      {
        ...{ since: new Date(1_700_000_000_000), forwards: 5, pending: 3, notInPlace: 0, withoutTarget: 4 },
        ...{ limitsNotKept: 0, targetsDown: 3, reloads: 0, failedRounds: 0 },
      },
    ]);
  });

  it('knows of an agent that does not answer what it was, and of one that never did nothing', () => {
    const dataPlane = createDataPlane(['h']);
    const never = { address: '9', heardAt: null, isAnswering: false, samples: [] };
    const working = told('1', 0, { began: 1 });
    dataPlane.hear([working, never], at(0));
    dataPlane.hear([silent(working), never], at(2));
    expect(dataPlane.show()).toEqual({
      zones: [
        {
          zoneId: 'h',
          agents: [{ address: '1', name: 'of-1', isAnswering: false, heardAt: at(0), work: null }],
        },
      ],
      unknown: [{ address: '9', name: '', isAnswering: false, heardAt: null, work: null }],
    });
  });

  it('counts reloads and rounds that failed in the last half hour, also of one that began anew', () => {
    const dataPlane = createDataPlane([]);
    const workAt = (seconds: number, reloads: number, failed: number) => {
      dataPlane.hear([told('1', seconds, { began: 1, reloads, failed })], at(seconds));
      const { work } = dataPlane.show().zones[0]?.agents[0] ?? {};
      return [work?.reloads, work?.failedRounds];
    };
    expect(workAt(0, 100, 7)).toEqual([0, 0]);
    expect(workAt(10, 103, 7)).toEqual([3, 0]);
    expect(workAt(20, 2, 1)).toEqual([5, 1]);
    expect(workAt(1_815, 2, 1)).toEqual([2, 1]);
    expect(workAt(1_830, 2, 1)).toEqual([0, 0]);
  });
});
