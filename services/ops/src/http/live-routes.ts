import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { InvalidRequest } from '@privatelink/shared/app/errors';
import type { Caller } from '@privatelink/shared/grpc/tokens';
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
/** Staff finds a place however many accounts look. */
const MAX_STREAMS_OF_ACCOUNTS = 150;
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
  const admit = places();

  app.get(
    '/api/live',
    {
      schema: {
        summary: 'What happens, as server-sent events `fact`; `reset` when some were missed for good',
        description: 'After `Last-Event-ID`, or `after`, or from now on.',
        tags: ['facts'],
        querystring: z.strictObject({ ...factSelection, after: z.string().max(64).default('') }),
      },
    },
    async (request, reply) => {
      const { caller } = request.signed;
      const scope = scopeOf(caller, connectionList);
      const { type: types, after, ...matter } = request.query;
      const log = await tail.look();
      const resumed = [request.headers['last-event-id']].flat()[0];
      const asked = resumed ?? after;
      const place = asked === '' ? log.last : readPlace(log, asked);
      if (place === undefined) {
        const field = resumed === undefined ? 'after' : 'Last-Event-ID';
        throw new InvalidRequest([{ field, description: 'is not the id of a fact' }]);
      }
      // Who hung up meanwhile is not told of it again.
      if (reply.raw.destroyed) return reply;
      const leave = admit(caller);
      reply.hijack();
      const closed = new AbortController();
      reply.raw.once('close', () => {
        closed.abort();
        leave();
      });
      const stream = {
        ...{ raw: reply.raw, query: { scope, types, ...matter } },
        ...{ from: place ?? log.last, missed: place === null },
        signal: AbortSignal.any([signal, closed.signal]),
        // The session may have ended meanwhile.
        check: () => authenticate(request),
      };
      await serve({ db, tail }, stream).catch((err: unknown) => request.log.debug({ err }, 'live stream ended'));
      // Not ended: that would wait for a client that does not read any more.
      reply.raw.destroy();
    },
  );
};

/** As many streams at once as there is room for, for all and for each: gives a place, and back what leaves it. */
const places = (): ((caller: Caller) => () => void) => {
  const open = new Map<string, number>();
  let total = 0;
  const count = (who: string, by: 1 | -1): void => {
    total += by;
    const own = (open.get(who) ?? 0) + by;
    if (own > 0) open.set(who, own);
    else open.delete(who);
    http.live.inc(by);
  };
  return ({ accountId, subject }) => {
    const who = accountId || subject;
    const room = accountId === '' ? MAX_STREAMS : MAX_STREAMS_OF_ACCOUNTS;
    if (total >= room || (open.get(who) ?? 0) >= MAX_STREAMS_OF_ONE)
      throw new TooMany('too many live streams are open');
    count(who, 1);
    return () => count(who, -1);
  };
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
