import { queries, registry } from '@privatelink/shared/telemetry/metrics';
import { describe, expect, it } from 'vitest';
import { Malformed, readSamples } from './open-metrics.ts';

const read = (...lines: readonly string[]) => readSamples(`${lines.join('\n')}\n# EOF\n`, new Set(['a_total', 'b']));

describe('a text of OpenMetrics', () => {
  it('is read by the names that are asked for', () => {
    expect(
      read('# HELP a things', '# TYPE a counter', 'a_total{code="OK",x="1"} 3', 'a_created 1.5', 'other{} 4', 'b 2'),
    ).toEqual([
      { name: 'a_total', labels: { code: 'OK', x: '1' }, value: 3 },
      { name: 'b', labels: {}, value: 2 },
    ]);
    expect(read()).toEqual([]);
    expect(readSamples('# EOF', new Set())).toEqual([]);
  });

  it('may have timestamps and exemplars, which are left out', () => {
    const lines = [
      'a_total{le="1"} 3 1700000000.123',
      'a_total{le="2"} 4 # {trace_id="x # {y} 9"} 0.67',
      'a_total{le="3"} 5 -1.5e3 # {} 0.67 1700000000',
    ];
    expect(read(...lines).map(({ labels, value }) => [labels['le'], value])).toEqual([
      ['1', 3],
      ['2', 4],
      ['3', 5],
    ]);
  });

  it('has quotes, braces, commas, line ends and backslashes in values of labels', () => {
    const line = String.raw`b{path="C:\\n\"{a},b=\"",lines="one\ntwo",other="\d",empty="",} 1`;
    expect(read(line)).toEqual([
      { name: 'b', labels: { path: 'C:\\n"{a},b="', lines: 'one\ntwo', other: '\\d', empty: '' }, value: 1 },
    ]);
  });

  it.each([
    ['+Inf', Number.POSITIVE_INFINITY],
    ['-Inf', Number.NEGATIVE_INFINITY],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['NaN', Number.NaN],
    ['1e+03', 1_000],
    ['-.5', -0.5],
    ['17.', 17],
  ])('has numbers such as %s', (text, value) => {
    expect(read(`b ${text}`)).toEqual([{ name: 'b', labels: {}, value }]);
  });

  it.each(['b 0x10', 'b one', 'b', 'b  1', 'b 1 2 3', 'b{x=1} 1', 'b{x="1"y="2"} 1', 'b{x="1} 1', '1b 1', 'b 1\r'])(
    'does not have %j',
    (line) => {
      expect(() => read(line)).toThrow(Malformed);
    },
  );

  it('is not read when it was cut off', () => {
    expect(() => readSamples('b 1\n', new Set(['b']))).toThrow('# EOF');
    expect(() => readSamples('b 1\n# EOF\nb 2', new Set(['b']))).toThrow('# EOF');
  });

  it('is what the processes give', async () => {
    const labels = { transport: 'udp', type: 'A', code: 'a "quoted" \\ and\na line' };
    queries.inc(labels, 2);
    const name = 'privatelink_dns_queries_total';
    expect(readSamples(await registry.metrics(), new Set([name]))).toEqual([{ name, labels, value: 2 }]);
  });
});
