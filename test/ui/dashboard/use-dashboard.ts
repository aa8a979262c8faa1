import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Role } from '@privatelink/shared/grpc/access';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { openBrowser, signIn } from '../../support/browser.ts';
import type { Cast } from '../../support/scenario.ts';
import { type Stage, useStage } from '../../support/stage.ts';
import { type CallerOptions, tokenFor, type WorldOptions } from '../../support/world.ts';
import { consoleErrors } from './browser.ts';
import { type Population, populate } from './population.ts';

const screenshots = fileURLToPath(new URL('../../../node_modules/.cache/privatelink/screenshots/', import.meta.url));

/** A few dozen show whether everything works, thousands whether it does so in use. */
const CONNECTIONS = Number(process.env['PRIVATELINK_UI_CONNECTIONS'] ?? 48);
/** Thousands are created in minutes. */
const PATIENCE_MS = 120_000 + CONNECTIONS * 60;

/** Nothing on a page takes so long. */
const LOOK_MS = 15_000;

export type Who = Readonly<{ roles: readonly Role[]; account?: string }>;
const OPERATOR: Who = { roles: ['operator'] };

const callerOf = ({ roles, account = '' }: Who): CallerOptions => ({ subject: roles.join('-'), account, roles });

type PageOptions = BrowserContextOptions &
  Readonly<{
    who?: Who;
    /** Errors of the console that are what the test is about. */
    but?: RegExp;
  }>;

export type Dashboard = Readonly<{
  stage: () => Stage;
  browser: () => Browser;
  cast: () => Cast;
  population: () => Population;
  url: () => string;
  /** A page of somebody who has signed in; an operator unless said otherwise. It is closed after the test. */
  page: <T>(work: (page: Page) => Promise<T>, options?: PageOptions) => Promise<T>;
  screenshot: (page: Page, name: string, options?: { fullPage?: boolean }) => Promise<unknown>;
  /** Asks the API as an operator. */
  get: <T>(path: string) => Promise<T>;
}>;

/** The running system with its dashboard, many connections and a browser. */
export const useDashboard = (world: WorldOptions = {}, connections = CONNECTIONS): Dashboard => {
  const stage = useStage(async () => ({ dashboard: true, ...world }));
  let browser: Browser;
  let cast: Cast;
  let population: Population;
  const url = () => stage().run.dashboard.urls[0] ?? '';

  const get = async <T>(path: string): Promise<T> => {
    const reply = await fetch(`${url()}${path}`, {
      headers: { authorization: `Bearer ${await tokenFor(stage().run, callerOf(OPERATOR))}` },
    });
    expect(reply.status).toBe(200);
    return (await reply.json()) as T;
  };

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    browser = await openBrowser();
    cast = await stage().cast();
    const reached = (counts: object) =>
      vi.waitFor(
        async () => {
          const { connections } = await get<Overview>('/api/overview');
          expect(Object.fromEntries(connections.map(({ name, count }) => [name, count]))).toEqual(counts);
        },
        { timeout: PATIENCE_MS, interval: 500 },
      );
    population = await populate(stage(), cast, { count: connections, reached });
  }, PATIENCE_MS);
  afterAll(() => browser?.close());

  return {
    ...{ stage, url, get },
    browser: () => browser,
    cast: () => cast,
    population: () => population,
    page: async (work, { who = OPERATOR, but, ...options } = {}) => {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(LOOK_MS);
      try {
        await signIn(context, stage().run, callerOf(who));
        const page = await context.newPage();
        const errors = consoleErrors(page);
        const result = await work(page).catch(async (error: Error) => {
          // A page that hangs gives no picture either.
          await page.screenshot({ path: `${screenshots}failed.png` }).catch((no: Error) => errors.push(no.message));
          throw new Error([`at ${page.url()}: ${error.message}`, ...errors].join('\n'), { cause: error });
        });
        expect(errors.filter((error) => !but?.test(error))).toEqual([]);
        return result;
      } finally {
        await context.close();
      }
    },
    screenshot: (page, name, options = {}) => page.screenshot({ path: `${screenshots}${name}.png`, ...options }),
  };
};

type Overview = Readonly<{ connections: readonly Readonly<{ name: string; count: number }>[] }>;
