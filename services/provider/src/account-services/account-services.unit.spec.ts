import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import { providerQuotas } from '../endpoint-service/quotas.ts';
import {
  type AccountServicesCommand,
  type AccountServicesEvent,
  accountServices,
  accountServicesBy,
} from './account-services.ts';

const { given, at } = deciderSpec(accountServices);

const claim = (serviceId: string): AccountServicesCommand => ({
  type: 'ClaimService',
  data: { serviceId, serviceType: 'INTERFACE' },
});
const release = (serviceId: string): AccountServicesCommand => ({ type: 'ReleaseService', data: { serviceId } });
const claimed = (serviceId: string): AccountServicesEvent => ({ type: 'ServiceClaimed', data: { serviceId, at } });
const released = (serviceId: string): AccountServicesEvent => ({ type: 'ServiceReleased', data: { serviceId, at } });

describe('the services of an account', () => {
  it('are claimed once', () => {
    given().when(claim('epsrv-1')).thenEvents(claimed('epsrv-1'));
    given(claimed('epsrv-1')).when(claim('epsrv-1')).thenNothing();
    given(claimed('epsrv-1')).when(claim('epsrv-2')).thenEvents(claimed('epsrv-2'));
  });

  it('are released once', () => {
    given(claimed('epsrv-1')).when(release('epsrv-1')).thenEvents(released('epsrv-1'));
    given(claimed('epsrv-1'), released('epsrv-1')).when(release('epsrv-1')).thenNothing();
    given().when(release('epsrv-1')).thenNothing();
  });

  it('are at most 200, and another one when one of them is released', () => {
    const full = {
      payments: {},
      platform: false,
      services: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`epsrv-${index}`, at])),
    };
    const decide = (command: AccountServicesCommand, ledger = full) => accountServices.decide(command, ledger, at);
    const facts = { quota: 'services per account', limit: '200', current: '200' };
    expect(() => decide(claim('epsrv-new'))).toThrow(expect.objectContaining({ reason: 'QUOTA_EXCEEDED', facts }));
    expect(decide(claim('epsrv-7'))).toEqual([]);
    const freed = evolveAll(accountServices, full, [released('epsrv-7')]);
    expect(accountServices.decide(claim('epsrv-new'), freed, at)).toEqual([claimed('epsrv-new')]);
  });

  it('are at most as many as the configuration says, also where there were more before', () => {
    const strict = deciderSpec(accountServicesBy({ ...providerQuotas, services: 2 }));
    const three = ['epsrv-1', 'epsrv-2', 'epsrv-3'].map(claimed);
    strict
      .given(...three.slice(0, 1))
      .when(claim('epsrv-2'))
      .thenEvents(claimed('epsrv-2'));
    const facts = { quota: 'services per account', limit: '2', current: '3' };
    strict
      .given(...three)
      .when(claim('epsrv-4'))
      .thenRejected('QUOTA_EXCEEDED', facts);
    strict
      .given(...three, released('epsrv-1'))
      .when(claim('epsrv-4'))
      .thenRejected('QUOTA_EXCEEDED');
  });
});

describe('the bills of an account', () => {
  const overdue = { source: 'erp', sequence: 3, overdue: true, message: 'invoice 7' };
  const settled = { source: 'erp', sequence: 4, overdue: false, message: 'thanks' };
  const record = (...payments: (typeof overdue)[]): AccountServicesCommand => ({
    type: 'RecordAccountPayments',
    data: { payments },
  });
  const overdueAs: AccountServicesEvent = {
    type: 'AccountOverdueRecorded',
    data: { source: 'erp', sequence: 3, message: 'invoice 7', at },
  };
  const settledAs: AccountServicesEvent = { type: 'AccountSettledRecorded', data: { source: 'erp', sequence: 4, at } };

  it('are kept in order of their numbers, for each source by itself', () => {
    given().when(record(overdue)).thenEvents(overdueAs);
    given(overdueAs).when(record(settled)).thenEvents(settledAs);
    given(overdueAs, settledAs).when(record(overdue)).thenNothing();
    given(settledAs)
      .when(record(overdue, { ...overdue, source: 'billing' }))
      .thenEvents({ ...overdueAs, data: { ...overdueAs.data, source: 'billing' } });
  });

  it('leave its services alone', () => {
    expect(evolveAll(accountServices, accountServices.initial, [claimed('epsrv-1'), overdueAs, settledAs])).toEqual({
      services: { 'epsrv-1': at },
      platform: false,
      payments: { erp: { source: 'erp', sequence: 4, overdue: false, message: '' } },
    });
  });
});

describe('an account of the platform', () => {
  const reverse: AccountServicesCommand = {
    type: 'ClaimService',
    data: { serviceId: 'epsrv-1', serviceType: 'REVERSE' },
  };
  const set = (platform: boolean): AccountServicesCommand => ({
    type: 'SetPlatform',
    data: { platform, actor: 'olga' },
  });
  const flagged: AccountServicesEvent = { type: 'PlatformFlagged', data: { actor: 'olga', at } };
  const unflagged: AccountServicesEvent = { type: 'PlatformUnflagged', data: { actor: 'olga', at } };

  it('is flagged once, and not any more once', () => {
    given().when(set(true)).thenEvents(flagged);
    given(flagged).when(set(true)).thenNothing();
    given(flagged).when(set(false)).thenEvents(unflagged);
    given().when(set(false)).thenNothing();
  });

  it('alone has REVERSE services: those that it has stay, whatever becomes of the flag', () => {
    given().when(reverse).thenRejected('PLATFORM_ACCOUNT_REQUIRED', { field: 'service_type' });
    given(flagged).when(reverse).thenEvents(claimed('epsrv-1'));
    given(flagged, claimed('epsrv-1'), unflagged).when(reverse).thenNothing();
    given(flagged, unflagged).when(reverse).thenRejected('PLATFORM_ACCOUNT_REQUIRED');
  });
});
