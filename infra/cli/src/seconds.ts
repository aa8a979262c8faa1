import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number of seconds. */
export const secondsUpTo =
  (most: number) =>
  (text: string): number => {
    const seconds = Number(text);
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > most) {
      throw new InvalidArgumentError(`must be 1 to ${most}.`);
    }
    return seconds;
  };
