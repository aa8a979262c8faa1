import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import {
  earlierThan,
  endpointsOf,
  type ServiceAdmissionsCommand,
  type ServiceAdmissionsEvent,
  serviceAdmissions,
} from './service-admissions.ts';

const { given, at } = deciderSpec(serviceAdmissions);

const admit = (endpointId: string, accountId = 'a'): ServiceAdmissionsCommand => ({
  type: 'AdmitEndpoint',
  data: { endpointId, accountId },
});
const release = (endpointId: string): ServiceAdmissionsCommand => ({ type: 'ReleaseAdmission', data: { endpointId } });
const admitted = (endpointId: string, accountId = 'a'): ServiceAdmissionsEvent => ({
  type: 'EndpointAdmitted',
  data: { endpointId, accountId, at },
});
const released = (endpointId: string): ServiceAdmissionsEvent => ({
  type: 'AdmissionReleased',
  data: { endpointId, at },
});

describe('admitting', () => {
  it('enters an endpoint once', () => {
    given().when(admit('ep-1')).thenEvents(admitted('ep-1'));
    given(admitted('ep-1')).when(admit('ep-1')).thenNothing();
    given(admitted('ep-1')).when(admit('ep-2')).thenEvents(admitted('ep-2'));
  });
});

describe('the quota', () => {
  const ten = Array.from({ length: 10_000 }, (_, index) => admitted(`ep-${index}`));
  const full = evolveAll(serviceAdmissions, serviceAdmissions.initial, ten);
  const decide = (command: ServiceAdmissionsCommand) => serviceAdmissions.decide(command, full, at);

  it('is 10,000 endpoints, and a place is free again once one is released', () => {
    expect(() => decide(admit('ep-new'))).toThrow(
      expect.objectContaining({
        reason: 'QUOTA_EXCEEDED',
        facts: { quota: 'endpoints per service', limit: '10000', current: '10000' },
      }),
    );
    expect(decide(admit('ep-5'))).toEqual([]);
    const freed = evolveAll(serviceAdmissions, full, decide(release('ep-5')));
    expect(serviceAdmissions.decide(admit('ep-new'), freed, at)).toEqual([admitted('ep-new')]);
  });
});

describe('releasing', () => {
  it('frees a place once', () => {
    given(admitted('ep-1')).when(release('ep-1')).thenEvents(released('ep-1'));
    given(admitted('ep-1'), released('ep-1')).when(release('ep-1')).thenNothing();
    given().when(release('ep-1')).thenNothing();
  });
});

describe('the ledger', () => {
  it('lists the endpoints of an account, or of all', () => {
    const ledger = evolveAll(serviceAdmissions, serviceAdmissions.initial, [
      admitted('ep-3', 'b'),
      admitted('ep-2'),
      admitted('ep-1'),
      admitted('ep-4'),
      released('ep-4'),
    ]);
    expect(endpointsOf(ledger, 'a')).toEqual(['ep-1', 'ep-2']);
    expect(endpointsOf(ledger, '*')).toEqual(['ep-1', 'ep-2', 'ep-3']);
    expect(endpointsOf(ledger, 'c')).toEqual([]);
  });

  it('knows how many of an account came before one of its endpoints', () => {
    const entered = [
      admitted('ep-9', 'b'),
      admitted('ep-3'),
      admitted('ep-2', 'b'),
      admitted('ep-1'),
      admitted('ep-5'),
    ];
    const ledger = evolveAll(serviceAdmissions, serviceAdmissions.initial, entered);
    const earlier = (state: typeof ledger) => ['ep-3', 'ep-1', 'ep-5', 'ep-9'].map((id) => earlierThan(state, id));
    expect(earlier(ledger)).toEqual([0, 1, 2, 0]);
    expect(earlier(JSON.parse(JSON.stringify(ledger)))).toEqual([0, 1, 2, 0]);
    const freed = evolveAll(serviceAdmissions, ledger, [released('ep-3'), admitted('ep-3')]);
    expect(earlier(freed)).toEqual([2, 0, 1, 0]);
    expect(earlierThan(ledger, 'ep-none')).toBe(0);
  });
});
