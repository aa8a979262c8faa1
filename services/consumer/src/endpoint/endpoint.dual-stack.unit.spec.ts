import { describe, expect, it } from 'vitest';
import { knowsPart } from './endpoint.evolve.ts';
import {
  abandonPart,
  active,
  addZone,
  at,
  CAROL,
  confirm,
  create,
  domains,
  given,
  ipv6,
  lock,
  played,
  remove,
  removeZone,
  stateAfter,
  update,
} from './testing/fixtures.ts';

const become = (reservationId: string, ...zones: readonly string[]) =>
  update({ addressType: ipv6(reservationId, ...zones) });
const changeStarted = { from: 'ACTIVE', to: 'CHANGING', because: 'changeStarted' } as const;

describe('an endpoint that becomes dual stack', () => {
  it('has an IPv6 address in each zone, and changes until its connection has them', () => {
    const data = { actor: CAROL, at, move: changeStarted, ...ipv6('r-1', 'a') };
    given(...active())
      .when(become('r-1', 'a'))
      .thenEvents({ type: 'DualStackEnabled', data });
    const zones = [{ zoneId: 'zone-a', ipv6: 'fd00::1:a' }];
    expect(stateAfter(become('r-1', 'a'))).toMatchObject({
      ...{ status: 'CHANGING', addressType: 'DUAL_STACK', zones, unconfirmed: 3, untold: { version: 3 } },
    });
    expect(stateAfter(become('r-1', 'a'), confirm(3)).status).toBe('ACTIVE');
  });

  it('stays so: there is no way back, and nothing more to become', () => {
    const now = active(become('r-1', 'a'), confirm(3));
    given(...now)
      .when(become('r-2', 'a'))
      .thenNothing();
    given(...now)
      .when(update({ addressType: 'IPV4' }))
      .thenRejected('ADDRESS_TYPE_IRREVERSIBLE', { field: 'address_type' });
    given(...active())
      .when(update({ addressType: 'IPV4' }))
      .thenNothing();
  });

  it('is not one with a zone that has no address: one of the two is asked for again', () => {
    given(...active(addZone('b'), confirm(3)))
      .when(become('r-1', 'a'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
    given(...active(become('r-1', 'a'), confirm(3)))
      .when(addZone('b'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
    given(...active(addZone('b'), confirm(3), removeZone('zone-b')))
      .when(become('r-1', 'a', 'b'))
      .thenTypes('DualStackEnabled');
  });

  it('needs what is reserved for that, and not what was given up', () => {
    expect(knowsPart(stateAfter(become('r-1', 'a')), 'r-1')).toBe(true);
    given(...active(abandonPart('r-1')))
      .when(become('r-1', 'a'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
  });

  it('changes together with its names, in one move', () =>
    given(...active())
      .when(update({ zoneAffinity: true, addressType: ipv6('r-1', 'a'), customDomains: domains('r-2', 'a.b') }))
      .thenTypes('ZoneAffinityChanged', 'DualStackEnabled', 'CustomDomainsEnabled'));

  it('is neither being created, nor deleted, nor locked', () => {
    given(...played(create))
      .when(become('r-1', 'a'))
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'CREATING' });
    given(...active(remove()))
      .when(become('r-1', 'a'))
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'DELETING' });
    given(...active(lock()))
      .when(become('r-1', 'a'))
      .thenRejected('ENDPOINT_LOCKED');
  });
});
