type Reading<T> = { readonly running: Promise<T>; next: Promise<T> | null };

/**
 * One read of a key at a time. Who asks while one is running gets the next one, which begins after all of them have
 * asked: nobody is shown less than what was there when he asked.
 */
export const shareReads = <T>(read: (key: string) => Promise<T>): ((key: string) => Promise<T>) => {
  const readings = new Map<string, Reading<T>>();

  const start = (key: string): Promise<T> => {
    const reading: Reading<T> = { running: read(key), next: null };
    readings.set(key, reading);
    const end = (): void => {
      if (readings.get(key) === reading && reading.next === null) readings.delete(key);
    };
    reading.running.then(end, end);
    return reading.running;
  };

  return (key) => {
    const reading = readings.get(key);
    if (!reading) return start(key);
    const again = (): Promise<T> => start(key);
    reading.next ??= reading.running.then(again, again);
    return reading.next;
  };
};
