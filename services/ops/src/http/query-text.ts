import { z } from 'zod';

/** Text of a query, which the database can take; empty when absent. */
export const text = (max: number, about: string) => plainText(max).default('').describe(about);

export const plainText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'must not contain NUL');
