/** A graph in layers: edges lead from one to a later one. */
export type Layered = Readonly<{
  layers: readonly (readonly string[])[];
  edges: readonly Readonly<{ from: string; to: string }>[];
}>;

export type Place = Readonly<{ x: number; y: number }>;

type Sizes = Readonly<{ width: number; height: number; gapX: number; gapY: number }>;

const SWEEPS = 8;

/**
 * Where each node stands: layers are columns, and in each a node stands as near to its neighbours as the others let it,
 * so that few edges cross.
 */
export const placesOf = (
  { layers, edges }: Layered,
  { width, height, gapX, gapY }: Sizes,
): ReadonlyMap<string, Place> => {
  const neighbours = neighboursOf(edges);
  const step = height + gapY;
  const rows = new Map(layers.flatMap((layer) => layer.map((id, index) => [id, index * step] as const)));
  const columns = layers.map((layer) => [...layer]);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    // There and back: each layer follows the one that has just been placed.
    for (const column of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const wanted = new Map(column.map((id) => [id, meanOf(id, neighbours, rows)]));
      column.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || (a < b ? -1 : 1));
      for (const [index, y] of spread(
        column.map((id) => wanted.get(id) ?? 0),
        step,
      ).entries()) {
        rows.set(column[index] ?? '', y);
      }
    }
  }
  const top = Math.min(0, ...rows.values());
  return new Map(
    columns.flatMap((column, index) =>
      column.map((id) => [id, { x: index * (width + gapX), y: (rows.get(id) ?? 0) - top }] as const),
    ),
  );
};

const neighboursOf = (edges: Layered['edges']): ReadonlyMap<string, readonly string[]> => {
  const neighbours = new Map<string, string[]>();
  const add = (of: string, one: string) => neighbours.set(of, [...(neighbours.get(of) ?? []), one]);
  for (const { from, to } of edges) {
    add(from, to);
    add(to, from);
  }
  return neighbours;
};

const meanOf = (
  id: string,
  neighbours: ReadonlyMap<string, readonly string[]>,
  rows: ReadonlyMap<string, number>,
): number => {
  const near = neighbours.get(id) ?? [];
  if (near.length === 0) return rows.get(id) ?? 0;
  return near.reduce((sum, one) => sum + (rows.get(one) ?? 0), 0) / near.length;
};

type Block = { start: number; count: number };

/** As near to where each is wanted as it can be with a step between them; they are in order. */
const spread = (wanted: readonly number[], step: number): readonly number[] => {
  const blocks: Block[] = [];
  for (const y of wanted) {
    blocks.push({ start: y, count: 1 });
    for (;;) {
      const [before, last] = blocks.slice(-2);
      if (!before || !last || before.start + before.count * step <= last.start) break;
      // Those that would overlap stand together, in the middle of where they are wanted.
      const sum = before.start * before.count + (last.start - before.count * step) * last.count;
      const count = before.count + last.count;
      blocks.splice(-2, 2, { start: sum / count, count });
    }
  }
  return blocks.flatMap(({ start, count }) => Array.from({ length: count }, (_, index) => start + index * step));
};
