import { Status } from '@privatelink/proto/google/rpc/status';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { describe, expect, it } from 'vitest';
import { rpcs } from './contract.ts';
import { CallFailed, EX_USAGE, failureOf, UsageError } from './failure.ts';

const method = rpcs.find((rpc) => rpc.method.name === 'CreateEndpoint')?.method;
if (!method) throw new Error('the contract has no CreateEndpoint');

type Options = ConstructorParameters<typeof RemoteError>[0];
const failed = (code: number, more: Partial<Options> = {}, repeat = 'with --request-id r-1') => {
  const status = Status.create({ code, message: 'no' });
  const error = new RemoteError({
    code,
    message: 'no',
    reason: '',
    facts: {},
    violations: [],
    status,
    ...more,
  } as Options);
  return failureOf(new CallFailed(error, method.input, repeat));
};

describe('a failure', () => {
  it('has the code of the call, its reason, and the options as they are given here', () => {
    const violations = [
      { field: 'zones', description: 'must be 1 to 10' },
      { field: 'zones[0].zone_id', description: 'must be one of a, b' },
    ];
    const { line, exitCode } = failed(3, { reason: 'INVALID_ARGUMENT', violations });
    expect(line).toBe('INVALID_ARGUMENT: --zone must be 1 to 10; zones[0].zone_id must be one of a, b');
    expect(exitCode).toBe(3);
    expect(failed(8, { reason: 'QUOTA_EXCEEDED', facts: { limit: '5', current: '5' } }).line).toBe(
      'RESOURCE_EXHAUSTED QUOTA_EXCEEDED: no (limit 5, current 5)',
    );
  });

  it.each([1, 2, 4, 14])('that leaves open what has become of the request says how it is repeated: code %s', (code) => {
    expect(failed(code).line).toContain('repeat it with --request-id r-1');
    expect(failed(code, {}, '').line).not.toContain('repeat it');
  });

  it('that is certain does not', () => expect(failed(5).line).not.toContain('repeat it'));

  it('of a wrong command line is 64', () => {
    expect(failureOf(new UsageError('wrong'))).toEqual({ line: 'wrong', exitCode: EX_USAGE });
    expect(failureOf(new CallFailed(new Error('ours'), method.input, ''))).toEqual({ line: 'ours', exitCode: 70 });
  });
});
