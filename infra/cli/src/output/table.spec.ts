import { describe, expect, it } from 'vitest';
import { rpcs } from '../contract.ts';
import { previewLines } from './preview.ts';
import { details, table } from './table.ts';

const connection = rpcs.find(({ method }) => method.name === 'GetConnection')?.method.output.fields[0]?.message;
if (!connection) throw new Error('the contract has no connection');

const ROW = {
  ...{ connection_id: 'ep-1', service_id: 'epsrv-1', status: 'CONNECTION_STATUS_CONNECTED', generation: '2' },
  ...{ create_time: '2030-01-02T03:04:05.678Z', stuck: false, missing: [], endpoint_account_id: '1000000000000001' },
};

describe('a table', () => {
  it('has which and in what state first, times last, and no column that is empty everywhere', () => {
    const [heading, row] = table(connection, [ROW], 200);
    expect(heading?.split(/ {2,}/)).toEqual([
      ...['CONNECTION ID', 'STATUS', 'SERVICE ID', 'ENDPOINT ACCOUNT ID', 'GENERATION', 'CREATE TIME'],
    ]);
    expect(row?.split(/ {2,}/)).toEqual([
      'ep-1',
      'CONNECTED',
      'epsrv-1',
      '1000000000000001',
      '2',
      '2030-01-02 03:04:05',
    ]);
  });

  it('fits the terminal, whatever its width', () => {
    for (let width = 20; width < 120; width++) {
      for (const line of table(connection, [ROW, { ...ROW, service_name: 'x'.repeat(200) }], width)) {
        expect(line.length).toBeLessThanOrEqual(Math.max(width, 'CONNECTION ID'.length));
      }
    }
  });
});

it('details say what is said, with what is inside below', () => {
  const holds = [{ reason: 'HOLD_REASON_PAUSED_BY_PROVIDER', source: '', message: 'maintenance' }];
  const lines = details(connection, { ...ROW, holds }, 100);
  expect(lines).toContain('STATUS               CONNECTED');
  expect(lines.slice(lines.indexOf('HOLDS'), lines.indexOf('HOLDS') + 3)).toEqual([
    ...['HOLDS', '  REASON              MESSAGE', '  PAUSED_BY_PROVIDER  maintenance'],
  ]);
});

it('details lose nothing, however long it is and narrow the terminal', () => {
  const domainName = `${'x'.repeat(90)}.internal`;
  const message = 'y'.repeat(90);
  const holds = [{ reason: 'HOLD_REASON_PAUSED_BY_PROVIDER', source: 'me', message }];
  const lines = details(connection, { ...ROW, domain_name: domainName, holds }, 60);
  expect(lines).toContain(`DOMAIN NAME          ${domainName}`);
  expect(lines).toContain(`    MESSAGE  ${message}`);
  expect(lines).toContain('  - REASON   PAUSED_BY_PROVIDER');
});

it('details wrap sentences under their beginning', () => {
  const message = 'the bill of May has not been paid, and so it is not connected until it is';
  const holds = [{ reason: 'HOLD_REASON_PAUSED_BY_PROVIDER', source: 'me', message }];
  const lines = details(connection, { ...ROW, holds }, 60);
  const at = lines.findIndex((line) => line.startsWith('    MESSAGE'));
  expect(lines.slice(at, at + 2)).toEqual([
    '    MESSAGE  the bill of May has not been paid, and so it is',
    '             not connected until it is',
  ]);
});

it('a preview is a list of what would be recorded, or says that nothing would', () => {
  expect(previewLines({ events: [] }, 80)).toEqual(['Nothing would change.']);
  const event = { resource_type: 'connection', resource_id: 'ep-1', type: 'HoldPlaced' };
  const transition = { from: 'CONNECTED', to: 'DISCONNECTING', because: 'holdPlaced' };
  const preview = { events: [{ ...event, transition }], connection_ids: ['ep-1'], truncated: true };
  expect(previewLines(preview, 80)).toEqual([
    'Nothing was changed. It would record, in this order:',
    '+ connection ep-1  HoldPlaced  CONNECTED -> DISCONNECTING',
    'touches 1 connections: ep-1',
    'and more, which is not shown',
  ]);
});
