import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { InvalidRequest } from '@privatelink/shared/app/errors';
import type { Db } from '@privatelink/shared/postgres/connect';
import { http } from '@privatelink/shared/telemetry/metrics';
import { z } from 'zod';
import { type FactQuery, factsBetween } from '../read-models/facts.ts';
import { scopeOf } from '../views/caller-view.ts';
import { isTold } from '../views/fact-view.ts';
import type { Authenticate } from './authentication.ts';
import { TooMany } from './errors.ts';
import { placeText, readPlace, toFactJson } from './fact-json.ts';
import { factSelection } from './fact-routes.ts';
import type { FactTail } from './fact-tail.ts';
import { connectionList } from './listings.ts';
import type { App } from './server.ts';

const MAX_STREAMS = 200;
const MAX_STREAMS_OF_ONE = 20;
const PAGE = 500;
/** A line at least so often, so that nobody in between takes the stream for dead. */
const SIGN_OF_LIFE_MS = 15_000;

export type LiveOptions = Readonly<{
  db: Db;
  tail: FactTail;
  authenticate: Authenticate;
  /** Ends all streams. */
  signal: AbortSignal;
}>;

/** Facts as they are taken in, as server-sent events: each exactly once, also over a reconnection. */
export const liveRoutes = (app: App, { db, tail, authenticate, signal }: LiveOptions): void => {
  const open = new Map<string, number>();
  const admit = (who: string): (() => void) => {
    const total = [...open.values()].reduce((sum, count) => sum + count, 0);
    const own = open.get(who) ?? 0;
    if (total >= MAX_STREAMS || own >= MAX_STREAMS_OF_ONE) throw new TooMany('too many live streams are open');
    open.set(who, own + 1);
    http.live.inc();
    return () => {
      open.set(who, (open.get(who) ?? 1) - 1);
      http.live.dec();
    };
  };

  app.get(
    '/api/live',
    {
      schema: {
        summary: 'What happens, as server-sent events `fact`; `reset` when some were missed for good',
        description: 'After `Last-Event-ID`, or `after`, or from now on.',
        tags: ['facts'],
        querystring: z.object({ ...factSelection, after: z.string().max(64).default('') }),
      },
    },
    async (request, reply) => {
      const { caller } = await authenticate(request);
      const scope = scopeOf(caller, connectionList);
      const { about, type, after } = request.query;
      const log = await tail.look();
      const asked = [request.headers['last-event-id']].flat()[0] ?? after;
      const place = asked === '' ? log.last : readPlace(log, asked);
      if (place === undefined) throw new InvalidRequest([{ field: 'after', description: 'is not the id of a fact' }]);
      // Who hung up meanwhile is not told of it again.
      if (reply.raw.destroyed) return reply;
      const leave = admit(`${caller.accountId}/${caller.subject}`);
      reply.hijack();
      const closed = new AbortController();
      reply.raw.once('close', () => {
        closed.abort();
        leave();
      });
      const stream = {
        ...{ raw: reply.raw, query: { scope, about, types: type } },
        ...{ from: place ?? log.last, missed: place === null },
        signal: AbortSignal.any([signal, closed.signal]),
        // The session may have ended meanwhile.
        check: () => authenticate(request),
      };
      await serve({ db, tail }, stream)
        .catch((err: unknown) => request.log.debug({ err }, 'live stream ended'))
        .finally(() => reply.raw.end());
    },
  );
};

type Stream = Readonly<{
  raw: ServerResponse;
  query: FactQuery;
  from: bigint;
  /** Facts between where the client was and `from` are not kept. */
  missed: boolean;
  signal: AbortSignal;
  check: () => Promise<unknown>;
}>;

const serve = async ({ db, tail }: Pick<LiveOptions, 'db' | 'tail'>, stream: Stream): Promise<void> => {
  const { raw, query, from, missed, signal, check } = stream;
  const { id } = await tail.look();
  let place = from;
  const write = async (lines: string): Promise<void> => {
    // A reader that is slower than what happens holds up nobody but itself.
    if (lines !== '' && !raw.write(lines)) await once(raw, 'drain', { signal });
  };
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  await write(`retry: 1000\nid: ${placeText({ id }, place)}\nevent: ${missed ? 'reset' : 'ready'}\ndata:\n\n`);
  while (!signal.aborted) {
    const last = await tail.beyond(place, { signal, withinMs: SIGN_OF_LIFE_MS });
    if (signal.aborted) return;
    await check();
    const rows = last > place ? await factsBetween(db, query, place, last, PAGE) : [];
    const told = rows.filter((fact) => isTold(fact, query.scope));
    // Also past what others alone are told.
    place = rows.length === PAGE ? (rows.at(-1)?.sequence ?? last) : last;
    const facts = told.map(
      (fact) =>
        `id: ${placeText({ id }, fact.sequence)}\nevent: fact\ndata: ${JSON.stringify(
          toFactJson({ id }, fact, query.scope),
        )}\n\n`,
    );
    await write(facts.length > 0 ? facts.join('') : `id: ${placeText({ id }, place)}\nevent: idle\ndata:\n\n`);
  }
};
