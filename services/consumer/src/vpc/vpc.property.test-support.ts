import { evolveAll } from '@privatelink/shared/eventing/decider';
import { parseCidr } from './cidr.ts';
import { vpc } from './vpc.decide.ts';
import type { Vpc, VpcCommand } from './vpc.ts';

export const START = Date.parse('2026-01-02T03:04:05.000Z');
export const REST_MS = 120_000;
export const iso = (ms: number): string => new Date(ms).toISOString();

const ranges: Readonly<Record<string, string>> = {
  'vsw-0': '10.0.0.0/28',
  'vsw-1': '10.0.0.16/29',
  'vsw-2': '10.0.0.24/29',
  'vsw-0/6': '2001:db8::/64',
  'vsw-1/6': '2001:db8:0:1::/64',
  'vsw-2/6': '2001:db8:0:2::/64',
};
export const rangeOf = (key: string) => {
  const text = ranges[key] ?? '';
  const cidr = parseCidr(text, text.includes(':') ? 6 : 4);
  if (typeof cidr === 'string') throw new Error(`${key}: ${cidr}`);
  return cidr;
};

export const run = (state: Vpc, commands: readonly VpcCommand[], at: string): Vpc =>
  commands.reduce((ledger, command) => evolveAll(vpc, ledger, vpc.decide(command, ledger, at)), state);

export const fresh: Vpc = run(
  vpc.initial,
  [
    {
      type: 'RegisterVpc',
      data: {
        ...{ vpcId: 'vpc-1', accountId: '1'.repeat(16), regionId: 'r', tags: [] },
        ...{ ipv4Cidr: '10.0.0.0/24', ipv6Cidr: '2001:db8::/56' },
      },
    },
    ...[0, 1, 2].map(
      (i): VpcCommand => ({
        type: 'RegisterVSwitch',
        data: {
          vswitchId: `vsw-${i}`,
          zoneId: `zone-${i}`,
          zoneRegion: 'r',
          ipv4Cidr: ranges[`vsw-${i}`] ?? '',
          ipv6Cidr: ranges[`vsw-${i}/6`] ?? '',
          tags: [],
        },
      }),
    ),
    { type: 'RegisterSecurityGroup', data: { securityGroupId: 'sg-1', rules: [], tags: [] } },
  ],
  iso(START),
);
