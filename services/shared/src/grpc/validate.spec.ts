import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../app/errors.ts';
import { enumName } from './enums.ts';
import {
  checkAccountId,
  checkActor,
  checkCount,
  checkEnum,
  checkEnums,
  checkId,
  checkName,
  checkPageSize,
  checkRequestId,
  checkText,
  isCidr,
  violations,
} from './validate.ts';

describe('violations', () => {
  it('name every field that is wrong', () => {
    const v = violations();
    checkId(v, 'service_id', 'epsrv-XY', 'epsrv');
    checkAccountId(v, 'account_id', '12');
    checkRequestId(v, 'ü');
    checkPageSize(v, -1);
    checkText(v, 'description', 'ä'.repeat(257), 256);
    checkEnum(v, 'reconcile', Reconcile.UNRECOGNIZED);
    checkCount(v, 'generation', 2n ** 53n);
    checkName(v, 'zone_id', 'a b');
    checkActor(v, 'actor', 'root');
    expect(checkEnums(v, 'modes', Reconcile, [Reconcile.KEEP, Reconcile.UNRECOGNIZED])).toEqual(['KEEP']);
    const fields = ['service_id', 'account_id', 'request_id', 'page_size', 'description', 'reconcile', 'generation'];
    fields.push('zone_id', 'actor', 'modes[1]');
    expect(() => v.throwIfAny()).toThrow(InvalidRequest);
    try {
      v.throwIfAny();
    } catch (error) {
      expect((error as InvalidRequest).violations.map(({ field }) => field)).toEqual(fields);
    }
  });

  it('are none in a right request', () => {
    const v = violations();
    expect(checkId(v, 'service_id', `epsrv-${'0a'.repeat(10)}`, 'epsrv')).toBe(true);
    checkAccountId(v, 'account_id', '1234567890123456');
    checkCount(v, 'generation', 2n ** 53n - 1n);
    checkName(v, 'zone_id', 'cn-hangzhou-h');
    checkActor(v, 'actor', '');
    checkActor(v, 'actor', 'service:broker');
    checkRequestId(v, '');
    checkRequestId(v, '~'.repeat(64));
    checkText(v, 'description', '😀'.repeat(256), 256);
    checkEnum(v, 'reconcile', Reconcile.UNSPECIFIED);
    v.throwIfAny();
    expect(v.check('field', true, '')).toBe(true);
  });

  it('keep page sizes within bounds', () => {
    const v = violations();
    expect([0, 1, 1_000, 1_001, 2 ** 31 - 1].map((size) => checkPageSize(v, size))).toEqual([
      50, 1, 1_000, 1_000, 1_000,
    ]);
    v.throwIfAny();
  });
});

describe('the name of an enum value', () => {
  it('is short, and none for what was not said or is not known', () => {
    expect(enumName(Reconcile, Reconcile.DISCONNECT)).toBe('DISCONNECT');
    expect(enumName(Reconcile, Reconcile.UNSPECIFIED)).toBeUndefined();
    expect(enumName(Reconcile, Reconcile.UNRECOGNIZED)).toBeUndefined();
  });
});

describe('a range of addresses', () => {
  it.each(['10.0.0.0/8', '0.0.0.0/0', '10.0.0.1/32', '::/0', 'fd00::/64', '::1/128'])('is %s', (text) => {
    expect(isCidr(text)).toBe(true);
  });

  it.each([
    ...['', '10.0.0.0', '10.0.0.0/', '/8', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/8/8', '10.0.0.0/-1', '10.0.0.0/ 8'],
    ...['::/129', 'fe80::1%eth0/64', '10.0.0.0/8 } or TRUE', '10.0.0.0/8\n', '010.0.0.0/8'],
  ])('is not %j', (text) => {
    expect(isCidr(text)).toBe(false);
  });
});
