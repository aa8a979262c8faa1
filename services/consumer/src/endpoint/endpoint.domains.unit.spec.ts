import { describe, expect, it } from 'vitest';
import { endpoint } from './endpoint.decide.ts';
import { knowsPart } from './endpoint.evolve.ts';
import {
  active,
  at,
  CAROL,
  confirm,
  create,
  domains,
  given,
  lock,
  particulars,
  played,
  remove,
  stateAfter,
  update,
} from './testing/fixtures.ts';

const on = (reservationId: string) => update({ customDomains: domains(reservationId, 'db.example.com') });
const off = update({ customDomains: 'off' });

describe('custom domains of an endpoint', () => {
  it('are switched on and off, and the endpoint changes until its connection has that', () => {
    const changeStarted = { from: 'ACTIVE', to: 'CHANGING', because: 'changeStarted' } as const;
    const done = { actor: CAROL, at, move: changeStarted };
    given(...active())
      .when(on('r-1'))
      .thenEvents({ type: 'CustomDomainsEnabled', data: { ...done, ...domains('r-1', 'db.example.com') } });
    given(...active(on('r-1'), confirm(3)))
      .when(off)
      .thenEvents({ type: 'CustomDomainsDisabled', data: { ...done, reservationId: 'r-1' } });
    expect(stateAfter(on('r-1'))).toMatchObject({ status: 'CHANGING', unconfirmed: 3, untold: { version: 3 } });
    expect(stateAfter(on('r-1'), confirm(3)).status).toBe('ACTIVE');
  });

  it('stay those that they are when they are switched on again, and off is off', () => {
    given(...active(on('r-1')))
      .when(on('r-2'))
      .thenNothing();
    given(...active())
      .when(off)
      .thenNothing();
  });

  it('are released once the connection has let them go, and not before', () => {
    const taken = stateAfter(on('r-1'), confirm(3), off);
    expect([taken.customDomains, taken.retiring, taken.unreleased]).toEqual([null, ['r-1'], []]);
    expect(knowsPart(taken, 'r-1')).toBe(true);
    const gone = stateAfter(on('r-1'), confirm(3), off, confirm(5));
    expect([gone.retiring, gone.unreleased]).toEqual([[], ['r-1']]);
  });

  it('taken once more before that are another reservation, and the first goes alone', () => {
    const state = stateAfter(on('r-1'), confirm(3), off, on('r-2'), confirm(6));
    expect(state).toMatchObject({ status: 'ACTIVE', customDomains: { reservationId: 'r-2' }, unreleased: ['r-1'] });
    given(...active(on('r-1'), confirm(3), off))
      .when(on('r-1'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
  });

  it('change together with what else an update says, in one move', () =>
    given(...active())
      .when(update({ description: 'new', customDomains: domains('r-1', 'db.example.com') }))
      .thenTypes('DescriptionChanged', 'CustomDomainsEnabled'));

  it('are of INTERFACE endpoints alone', () => {
    const gateway = { ...particulars, endpointType: 'GATEWAY_LOAD_BALANCER', actor: CAROL } as const;
    const refusal = { required: 'INTERFACE', field: 'custom_domain_enabled' };
    given()
      .when({ type: 'CreateEndpoint', data: { ...gateway, customDomains: domains('r-1', 'a.b') } })
      .thenRejected('ENDPOINT_TYPE_MISMATCH', refusal);
    given(...played({ type: 'CreateEndpoint', data: gateway }, { type: 'ActivateEndpoint', data: {} }))
      .when(on('r-1'))
      .thenRejected('ENDPOINT_TYPE_MISMATCH', refusal);
  });

  it('stay as they are while the endpoint is being created, deleted, or locked', () => {
    given(...played(create))
      .when(on('r-1'))
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'CREATING' });
    given(...active(remove()))
      .when(on('r-1'))
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'DELETING' });
    given(...active(lock()))
      .when(on('r-1'))
      .thenRejected('ENDPOINT_LOCKED');
  });

  it('are part of what it is created with', () => {
    const creation = { ...particulars, customDomains: domains('r-1', 'db.example.com'), actor: CAROL };
    const events = played({ type: 'CreateEndpoint', data: creation });
    const state = events.reduce(endpoint.evolve, endpoint.initial);
    expect(state.customDomains).toEqual(domains('r-1', 'db.example.com'));
    expect(knowsPart(state, 'r-1')).toBe(true);
  });
});

describe('zone affinity of an endpoint', () => {
  const affinity = (zoneAffinity: boolean) => update({ zoneAffinity });
  const changeStarted = { from: 'ACTIVE', to: 'CHANGING', because: 'changeStarted' } as const;

  it('is switched on and off, and the endpoint changes until its connection has that', () => {
    given(...active())
      .when(affinity(true))
      .thenEvents({ type: 'ZoneAffinityChanged', data: { zoneAffinity: true, actor: CAROL, at, move: changeStarted } });
    given(...active())
      .when(affinity(false))
      .thenNothing();
    given(...active(affinity(true), confirm(3)))
      .when(affinity(true))
      .thenNothing();
    expect(stateAfter(affinity(true))).toMatchObject({ status: 'CHANGING', unconfirmed: 3, untold: { version: 3 } });
    const off = stateAfter(affinity(true), confirm(3), affinity(false), confirm(5));
    expect(off).toMatchObject({ status: 'ACTIVE', zoneAffinity: false, unconfirmed: null });
  });

  it('changes together with custom domains, in one move', () => {
    const both = update({ zoneAffinity: true, customDomains: domains('r-1', 'db.example.com') });
    given(...active())
      .when(both)
      .thenTypes('ZoneAffinityChanged', 'CustomDomainsEnabled');
    expect(stateAfter(both)).toMatchObject({ status: 'CHANGING', zoneAffinity: true, unconfirmed: 4 });
    expect(stateAfter(both, confirm(4)).status).toBe('ACTIVE');
  });

  it('is of INTERFACE endpoints alone', () => {
    const gateway = { ...particulars, endpointType: 'GATEWAY_LOAD_BALANCER', actor: CAROL } as const;
    const refusal = { required: 'INTERFACE', field: 'zone_affinity' };
    given()
      .when({ type: 'CreateEndpoint', data: { ...gateway, zoneAffinity: true } })
      .thenRejected('ENDPOINT_TYPE_MISMATCH', refusal);
    const there = played({ type: 'CreateEndpoint', data: gateway }, { type: 'ActivateEndpoint', data: {} });
    given(...there)
      .when(affinity(true))
      .thenRejected('ENDPOINT_TYPE_MISMATCH', refusal);
    given(...there)
      .when(affinity(false))
      .thenNothing();
  });

  it('stays as it is while the endpoint is being created, deleted, or locked', () => {
    given(...played(create))
      .when(affinity(true))
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'CREATING' });
    given(...active(remove()))
      .when(affinity(true))
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'DELETING' });
    given(...active(lock()))
      .when(affinity(true))
      .thenRejected('ENDPOINT_LOCKED');
  });
});
