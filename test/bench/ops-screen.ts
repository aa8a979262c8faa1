import type { Page } from 'playwright-core';
import { isBrowserThere, openBrowser, signIn } from '../support/browser.ts';
import { type EventLog, openEventLog } from '../support/event-log.ts';
import { createEndpoints } from '../support/many-endpoints.ts';
import { type Cast, openCast, publishService } from '../support/scenario.ts';
import { CALL, requestId, startWorld } from '../support/world.ts';
import { BenchError } from './bench-error.ts';
import { type Figures, figures } from './statistics.ts';

const CONNECTIONS = 10;
/** Status changes that last, one after another. */
const CHANGES = 200;
const PATIENCE_MS = 15_000;
const PAGES = [
  { title: 'Connections', path: '/connections' },
  { title: 'Events', path: '/events' },
] as const;

export type ScreenFigures = Readonly<{ title: string; changes: number }> & Figures;

/**
 * Connections are paused and resumed in the running system, and two open pages note when their rows have the new
 * status: milliseconds since the store recorded it. Null where there is no browser.
 */
export const opsScreen = async (): Promise<readonly ScreenFigures[] | null> => {
  if (!isBrowserThere) return null;
  const world = await startWorld({ dashboard: true });
  const { run } = world.system;
  const log = openEventLog(run);
  const cast = await openCast(run);
  const browser = await openBrowser();
  try {
    const ids = await createConnections(cast, log);
    const context = await browser.newContext();
    await signIn(context, run, { account: '', roles: ['operator'] });
    const pages = await Promise.all(
      PAGES.map(async ({ title, path }) => {
        const page = await context.newPage();
        await page.goto(`${run.dashboard.urls[0]}${path}`);
        await page.getByText('Live', { exact: true }).waitFor();
        return { title, page, samples: [] as number[] };
      }),
    );
    for (let change = 0; change < CHANGES; change++) {
      const id = ids[change % ids.length] ?? '';
      const isPause = Math.floor(change / ids.length) % 2 === 0;
      const [to, text] = isPause ? ['DISCONNECTED', 'Disconnected'] : ['CONNECTED', 'Connected'];
      const before = log.of('connection', id).at(-1)?.revision ?? -1n;
      const shown = Promise.all(pages.map(({ page }) => showsAt(page, id, text)));
      const request = { requestId: requestId(), connectionId: id, message: '' };
      const { broker } = cast.consumer;
      const [moments] = await Promise.all([
        shown,
        isPause ? broker.pauseConnection(request, CALL) : broker.resumeConnection(request, CALL),
      ]);
      const { recordedAt } = await log.next(
        ({ owner, revision, move }) => owner === id && revision > before && move?.to === to,
        `${id} ${to}`,
      );
      for (const [index, moment] of moments.entries()) pages[index]?.samples.push(moment - Date.parse(recordedAt));
    }
    return pages.map(({ title, samples }) => ({ title, changes: samples.length, ...figures(samples) }));
  } finally {
    await browser.close();
    cast.close();
    await log.close();
    await world.stop();
  }
};

const createConnections = async ({ provider, consumer }: Cast, log: EventLog): Promise<readonly string[]> => {
  const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
  const created = await createEndpoints(consumer, [service], { count: CONNECTIONS, zone: 'cn-hangzhou-h' });
  const ids = [...created.keys()];
  await Promise.all(ids.map((id) => log.records('connection', id, 'ConnectionEstablished')));
  return ids;
};

/** When the topmost row of a connection that has a status has this one; the page itself notes the moment. */
const showsAt = async (page: Page, id: string, status: string): Promise<number> => {
  const at = await page.evaluate<number | null>(`new Promise((resolve) => {
    const statusNow = () => [...document.querySelectorAll('tbody tr')]
      .find((row) => row.querySelector('a')?.textContent === '${id}' && row.querySelector('.badge'))
      ?.querySelector('.badge').textContent;
    const end = (at) => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(at);
    };
    const look = () => {
      if (statusNow() === '${status}') end(performance.timeOrigin + performance.now());
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    const timer = setTimeout(() => end(null), ${PATIENCE_MS});
    look();
  })`);
  if (at === null) throw new BenchError(`${id} is not shown as ${status} within ${PATIENCE_MS} ms: ${page.url()}`, 1);
  return at;
};
