/** Random numbers that follow from a seed alone. */
export type Random = Readonly<{
  /** 0 <= x < 1 */
  next: () => number;
  chance: (probability: number) => boolean;
  between: (low: number, high: number) => number;
  int: (below: number) => number;
  pick: <T>(items: readonly T[]) => T;
  /** Numbers of their own for a part, so that what one part draws changes nothing for the others. */
  fork: (part: string) => Random;
}>;

export const createRandom = (seed: string): Random => {
  const next = sfc32(...hash(seed));
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    int,
    chance: (probability) => probability > 0 && next() < probability,
    between: (low, high) => low + next() * (high - low),
    pick: (items) => {
      if (items.length === 0) throw new Error('nothing to pick from');
      return items[int(items.length)] as (typeof items)[number];
    },
    fork: (part) => createRandom(`${seed}/${part}`),
  };
};

type State = [number, number, number, number];

const hash = (text: string): State => {
  const state: State = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    state[0] = Math.imul(state[0] ^ code, 0x85ebca6b);
    state[1] = Math.imul(state[1] ^ code ^ (state[0] >>> 15), 0xc2b2ae35);
    state[2] = Math.imul(state[2] ^ code ^ (state[1] >>> 13), 0x27d4eb2f);
  }
  return state;
};

const sfc32 = (a: number, b: number, c: number, d: number): (() => number) => {
  const step = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) step();
  return step;
};
