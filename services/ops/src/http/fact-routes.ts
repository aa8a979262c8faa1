import { InvalidRequest } from '@privatelink/shared/app/errors';
import type { Db } from '@privatelink/shared/postgres/connect';
import { z } from 'zod';
import { factsBefore, readFactLog } from '../read-models/facts.ts';
import { scopeOf } from '../views/caller-view.ts';
import { isTold } from '../views/fact-view.ts';
import { factJson, placeText, readPlace, toFactJson } from './fact-json.ts';
import { connectionList } from './listings.ts';
import { plainText, text } from './query-text.ts';
import type { App } from './server.ts';

export const factSelection = {
  about: text(64, 'A resource, a service or an account'),
  type: z
    .union([plainText(64), z.array(plainText(64)).max(32)])
    .default([])
    .transform((types) => [types].flat().filter((type) => type !== '')),
  actor: text(128, 'Who did it, as `user:paula`'),
  moves: z.stringbool().default(false).describe('Those that moved a status alone'),
};

const page = z.object({
  items: z.array(factJson),
  next: z.string().describe('`before` of the next page; empty on the last one'),
  latest: z.string().describe('Where the live feed goes on after this page'),
});

export const factRoutes = (app: App, db: Db): void => {
  app.get(
    '/api/facts',
    {
      schema: {
        summary: 'What happened lately, the latest first',
        tags: ['facts'],
        querystring: z.strictObject({
          ...factSelection,
          before: z.string().max(64).default('').describe('`next` of the page before, or the `id` of a fact'),
          pageSize: z.coerce.number().int().min(1).max(500).default(100),
        }),
        response: { 200: page },
      },
    },
    async (request) => {
      const scope = scopeOf(request.signed.caller, connectionList);
      const { type: types, before, pageSize, ...matter } = request.query;
      const log = await readFactLog(db);
      const place = before === '' ? log.last + 1n : readPlace(log, before);
      if (place === undefined) throw new InvalidRequest([{ field: 'before', description: 'is not the id of a fact' }]);
      // What is before the first one that is kept is nothing.
      const rows = place === null ? [] : await factsBefore(db, { scope, types, ...matter }, place, pageSize);
      const items = rows.filter((fact) => isTold(fact, scope)).map((fact) => toFactJson(log, fact, scope));
      const last = rows.length === pageSize ? rows.at(-1) : undefined;
      return { items, next: last ? placeText(log, last.sequence) : '', latest: placeText(log, log.last) };
    },
  );
};
