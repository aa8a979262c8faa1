import { z } from 'zod';
import type { App } from './server.ts';

/** Text of a query, which the database can take; empty when absent. */
export const text = (max: number, about: string) => plainText(max).default('').describe(about);

export const plainText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'must not contain NUL');

const nothing = z.strictObject({});

/** A parameter that a route does not know is refused: who misspells a filter must not be shown everything. */
export const takeNoOthers = (app: App): void => {
  app.addHook('onRoute', (route) => {
    route.schema = { querystring: nothing, ...route.schema };
  });
};
