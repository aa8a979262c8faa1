import { readFileSync, statSync } from 'node:fs';

const RECHECK_MS = 1_000;

/**
 * Reads a file that may be replaced while we run, such as keys that are rotated. Looks for a change at most once a
 * second. While a changed file cannot be read, what was read before stays in force.
 *
 * @throws what reading or parsing threw, when there is nothing from before
 */
export const changingFile = <T>(path: string, parse: (text: string) => T, recheckMs = RECHECK_MS): (() => T) => {
  let current: Readonly<{ value: T }> | undefined;
  let version = '';
  let nextCheck = 0;

  return () => {
    const now = performance.now();
    if (current && now < nextCheck) return current.value;
    nextCheck = now + recheckMs;
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const found = `${mtimeMs}/${size}/${ino}`;
      if (!current || found !== version) {
        current = { value: parse(readFileSync(path, 'utf8')) };
        version = found;
      }
    } catch (error) {
      if (!current) throw error;
    }
    return current.value;
  };
};
