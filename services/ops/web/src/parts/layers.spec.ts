import { describe, expect, test } from 'vitest';
import { placesOf } from './layers.ts';

const SIZES = { width: 100, height: 20, gapX: 50, gapY: 5 };

describe('a graph in layers', () => {
  test('has a column for each layer', () => {
    const places = placesOf({ layers: [['a'], ['b'], ['c']], edges: [] }, SIZES);
    expect([...places.values()].map(({ x }) => x)).toEqual([0, 150, 300]);
  });

  test('orders nodes so that edges do not cross where they need not', () => {
    const edges = [
      { from: 'a', to: 'z' },
      { from: 'b', to: 'y' },
      { from: 'c', to: 'x' },
    ];
    const places = placesOf(
      {
        layers: [
          ['a', 'b', 'c'],
          ['x', 'y', 'z'],
        ],
        edges,
      },
      SIZES,
    );
    const y = (id: string) => places.get(id)?.y ?? Number.NaN;
    expect(Math.sign(y('a') - y('b'))).toBe(Math.sign(y('z') - y('y')));
    expect(Math.sign(y('b') - y('c'))).toBe(Math.sign(y('y') - y('x')));
  });

  test('sets a node amid its neighbours', () => {
    const layers = [['hub'], ['a', 'b', 'c']];
    const edges = ['a', 'b', 'c'].map((to) => ({ from: 'hub', to }));
    const places = placesOf({ layers, edges }, SIZES);
    expect(places.get('hub')?.y).toBeCloseTo(places.get('b')?.y ?? Number.NaN);
  });

  test('lets no two overlap, with 500 nodes', () => {
    const ids = (kind: string, count: number) => Array.from({ length: count }, (_, index) => `${kind}${index}`);
    const [vpcs, endpoints, services] = [ids('v', 60), ids('e', 400), ids('s', 40)];
    const edges = endpoints.flatMap((id, index) => [
      { from: `v${(index * 7) % 60}`, to: id },
      { from: id, to: `s${(index * 13) % 40}` },
    ]);
    const places = placesOf({ layers: [vpcs, endpoints, services], edges }, SIZES);
    expect(places.size).toBe(500);
    for (const layer of [vpcs, endpoints, services]) {
      const ys = layer.map((id) => places.get(id)?.y ?? Number.NaN).sort((a, b) => a - b);
      const gaps = ys.slice(1).map((y, index) => y - (ys[index] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(25 - 1e-6);
    }
  });
});
