import { ServiceResource } from '@privatelink/proto/provider/v1/endpoint_service';
import { describe, expect, it } from 'vitest';
import type { Interface } from '../desired/interface.ts';
import { createEgresses } from './egresses.ts';

const egress = { host: '192.168.0.7', vpcId: 'vpc-p' };
const reverse = (id: string, numbers: readonly number[], listeners: Interface['listeners'] = []): Interface => ({
  ...{ connectionId: `ep-${id}`, eniId: `eni-${id}`, vpcId: 'vpc-c', addresses: ['10.0.0.5'], limitMbps: 0, listeners },
  ways: numbers.map((port) => ({ port, targets: [{ ip: '10.0.1.9', port: 5432 }] })),
  ...{ resource: ServiceResource.fromPartial({}), egress, ingress: null },
});

const placesOf = (placement: ReturnType<ReturnType<typeof createEgresses>['place']>): readonly string[] => {
  if ('waitsFor' in placement) throw new Error(placement.waitsFor);
  return placement.listeners.map(({ address }) => address);
};

describe('where a provider connects into a VPC', () => {
  it('is a port for each target on the address of the egress source, and goes on from the interface', () => {
    const egresses = createEgresses();
    const placement = egresses.place(reverse('1', [1, 3]), egress);
    const [first = '', third = ''] = placesOf(placement);
    expect([first, third]).toEqual([expect.stringMatching(/^192\.168\.0\.7:\d{5}$/), expect.not.stringMatching(first)]);
    expect(placement).toMatchObject({ targetNamespace: 'vpc-c', source: '10.0.0.5' });
    const bind = { host: '192.168.0.7', port: Number(first.split(':')[1]), namespace: 'vpc-p' };
    expect('binds' in placement && placement.binds.get(1)).toEqual([bind]);
    expect(egresses.place(reverse('1', [1, 3]), egress)).toEqual(placement);
  });

  it('stays what it was when another target is not let any more', () => {
    const egresses = createEgresses();
    const [, second] = placesOf(egresses.place(reverse('1', [1, 2]), egress));
    expect(placesOf(egresses.place(reverse('1', [2]), egress))).toEqual([second]);
  });

  it('is what was told of it, and nobody else’s, whoever is placed first', () => {
    const [chosen = ''] = placesOf(createEgresses().place(reverse('1', [1]), egress));
    const told = reverse('2', [1], [{ port: 1, address: chosen }]);
    const egresses = createEgresses();
    egresses.recall([reverse('1', [1]), told]);
    expect(placesOf(egresses.place(reverse('1', [1]), egress))).not.toEqual([chosen]);
    expect(placesOf(egresses.place(told, egress))).toEqual([chosen]);
    const elsewhere = reverse('3', [1], [{ port: 1, address: '192.168.0.8:20000' }]);
    expect(placesOf(egresses.place(elsewhere, egress))[0]).toMatch(/^192\.168\.0\.7:/);
  });

  it('is another one where nothing can listen, and anybody’s once the interface is gone', () => {
    const egresses = createEgresses();
    const [chosen] = placesOf(egresses.place(reverse('1', [1]), egress));
    egresses.refuse('ep-1', 1);
    const [other] = placesOf(egresses.place(reverse('1', [1]), egress));
    expect(other).not.toBe(chosen);
    egresses.retain([]);
    expect(placesOf(egresses.place(reverse('1', [1]), egress))).toEqual([chosen]);
  });
});
