import { evolveAll } from '@privatelink/shared/eventing/decider';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, given, inventory, release, reserve, reservedWith, zone } from './testing/history.ts';
import { vpc } from './vpc.decide.ts';
import type { VpcCommand, VpcEvent } from './vpc.ts';

const domains = (reservationId: string, ...domainNames: readonly string[]) => ({ reservationId, domainNames });
const add = (endpointId: string, reservationId: string, ...domainNames: readonly string[]): VpcCommand => ({
  type: 'ReserveCustomDomains',
  data: { endpointId, ...domains(reservationId, ...domainNames) },
});
const added = (endpointId: string, reservationId: string, ...domainNames: readonly string[]): VpcEvent => ({
  type: 'CustomDomainsReserved',
  data: { endpointId, ...domains(reservationId, ...domainNames), at },
});
const drop = (endpointId: string, ...partIds: readonly string[]): VpcCommand => ({
  type: 'ReleaseParts',
  data: { endpointId, partIds },
});
const dropped = (endpointId: string, reservationId: string): VpcEvent => ({
  type: 'CustomDomainsReleased',
  data: { endpointId, reservationId, at },
});
const withDomains = (...domainNames: readonly string[]): VpcCommand =>
  reserve({ zones: [zone('vsw-b')], customDomains: domains('r-new', ...domainNames) });

const held = [...inventory, reservedWith('ep-1', [], domains('r-1', '*.example.com', 'db.example.com'))];

describe('custom domains', () => {
  it('are reserved with their endpoint, or nothing is: a name leads to one endpoint of the VPC', () => {
    given(...inventory)
      .when(withDomains('db.example.com'))
      .thenTypes('EndpointReserved');
    given(...held)
      .when(withDomains('new.example.com', 'db.example.com'))
      .thenRejected('CUSTOM_DOMAIN_IN_USE', { domain_name: 'db.example.com', endpoint_id: 'ep-1' });
    given(...held)
      .when(withDomains('*.example.com'))
      .thenRejected('CUSTOM_DOMAIN_IN_USE');
  });

  it('that are more specific than a wildcard, or less, are other names', () => {
    given(...held)
      .when(withDomains('www.example.com', '*.db.example.com', 'example.com'))
      .thenTypes('EndpointReserved');
  });

  it('are reserved later too, once for each reservation', () => {
    const two = [...held, reservedWith('ep-2', [])];
    given(...two)
      .when(add('ep-2', 'r-2', 'new.example.com'))
      .thenEvents(added('ep-2', 'r-2', 'new.example.com'));
    given(...two, added('ep-2', 'r-2', 'new.example.com'))
      .when(add('ep-2', 'r-2', 'other.example.com'))
      .thenNothing();
    given(...two)
      .when(add('ep-2', 'r-2', 'db.example.com'))
      .thenRejected('CUSTOM_DOMAIN_IN_USE', { endpoint_id: 'ep-1' });
    given(...two)
      .when(add('ep-3', 'r-3', 'new.example.com'))
      .thenRejected('ENDPOINT_NOT_FOUND');
  });

  it('are not in the way of the endpoint that has them, when it takes them once more', () =>
    given(...held)
      .when(add('ep-1', 'r-2', 'db.example.com'))
      .thenEvents(added('ep-1', 'r-2', 'db.example.com')));

  it('are free once they are released, by themselves or with their endpoint', () => {
    given(...held)
      .when(drop('ep-1', 'r-1', 'r-9'))
      .thenEvents(dropped('ep-1', 'r-1'));
    given(...held, dropped('ep-1', 'r-1'))
      .when(withDomains('db.example.com'))
      .thenTypes('EndpointReserved');
    const [released] = given(...held)
      .when(release('ep-1'))
      .thenTypes('ReservationReleased');
    if (!released) throw new Error('nothing released');
    given(...held, released)
      .when(withDomains('db.example.com'))
      .thenTypes('EndpointReserved');
  });

  it('are never two endpoints’, whatever is asked for in which order', () => {
    const endpointId = fc.constantFrom('ep-1', 'ep-2', 'ep-3');
    const names = fc.uniqueArray(fc.constantFrom('a.b', '*.b', 'c.b'), { maxLength: 2 });
    const part = fc.nat(2).map(String);
    const wish = fc.oneof(
      fc.tuple(endpointId, part, names).map(([id, own, wanted]) => add(id, `${id}-${own}`, ...wanted)),
      fc.tuple(endpointId, part).map(([id, own]) => drop(id, `${id}-${own}`)),
      endpointId.map(release),
      fc.tuple(endpointId, names).map(([id, wanted]) =>
        reserve({
          endpointId: id,
          zones: [{ ...zone('vsw-b'), eniId: `eni-${id}` }],
          customDomains: domains(`${id}-0`, ...wanted),
        }),
      ),
    );
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 20 }), (wishes) => {
        let state = evolveAll(vpc, vpc.initial, inventory);
        for (const command of wishes) {
          try {
            state = evolveAll(vpc, state, vpc.decide(command, state, at));
          } catch {
            continue;
          }
          const holders = Object.values(state.reservations).flatMap(({ customDomains }) => [
            ...new Set(Object.values(customDomains).flat()),
          ]);
          expect(new Set(holders).size).toBe(holders.length);
        }
      }),
    );
  });
});
