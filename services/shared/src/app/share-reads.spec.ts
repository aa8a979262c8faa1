import { describe, expect, it } from 'vitest';
import { shareReads } from './share-reads.ts';

/** Reads that end when they are told to. */
const held = () => {
  const reads: { key: string; end: PromiseWithResolvers<number> }[] = [];
  const read = shareReads((key) => {
    const end = Promise.withResolvers<number>();
    reads.push({ key, end });
    return end.promise;
  });
  return { read, reads, end: (index: number, value: number) => reads[index]?.end.resolve(value) };
};

describe('reads of one key', () => {
  it('that are asked for while one is running are one more, begun after it', async () => {
    const { read, reads, end } = held();
    const first = read('a');
    const later = [read('a'), read('a'), read('a')];
    expect(reads).toHaveLength(1);
    end(0, 1);
    expect(await first).toBe(1);
    await expect.poll(() => reads.length).toBe(2);
    const latest = read('a');
    end(1, 2);
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
    await expect.poll(() => reads.length).toBe(3);
    end(2, 3);
    expect(await latest).toBe(3);
  });

  it('begin at once when none is running, and do not wait for those of other keys', async () => {
    const { read, reads, end } = held();
    const [a, b] = [read('a'), read('b')];
    expect(reads.map(({ key }) => key)).toEqual(['a', 'b']);
    end(0, 1);
    end(1, 2);
    expect(await Promise.all([a, b])).toEqual([1, 2]);
    const again = read('a');
    expect(reads).toHaveLength(3);
    end(2, 3);
    expect(await again).toBe(3);
  });

  it('that fail fail for those who asked before, and not for those who wait for the next', async () => {
    const { read, reads, end } = held();
    const failing = read('a');
    const next = read('a');
    reads[0]?.end.reject(new Error('away'));
    await expect(failing).rejects.toThrow('away');
    await expect.poll(() => reads.length).toBe(2);
    end(1, 5);
    expect(await next).toBe(5);
  });
});
