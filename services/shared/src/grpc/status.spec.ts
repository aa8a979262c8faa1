import { status } from '@grpc/grpc-js';
import { BrokerServiceClient } from '@privatelink/proto/broker/v1/broker_service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Conflict, Denied, InvalidRequest, Unavailable } from '../app/errors.ts';
import { Rejected } from '../eventing/rejected.ts';
import { type Connected, connect } from './client.ts';
import type { RemoteError } from './remote-error.ts';
import type { GrpcServer } from './server.ts';
import type { ErrorCatalogue } from './status.ts';
import { createIssuer, failed, type Issuer, recordedLog, startBroker } from './test-support.ts';
import { unary } from './unary.ts';

const catalogue: ErrorCatalogue = {
  CONNECTION_NOT_FOUND: { code: status.NOT_FOUND, message: ({ connection_id }) => `no connection ${connection_id}` },
  LAST_ENABLED_ZONE: { code: status.FAILED_PRECONDITION, message: () => 'the last enabled zone stays' },
  QUOTA_EXCEEDED: { code: status.RESOURCE_EXHAUSTED, message: ({ limit }) => `at most ${limit}` },
  ZONE_UNKNOWN: { code: status.INVALID_ARGUMENT, message: ({ zone_id }) => `there is no zone ${zone_id}` },
};

const detailTypes = ({ status: answered }: RemoteError) =>
  answered?.details.map(({ typeUrl }) => typeUrl.slice(typeUrl.lastIndexOf('.') + 1));

describe('an error on the wire', () => {
  let issuer: Issuer;
  let server: GrpcServer;
  let broker: Connected<typeof BrokerServiceClient.service>;
  let thrown: Error;
  const { log, lines } = recordedLog();

  beforeAll(async () => {
    issuer = await createIssuer();
    const getConnection = unary(() => Promise.reject<never>(thrown));
    server = await startBroker(issuer, { getConnection }, { catalogue, log });
    const token = await issuer.token(['provider', 'consumer']);
    broker = connect(BrokerServiceClient, [`127.0.0.1:${server.port}`], { token: () => token });
  });
  afterAll(async () => {
    broker.close();
    await server.stop(1_000);
    await issuer.remove();
  });

  const errorFor = (error: Error): Promise<RemoteError> => {
    thrown = error;
    return failed(broker.getConnection({ connectionId: 'ep-1' }, { correlationId: 'c-1' }));
  };

  it('answers a rule that says no as its catalogue says', async () => {
    const absent = await errorFor(new Rejected('CONNECTION_NOT_FOUND', { connection_id: 'ep-1' }));
    expect(absent).toMatchObject({
      code: status.NOT_FOUND,
      message: 'no connection ep-1',
      reason: 'CONNECTION_NOT_FOUND',
      facts: { connection_id: 'ep-1' },
    });
    expect(absent.is('CONNECTION_NOT_FOUND')).toBe(true);
    expect(detailTypes(absent)).toEqual(['ErrorInfo', 'ResourceInfo']);
    const state = await errorFor(new Rejected('LAST_ENABLED_ZONE'));
    expect(state.code).toBe(status.FAILED_PRECONDITION);
    expect(detailTypes(state)).toEqual(['ErrorInfo', 'PreconditionFailure']);
    const quota = await errorFor(new Rejected('QUOTA_EXCEEDED', { limit: '10' }));
    expect(quota).toMatchObject({ code: status.RESOURCE_EXHAUSTED, message: 'at most 10', retryAfterMs: 10_000 });
    expect(detailTypes(quota)).toEqual(['ErrorInfo', 'QuotaFailure', 'RetryInfo']);
    const zone = await errorFor(new Rejected('ZONE_UNKNOWN', { zone_id: 'z', field: 'zones[0].zone_id' }));
    expect(zone.violations).toMatchObject([{ field: 'zones[0].zone_id', description: 'there is no zone z' }]);
  });

  it('answers every other error of ours by its class', async () => {
    const violations = [{ field: 'a', description: 'must be b' }];
    expect(await errorFor(new InvalidRequest(violations, 'REQUEST_ID_REUSED'))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'REQUEST_ID_REUSED',
      violations,
    });
    expect(await errorFor(new Conflict('moved on', 7n))).toMatchObject({
      code: status.ABORTED,
      reason: 'REVISION_CONFLICT',
      facts: { current_revision: '7' },
    });
    expect(await errorFor(new Denied('no'))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'PERMISSION_DENIED',
    });
    expect(await errorFor(new Unavailable('BEHIND', 'behind', { retryAfterMs: 1_500 }))).toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'BEHIND',
      retryAfterMs: 1_500,
    });
  });

  it.each([
    ['a bug', new TypeError('secret internals')],
    ['a reason that the catalogue lacks', new Rejected('FORGOTTEN', { secret: 'internals' })],
  ])('lets nothing of %s out, and logs all of it', async (_, bug) => {
    const error = await errorFor(bug);
    expect(error).toMatchObject({ code: status.INTERNAL, reason: 'INTERNAL' });
    expect(error.message).toMatch(/^internal error [0-9a-f-]{36}$/);
    expect(JSON.stringify(error.facts)).not.toContain('secret');
    const line = lines.findLast(({ level }) => level === 'error');
    expect(line).toMatchObject({
      errorId: error.facts['error_id'],
      correlationId: 'c-1',
      err: { message: bug.message },
    });
  });

  it('passes on what another service said about the caller, and hides what it said about us', async () => {
    const absent = await errorFor(new Rejected('CONNECTION_NOT_FOUND', { connection_id: 'ep-2' }));
    expect(await errorFor(absent)).toMatchObject({
      code: status.NOT_FOUND,
      message: absent.message,
      facts: absent.facts,
    });
    const denied = await errorFor(new Denied('the broker may not'));
    expect(await errorFor(denied)).toMatchObject({ code: status.INTERNAL });
    const away = connect(BrokerServiceClient, ['127.0.0.1:1'], { token: () => 't', timeoutMs: 300 });
    const gone = await failed(away.getConnection({ connectionId: '' }, {}));
    away.close();
    expect(await errorFor(gone)).toMatchObject({ code: status.UNAVAILABLE, reason: 'DEPENDENCY_UNAVAILABLE' });
  });

  it('stands texts that no header could carry', async () => {
    const text = `\ud800\n"%${'x'.repeat(10_000)}`;
    const error = await errorFor(new Rejected('CONNECTION_NOT_FOUND', { connection_id: text }));
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.facts['connection_id']).toMatch(/^\ufffd\n"%x+$/);
    const many = Array.from({ length: 1_000 }, (_, i) => ({ field: `f${i}`, description: 'wrong' }));
    expect((await errorFor(new InvalidRequest(many))).violations.length).toBeGreaterThan(10);
  });
});
