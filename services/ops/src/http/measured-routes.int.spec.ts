import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataPlane } from '../measured/data-plane.ts';
import { createDnsQueries } from '../measured/dns-queries.ts';
import { openStage, type Stage } from '../testing/stage.ts';

const PATHS = ['/api/data-plane', '/api/dns-queries'];
const began = {
  name: 'privatelink_forwarding_shift_start_time_seconds',
  labels: { zone: 'h', agent: 'h-1' },
  value: 60,
};
const heardAt = new Date(120_000);

let stage: Stage;
let isConfigured = true;
beforeAll(async () => {
  const dataPlane = createDataPlane(['g', 'h']);
  const queries = createDnsQueries();
  const heard = { address: '127.0.0.1:1', heardAt, isAnswering: true, samples: [began] };
  dataPlane.hear([heard], heardAt);
  for (const [seconds, value] of [[120, 0] as const, [122, 9] as const]) {
    const samples = [{ name: 'privatelink_dns_queries_total', labels: { code: 'NOERROR' }, value }];
    const time = new Date(seconds * 1_000);
    queries.hear([{ ...heard, heardAt: time, samples }], time);
  }
  stage = await openStage({
    measured: {
      dataPlane: () => (isConfigured ? dataPlane.show() : null),
      dnsQueries: () => (isConfigured ? queries.show(new Date(123_000)) : null),
    },
  });
});
afterAll(() => stage?.close());

describe('what agents and DNS measure', () => {
  it('is told with the zones that have no agent, and with the rates of codes', async () => {
    const [dataPlane, queries] = await Promise.all(
      PATHS.map(async (path) => (await stage.get(path, await stage.token(['viewer']))).json()),
    );
    const process = { address: '127.0.0.1:1', isAnswering: true };
    expect(dataPlane).toMatchObject({
      measured: {
        zones: [
          { zoneId: 'g', agents: [] },
          {
            zoneId: 'h',
            agents: [{ ...process, heardAt: heardAt.toISOString(), work: { since: '1970-01-01T00:01:00.000Z' } }],
          },
        ],
      },
    });
    const rates = [{ code: 'NOERROR', perSecond: 4.5 }];
    expect(queries).toEqual({
      measured: {
        processes: [{ ...process, heardAt: '1970-01-01T00:02:02.000Z' }],
        now: rates,
        history: [{ time: '1970-01-01T00:02:00.000Z', rates }],
      },
    });
  });

  it('is said not to be known where nobody said where to ask', async () => {
    isConfigured = false;
    const token = await stage.token(['operator']);
    for (const path of PATHS) expect(await (await stage.get(path, token)).json()).toEqual({ measured: null });
  });
});
