import { Readable } from 'node:stream';
import { checkPageSize, violations } from '@privatelink/shared/grpc/validate';
import { z } from 'zod';
import { scopeOf } from '../views/caller-view.ts';
import type { Signed } from './authentication.ts';
import { line } from './csv.ts';
import { type Asked, countAll, type PageDeps, readPage } from './list-page.ts';
import { type Listing, listings, type Shown } from './listings.ts';
import { text } from './query-text.ts';
import type { App } from './server.ts';

const selection = {
  filter: text(2_048, 'As lists of the services are filtered (AIP-160): `status = CONNECTED AND zone_ids:h`'),
  orderBy: text(256, 'As lists of the services are ordered: `status_time desc`'),
  q: text(256, 'Ids by how they begin; accounts, names and VPCs as a whole'),
  stuck: z.stringbool().default(false).describe('Of connections, those on their way for more than a minute'),
};

const paging = {
  pageSize: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0)
    .describe('50 unless said, 1000 at most'),
  pageToken: text(8_192, '`nextPageToken` of the page before'),
};

const query = z.strictObject({ ...selection, ...paging });

/** What lists that are a service's own are asked by. */
export const pageQuery = z.strictObject({ filter: selection.filter, orderBy: selection.orderBy, ...paging });

const resource = z.record(z.string(), z.unknown()).describe('A message of the contract in protobuf’s JSON');
export const listedPage = z.object({
  items: z.array(resource),
  nextPageToken: z.string().describe('Empty on the last page'),
});

const EXPORT_PAGE = 500;
/** As far as people want to know it, and as it costs no more than a page. */
const COUNTED = 10_000;

export const listRoutes = (app: App, deps: PageDeps): void => {
  for (const listing of listings) {
    app.get(
      `/api/${listing.path}`,
      {
        schema: { summary: listing.summary, tags: ['lists'], querystring: query, response: { 200: listedPage } },
        // What is shown was read by the contract when it was taken in.
        serializerCompiler: () => JSON.stringify,
      },
      async (request) => {
        const { caller } = request.signed;
        const { pageSize, ...asked } = request.query;
        const v = violations();
        const limit = checkPageSize(v, pageSize);
        v.throwIfAny();
        const { rows, nextPageToken } = await readPage(deps, listing, asked, caller, limit);
        const items = await listing.show(deps, rows, scopeOf(caller, listing.rpc));
        return { items: [...items], nextPageToken };
      },
    );
    app.get(
      `/api/${listing.path}/count`,
      {
        schema: {
          summary: `${listing.summary}: how many there are`,
          tags: ['lists'],
          querystring: z.strictObject({ filter: selection.filter, q: selection.q, stuck: selection.stuck }),
          response: {
            200: z.object({
              count: z.number().int().describe(`At most ${COUNTED}`),
              isMore: z.boolean().describe('Whether there are more than that'),
            }),
          },
        },
      },
      async (request) => {
        const found = await countAll(deps, listing, request.query, request.signed.caller, COUNTED + 1);
        return { count: Math.min(found, COUNTED), isMore: found > COUNTED };
      },
    );
    app.get(
      `/api/${listing.path}/export`,
      {
        schema: {
          summary: `${listing.summary}: all of them, as a file`,
          tags: ['lists'],
          querystring: z.strictObject({ ...selection, format: z.enum(['csv', 'json']).default('csv') }),
        },
      },
      async (request, reply) => {
        const { format, ...asked } = request.query;
        const pages = exportPages(deps, listing, asked, request.signed);
        // What is refused is refused before anything is sent.
        const first = await pages.next();
        const name = `${listing.path}.${format}`;
        return reply
          .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json')
          .header('content-disposition', `attachment; filename="${name}"`)
          .send(Readable.from(format === 'csv' ? asCsv(listing, first, pages) : asJson(first, pages)));
      },
    );
  }
};

type Pages = AsyncGenerator<readonly Shown[], void>;

async function* exportPages(
  deps: PageDeps,
  listing: Listing,
  asked: Omit<Asked, 'pageToken'>,
  { caller }: Signed,
): Pages {
  let pageToken = '';
  do {
    const { rows, nextPageToken } = await readPage(deps, listing, { ...asked, pageToken }, caller, EXPORT_PAGE);
    yield await listing.show(deps, rows, scopeOf(caller, listing.rpc));
    pageToken = nextPageToken;
  } while (pageToken !== '');
}

async function* asCsv({ csv }: Listing, first: IteratorResult<readonly Shown[], void>, rest: Pages) {
  yield line(csv);
  for await (const items of all(first, rest)) {
    yield items.map((item) => line(csv.map((field) => item[field]))).join('');
  }
}

async function* asJson(first: IteratorResult<readonly Shown[], void>, rest: Pages) {
  let before = '[\n';
  for await (const items of all(first, rest)) {
    for (const item of items) {
      yield `${before}${JSON.stringify(item)}`;
      before = ',\n';
    }
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

async function* all(first: IteratorResult<readonly Shown[], void>, rest: Pages) {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
