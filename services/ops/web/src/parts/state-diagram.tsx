import { useQuery } from '@tanstack/react-query';
import { get, type Machine } from '../api.ts';
import { words } from '../format.ts';
import { SimpleTable } from './simple-table.tsx';

const WIDTH = 132;
const HEIGHT = 34;
const GAP_X = 78;
const GAP_Y = 26;
const START = '(none)';
const ENDS: readonly string[] = ['GONE', 'ABANDONED'];

type Place = Readonly<{ x: number; y: number }>;

export const useMachine = (name: string) =>
  useQuery({
    queryKey: ['state-machines'],
    queryFn: () => get<Readonly<Record<string, Machine>>>('/state-machines.json'),
    staleTime: Number.POSITIVE_INFINITY,
    select: (machines) => machines[name],
  });

type Arrow = Readonly<{ from: string; to: string }>;

const arrowsOf = ({ rows }: Machine): readonly Arrow[] => {
  const arrows = rows.flatMap(({ from, to }) => from.map((status) => ({ from: status ?? START, to })));
  // What never was is not shown to end.
  const unlike = arrows.filter(({ from, to }) => from !== to && !(from === START && ENDS.includes(to)));
  return [...new Map(unlike.map((arrow) => [`${arrow.from}>${arrow.to}`, arrow])).values()];
};

/** Statuses in columns, by how many moves lead there at least. */
const placesOf = (arrows: readonly Arrow[]): ReadonlyMap<string, Place> => {
  const ranks: string[][] = [[START]];
  const seen = new Set([START]);
  for (let rank = ranks[0] ?? []; rank.length > 0; ) {
    const next = arrows.filter(({ from, to }) => rank.includes(from) && !seen.has(to)).map(({ to }) => to);
    rank = [...new Set(next)];
    for (const status of rank) seen.add(status);
    if (rank.length > 0) ranks.push(rank);
  }
  const tallest = Math.max(...ranks.map(({ length }) => length));
  return new Map(
    ranks.flatMap((rank, column) =>
      rank.map((status, row) => {
        const y = (row + (tallest - rank.length) / 2) * (HEIGHT + GAP_Y);
        return [status, { x: column * (WIDTH + GAP_X), y }] as const;
      }),
    ),
  );
};

const nameOf = (status: string): string => (status === START ? 'Not there yet' : words(status));

const timesText = (count: number): string =>
  count === 0 ? 'not taken' : `taken ${count === 1 ? 'once' : `${count} times`}`;

const pathText = (taken: Taken): string => taken.map(({ to }) => words(to).toLowerCase()).join(', ');

const classOf = (status: string, current: string, visited: ReadonlySet<string>): string =>
  status === current ? 'node current' : visited.has(status) ? 'node visited' : 'node';

/** From the edge of one box to the edge of another; there and back do not lie on each other. */
const pathOf = (from: Place, to: Place): string => {
  const isForward = to.x > from.x;
  if (from.x === to.x) {
    const side = to.y > from.y ? 1 : -1;
    const x = from.x + WIDTH / 2 + side * 14;
    const [y1, y2] = side > 0 ? [from.y + HEIGHT, to.y] : [from.y, to.y + HEIGHT];
    const bend = Math.abs(to.y - from.y) > HEIGHT + GAP_Y ? WIDTH * 0.72 * side : 0;
    return `M${x} ${y1} Q${x + bend} ${(y1 + y2) / 2} ${x} ${y2}`;
  }
  const x1 = from.x + (isForward ? WIDTH : 0);
  const x2 = to.x + (isForward ? 0 : WIDTH);
  const shift = isForward ? -6 : 6;
  const [y1, y2] = [from.y + HEIGHT / 2 + shift, to.y + HEIGHT / 2 + shift];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
};

type Taken = readonly Readonly<{ from: string; to: string }>[];
type Options = Readonly<{ machine: Machine; current: string; taken: Taken }>;

/** What may become of something, from the table that the services move by: where it stands, and how it came there. */
export const StateDiagram = ({ machine, current, taken }: Options) => {
  const steps = new Map<string, number>();
  for (const { from, to } of taken) {
    const arrow = `${from || START}>${to}`;
    steps.set(arrow, (steps.get(arrow) ?? 0) + 1);
  }
  const visited = new Set(taken.flatMap(({ from, to }) => [from || START, to]));
  const arrows = arrowsOf(machine);
  const places = placesOf(arrows);
  const xs = [...places.values()].map(({ x }) => x + WIDTH);
  const ys = [...places.values()].map(({ y }) => y + HEIGHT);
  const next = machine.rows.filter(({ from, to }) => from.includes(current) && to !== current);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="diagram-box" tabIndex={0} aria-label={`States of a ${machine.title.toLowerCase()}`}>
        <svg
          className="diagram"
          viewBox={`-8 -10 ${Math.max(...xs) + 16} ${Math.max(...ys) + 20}`}
          role="img"
          aria-label={`${machine.title}: now ${words(current)}; it came by ${pathText(taken) || 'no move yet'}`}
        >
          <defs>
            {['', 'taken'].map((kind) => (
              <marker
                key={kind}
                id={`arrow${kind}`}
                className={kind}
                {...{ viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' }}
              >
                <path d="M0 0 L8 4 L0 8 z" />
              </marker>
            ))}
          </defs>
          {arrows.map((arrow) => {
            const [from, to] = [places.get(arrow.from), places.get(arrow.to)];
            const count = steps.get(`${arrow.from}>${arrow.to}`) ?? 0;
            if (!from || !to) return null;
            return (
              <path
                key={`${arrow.from}>${arrow.to}`}
                className={count > 0 ? 'edge taken' : 'edge'}
                d={pathOf(from, to)}
                markerEnd={`url(#arrow${count > 0 ? 'taken' : ''})`}
              >
                <title>{timesText(count)}</title>
              </path>
            );
          })}
          {[...places].map(([status, { x, y }]) => (
            <g key={status} className={classOf(status, current, visited)} transform={`translate(${x} ${y})`}>
              <rect width={WIDTH} height={HEIGHT} rx={8} />
              <text x={WIDTH / 2} y={HEIGHT / 2 + 4} textAnchor="middle">
                {nameOf(status)}
              </text>
            </g>
          ))}
        </svg>
      </section>
      <SimpleTable
        title="What may come next"
        heads={['May become', 'When']}
        rows={next.map(({ on, to, because }) => ({
          key: `${on}>${to}>${because}`,
          cells: [
            words(to),
            <span key="b" className="wrap">
              {because}
            </span>,
          ],
        }))}
        empty="Nothing: this is where it ends."
      />
    </>
  );
};
