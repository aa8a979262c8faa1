import { evolveAll } from '@privatelink/shared/eventing/decider';
import { describe, expect, it } from 'vitest';
import { endpoint } from './endpoint.decide.ts';
import type { EndpointEvent } from './endpoint.ts';
import { abandon, activate, at, complete, create, given, particulars, remove, reserved } from './testing/fixtures.ts';

const created: EndpointEvent = {
  type: 'EndpointCreated',
  data: { ...particulars, actor: 'user:carol', at, move: { from: null, to: 'CREATING', because: 'created' } },
};
const activated: EndpointEvent = {
  type: 'EndpointActivated',
  data: { at, move: { from: 'CREATING', to: 'ACTIVE', because: 'activated' } },
};
const deletionStarted = (from: 'CREATING' | 'ACTIVE'): EndpointEvent => ({
  type: 'DeletionStarted',
  data: { actor: 'user:dave', at, move: { from, to: 'DELETING', because: 'deletionStarted' } },
});
const deleted: EndpointEvent = {
  type: 'EndpointDeleted',
  data: { at, move: { from: 'DELETING', to: 'GONE', because: 'deletionCompleted' } },
};
const abandoned: EndpointEvent = {
  type: 'EndpointCreationAbandoned',
  data: { ...reserved, at, move: { from: null, to: 'ABANDONED', because: 'abandoned' } },
};

const histories: Readonly<Record<string, readonly EndpointEvent[]>> = {
  creating: [created],
  active: [created, activated],
  deleting: [created, activated, deletionStarted('ACTIVE')],
  cancelled: [created, deletionStarted('CREATING')],
  gone: [created, activated, deletionStarted('ACTIVE'), deleted],
  abandoned: [abandoned],
};
const after = (name: string) => given(...(histories[name] ?? []));

describe('the fence of its creation', () => {
  it('creates it', () => {
    given().when(create).thenEvents(created);
  });

  it('abandons its creation', () => {
    given().when(abandon).thenEvents(abandoned);
  });

  it('creates nothing that was abandoned', () => {
    after('abandoned').when(create).thenRejected('ENDPOINT_CREATION_ABANDONED', { endpoint_id: 'ep-1' });
  });

  it.each(['creating', 'active', 'deleting', 'cancelled', 'gone'])('abandons none that is %s', (name) => {
    after(name).when(abandon).thenNothing();
  });

  it.each(['creating', 'active', 'deleting', 'cancelled', 'gone'])('creates none again that is %s', (name) => {
    after(name).when(create).thenNothing();
  });
});

describe('ActivateEndpoint', () => {
  it('makes it ACTIVE', () => {
    after('creating').when(activate).thenEvents(activated);
  });

  it.each(['active', 'deleting', 'cancelled'])('changes nothing when it is %s', (name) => {
    after(name).when(activate).thenNothing();
  });
});

describe('DeleteEndpoint', () => {
  it('starts its deletion', () => {
    after('active').when(remove()).thenEvents(deletionStarted('ACTIVE'));
  });

  it('cancels it while it is CREATING', () => {
    after('creating').when(remove()).thenEvents(deletionStarted('CREATING'));
  });

  it.each(['deleting', 'cancelled', 'gone'])('is success when it is %s', (name) => {
    after(name).when(remove()).thenNothing();
  });
});

describe('CompleteDeletion', () => {
  it.each(['deleting', 'cancelled'])('ends one that is %s', (name) => {
    after(name).when(complete).thenEvents(deleted);
  });

  it('is success when it is gone', () => {
    after('gone').when(complete).thenNothing();
  });

  it.each([
    ['creating', 'CREATING'],
    ['active', 'ACTIVE'],
  ])('ends none that is %s', (name, status) => {
    after(name).when(complete).thenRejected('ENDPOINT_NOT_DELETING', { endpoint_id: 'ep-1', status });
  });
});

describe('an endpoint that does not exist', () => {
  it.each([activate, remove(), complete])('is not found by $type, nor is one that was abandoned', (command) => {
    given().when(command).thenRejected('ENDPOINT_NOT_FOUND', { field: 'endpoint_id' });
    after('abandoned').when(command).thenRejected('ENDPOINT_NOT_FOUND', { field: 'endpoint_id' });
  });

  it('is not found for activation when it is gone', () => {
    after('gone').when(activate).thenRejected('ENDPOINT_NOT_FOUND', { field: 'endpoint_id' });
  });
});

describe('its state', () => {
  const stateOf = (history: readonly EndpointEvent[]) => evolveAll(endpoint, endpoint.initial, history);

  it('is what was created', () => {
    expect(stateOf([created])).toEqual({
      ...endpoint.initial,
      ...particulars,
      status: 'CREATING',
      version: 1,
      creator: 'user:carol',
      createdAt: at,
      updatedAt: at,
    });
  });

  it('keeps who deleted it, and when it last changed', () => {
    const later = '2026-01-02T03:05:00.000Z';
    const deletion = deletionStarted('ACTIVE');
    const state = stateOf([
      created,
      activated,
      { ...deletion, data: { ...deletion.data, at: later } } as EndpointEvent,
    ]);
    expect(state).toMatchObject({
      status: 'DELETING',
      deletion: { actor: 'user:dave', at: later },
      createdAt: at,
      updatedAt: later,
    });
  });

  it('of an abandoned creation keeps what is to be released', () => {
    const state = stateOf([abandoned]);
    expect(state).toMatchObject({ status: 'ABANDONED', endpointId: 'ep-1', vpcId: 'vpc-1' });
    expect(state.admission.serviceId).toBe('epsrv-1');
  });
});
