import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { env, loadConfig, serviceConfig, withGiven } from './config.ts';
import { StartupError } from './startup-error.ts';

const complete = {
  PRIVATELINK_REGION: 'cn-hangzhou',
  PRIVATELINK_ZONES: 'cn-hangzhou-h, cn-hangzhou-i',
  PRIVATELINK_EVENT_STORE: 'kurrentdb://127.0.0.1:2113?tls=false',
  PRIVATELINK_POSTGRES: 'postgres://127.0.0.1/privatelink',
  PRIVATELINK_NATS: 'nats://127.0.0.1:4222',
  PRIVATELINK_JWKS_FILE: '/keys/jwks.json',
  PRIVATELINK_TOKEN_FILE: '/keys/provider.token',
  PRIVATELINK_TOKEN_SECRET_FILE: '/keys/token-secret',
  PRIVATELINK_GRPC_LISTEN: '[::1]:5001',
  PRIVATELINK_PROVIDER: '127.0.0.1:5001',
  PRIVATELINK_CONSUMER: '127.0.0.1:5002,127.0.0.1:5012',
  PRIVATELINK_BROKER: '127.0.0.1:5003',
  PRIVATELINK_DNS: '127.0.0.1:5004',
  PRIVATELINK_INSTANCE: 'provider-1',
};

const problemOf = (environment: Record<string, string | undefined>): StartupError => {
  try {
    loadConfig(serviceConfig, environment);
  } catch (error) {
    if (error instanceof StartupError) return error;
    throw error;
  }
  throw new Error('no problem');
};

describe('the configuration', () => {
  it('is read whole', () => {
    expect(loadConfig(serviceConfig, complete)).toEqual({
      quotas: {},
      region: 'cn-hangzhou',
      zones: ['cn-hangzhou-h', 'cn-hangzhou-i'],
      otherRegions: [],
      eventStore: 'kurrentdb://127.0.0.1:2113?tls=false',
      postgres: 'postgres://127.0.0.1/privatelink',
      nats: 'nats://127.0.0.1:4222',
      jwksFile: '/keys/jwks.json',
      tokenFile: '/keys/provider.token',
      tokenSecretFile: '/keys/token-secret',
      grpcListen: { host: '::1', port: 5001 },
      metricsListen: undefined,
      traces: { endpoint: undefined, ratio: 1 },
      addresses: {
        provider: ['127.0.0.1:5001'],
        consumer: ['127.0.0.1:5002', '127.0.0.1:5012'],
        broker: ['127.0.0.1:5003'],
        dns: ['127.0.0.1:5004'],
      },
      dnsListen: undefined,
      dnsVpcs: 100,
      dnsVpcsPerAccount: 20,
      recheckDomainsMs: 86_400_000,
      dnsSuffix: 'privatelink.internal',
      serviceNamePrefix: 'com.privatelink',
      instance: 'provider-1',
      logLevel: 'info',
      reflection: 'token',
      forwarding: 'loopback',
      settleAfterMs: 60_000,
      failpoints: undefined,
    });
  });

  it('is extended by a service', () => {
    const fields = {
      ...serviceConfig,
      answerTtlSeconds: env('PRIVATELINK_TTL_SECONDS', z.coerce.number<string>().int()),
    };
    const config = loadConfig(fields, { ...complete, PRIVATELINK_TTL_SECONDS: '60' });
    expect(config.answerTtlSeconds).toBe(60);
    expect(config.addresses.broker).toEqual(['127.0.0.1:5003']);
  });

  it('names every problem at once and ends with the code for configuration', () => {
    const problem = problemOf({
      ...complete,
      PRIVATELINK_REGION: '',
      PRIVATELINK_ZONES: 'cn-hangzhou-h,,x',
      PRIVATELINK_NATS: undefined,
      PRIVATELINK_GRPC_LISTEN: '127.0.0.1:99999',
      PRIVATELINK_LOG_LEVEL: 'loud',
      PRIVATELINK_FAILPOINTS: 'x',
    });
    expect(problem.exitCode).toBe(78);
    expect(problem.message.split('; ')).toEqual([
      'configuration: PRIVATELINK_REGION is required',
      expect.stringContaining('PRIVATELINK_ZONES must not have empty parts'),
      'PRIVATELINK_NATS is required',
      'PRIVATELINK_GRPC_LISTEN must be host:port',
      expect.stringContaining('PRIVATELINK_LOG_LEVEL'),
      'PRIVATELINK_FAILPOINTS is for test runs only',
    ]);
  });

  it('knows other regions with their zones, each once', () => {
    const others = (text: string) => ({ ...complete, PRIVATELINK_OTHER_REGIONS: text });
    expect(
      loadConfig(serviceConfig, others('cn-shanghai=cn-shanghai-a, cn-shanghai-b; cn-beijing=x')).otherRegions,
    ).toEqual([
      { regionId: 'cn-shanghai', zoneIds: ['cn-shanghai-a', 'cn-shanghai-b'] },
      { regionId: 'cn-beijing', zoneIds: ['x'] },
    ]);
    for (const unsound of ['cn-shanghai', 'cn-shanghai=', '=a', 'a=b=c', 'a=b,,c', 'a=b;', 'A=b']) {
      expect(problemOf(others(unsound)).message).toContain('PRIVATELINK_OTHER_REGIONS must be region=zone,zone;...');
    }
    for (const twice of ['cn-hangzhou=a', 'a=cn-hangzhou-i', 'a=b;a=c', 'a=b;c=b', 'a=a', 'a=b,b']) {
      const { message } = problemOf(others(twice));
      expect(message).toContain('PRIVATELINK_OTHER_REGIONS must name each region and zone once');
    }
  });

  it('has failpoints in test runs only', () => {
    const environment = { ...complete, PRIVATELINK_FAILPOINTS: 'x', PRIVATELINK_TEST_RUN: '1' };
    expect(loadConfig(serviceConfig, environment).failpoints).toBe('x');
  });

  it('reads a value from a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'privatelink-config-'));
    const file = join(directory, 'postgres');
    await writeFile(file, 'postgres://secret@db/privatelink\n');
    const environment = { ...complete, PRIVATELINK_POSTGRES: undefined, PRIVATELINK_POSTGRES_FILE: file };
    expect(loadConfig(serviceConfig, environment).postgres).toBe('postgres://secret@db/privatelink');
    expect(problemOf({ ...complete, PRIVATELINK_POSTGRES_FILE: file }).message).toContain('exclude each other');
    expect(problemOf({ ...environment, PRIVATELINK_POSTGRES_FILE: join(directory, 'absent') }).message).toContain(
      'PRIVATELINK_POSTGRES_FILE cannot be read',
    );
    await rm(directory, { recursive: true });
  });

  it('says quotas where they differ from those that a service goes by', () => {
    const { quotas } = loadConfig(serviceConfig, { ...complete, PRIVATELINK_QUOTA_SERVICE_USERS: '7' });
    expect(withGiven({ services: 200, serviceUsers: 1_000 }, quotas)).toEqual({ services: 200, serviceUsers: 7 });
    for (const none of ['0', '1.5', 'many', '-3']) {
      expect(problemOf({ ...complete, PRIVATELINK_QUOTA_SERVICES: none }).message).toContain(
        'PRIVATELINK_QUOTA_SERVICES',
      );
    }
  });
});
