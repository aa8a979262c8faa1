import { describe, expect, it } from 'vitest';
import type { Limit } from './limits.ts';
import { changes, replacement, rulesOf } from './ruleset.ts';

const limit = (connectionId: string, mbps: number, ...hosts: readonly string[]): Limit => ({
  ...{ connectionId, mbps, binds: hosts.map((host) => ({ host, port: 443, namespace: null })) },
});
const lines = (text: string): readonly string[] => text.trimEnd().split('\n');

describe('rules for bandwidth', () => {
  it('have one limit for each direction, for all addresses of an interface', () => {
    const text = changes('t', new Map(), rulesOf([limit('ep-1', 100, '10.0.0.5', 'fd00::5')]));
    expect(lines(text)).toEqual([
      'add limit inet t ep-1/100/in { rate over 12500000 bytes/second; }',
      'add limit inet t ep-1/100/out { rate over 12500000 bytes/second; }',
      'add element inet t in4 { 10.0.0.5 . 443 : "ep-1/100/in" }',
      'add element inet t out4 { 10.0.0.5 . 443 : "ep-1/100/out" }',
      'add element inet t in6 { fd00::5 . 443 : "ep-1/100/in" }',
      'add element inet t out6 { fd00::5 . 443 : "ep-1/100/out" }',
    ]);
  });

  it('change in what is another, and in nothing else', () => {
    const before = rulesOf([limit('ep-1', 100, '10.0.0.5'), limit('ep-2', 100, '10.0.0.6')]);
    expect(changes('t', before, before)).toBe('');
    const after = rulesOf([limit('ep-1', 200, '10.0.0.5'), limit('ep-2', 100, '10.0.0.6')]);
    expect(lines(changes('t', before, after))).toEqual([
      'delete element inet t in4 { 10.0.0.5 . 443 : "ep-1/100/in" }',
      'delete element inet t out4 { 10.0.0.5 . 443 : "ep-1/100/out" }',
      'delete limit inet t ep-1/100/in',
      'delete limit inet t ep-1/100/out',
      'add limit inet t ep-1/200/in { rate over 25000000 bytes/second; }',
      'add limit inet t ep-1/200/out { rate over 25000000 bytes/second; }',
      'add element inet t in4 { 10.0.0.5 . 443 : "ep-1/200/in" }',
      'add element inet t out4 { 10.0.0.5 . 443 : "ep-1/200/out" }',
    ]);
  });

  it('leave no table where there are none', () => {
    expect(lines(replacement('t', rulesOf([])))).toEqual(['table inet t', 'delete table inet t']);
  });
});
