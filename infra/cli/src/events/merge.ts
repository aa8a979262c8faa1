/** What a service tells of its facts. */
export type Told<F> = Readonly<{ kind: 'fact'; position: bigint; fact: F }> | Readonly<{ kind: 'synced' }>;

type Item<F> = Readonly<{ told: Told<F> | null; error?: unknown; taken: () => void }>;

/**
 * Facts of several services: those that there are already in the order of their positions, from then on as they come.
 * Those of one service, and so of one resource, stay in their order. Ends with the first that fails.
 */
export async function* merge<F>(sources: readonly AsyncIterable<Told<F>>[]): AsyncIterable<F> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const next = async (iterator: AsyncIterator<Told<F>>): Promise<Told<F> | null> => {
    const { done, value } = await iterator.next();
    return done ? null : value;
  };
  const heads = await Promise.all(iterators.map(next));
  for (;;) {
    const first = heads.reduce((least, head) => earlier(least, head), null);
    if (first?.kind !== 'fact') break;
    yield first.fact;
    const at = heads.indexOf(first);
    heads[at] = await next(iterators[at] as AsyncIterator<Told<F>>);
  }
  yield* asTheyCome(iterators.map((iterator) => () => next(iterator)));
}

const earlier = <F>(one: Told<F> | null, other: Told<F> | null): Told<F> | null => {
  if (other?.kind !== 'fact') return one;
  return one?.kind !== 'fact' || other.position < one.position ? other : one;
};

/** Each is asked for its next when its last one was taken. */
async function* asTheyCome<F>(sources: readonly (() => Promise<Told<F> | null>)[]): AsyncIterable<F> {
  const items: Item<F>[] = [];
  let wake = Promise.withResolvers<void>();
  const pump = async (next: () => Promise<Told<F> | null>): Promise<void> => {
    for (let isOver = false; !isOver; ) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const item = await next().then(
        (told) => ({ told, taken: resolve }),
        (error: unknown) => ({ told: null, error, taken: resolve }),
      );
      isOver = item.told === null;
      items.push(item);
      wake.resolve();
      await promise;
    }
  };
  for (const source of sources) void pump(source);
  for (let running = sources.length; running > 0; ) {
    await wake.promise;
    wake = Promise.withResolvers();
    for (const { told, error, taken } of items.splice(0)) {
      if (error !== undefined) throw error;
      if (told?.kind === 'fact') yield told.fact;
      if (told === null) running--;
      taken();
    }
  }
}
