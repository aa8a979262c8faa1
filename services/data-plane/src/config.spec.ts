import { loadConfig } from '@privatelink/shared/runtime/config';
import { StartupError } from '@privatelink/shared/runtime/startup-error';
import { expect, it } from 'vitest';
import { agentConfig } from './config.ts';

const complete = {
  PATH: process.env['PATH'],
  PRIVATELINK_INSTANCE: 'agent-1',
  PRIVATELINK_TOKEN_FILE: '/keys/agent.token',
  PRIVATELINK_JWKS_FILE: '/keys/jwks.json',
  PRIVATELINK_GRPC_LISTEN: '127.0.0.1:5005',
  PRIVATELINK_BROKER: '127.0.0.1:5003',
  PRIVATELINK_ZONE: 'cn-hangzhou-h',
  PRIVATELINK_AGENT_DIR: '/var/lib/privatelink/h',
};

it('has defaults for everything that is not where or who', () => {
  expect(loadConfig(agentConfig, { ...complete, PRIVATELINK_HAPROXY: process.execPath })).toMatchObject({
    zone: 'cn-hangzhou-h',
    directory: '/var/lib/privatelink/h',
    mode: 'loopback',
    loopbackRange: { first: 0x7f400000, size: 2 ** 22 },
    onStop: 'keep',
  });
});

it.each([
  ['PRIVATELINK_HAPROXY', '/nowhere/haproxy', '/nowhere/haproxy is not a program'],
  ['PRIVATELINK_HAPROXY', 'no-such-program', 'no-such-program is not a program on PATH'],
  ['PRIVATELINK_HAPROXY', '/tmp', '/tmp is not a program'],
  ['PRIVATELINK_FORWARDING', 'none', 'loopback'],
  ['PRIVATELINK_LOOPBACK_CIDR', '10.0.0.0/8', 'must be a range in 127.0.0.0/8'],
  ['PRIVATELINK_AGENT_DIR', `/${'x'.repeat(88)}`, 'must have at most 88 bytes'],
  ['PRIVATELINK_AGENT_DIR', '', 'is required'],
  ['PRIVATELINK_ZONE', 'A zone', 'must be lower case'],
])('does not take %s=%s', (variable, value, complaint) => {
  const environment = { ...complete, PRIVATELINK_HAPROXY: process.execPath, [variable]: value };
  expect(() => loadConfig(agentConfig, environment)).toThrow(StartupError);
  expect(() => loadConfig(agentConfig, environment)).toThrow(`configuration: ${variable}`);
  expect(() => loadConfig(agentConfig, environment)).toThrow(complaint);
});
