import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEndpoints } from '../support/many-endpoints.ts';
import { type Cast, publishService, reportPayment } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { CALL, requestId } from '../support/world.ts';
import { consoleErrors, describeWithBrowser, openBrowser, seriousFindings } from './browser.ts';

const screenshots = fileURLToPath(new URL('../../node_modules/.cache/privatelink/screenshots/', import.meta.url));
const ZONE = 'cn-hangzhou-h';

describeWithBrowser('the dashboard', () => {
  const stage = useStage(async () => ({ dashboard: true }));
  let browser: Browser;
  let session: Awaited<ReturnType<BrowserContext['storageState']>>;
  let url = '';
  let cast: Cast;
  /** A connection that has been through something. */
  let eventful = '';
  let rejected = '';

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    browser = await openBrowser();
    url = stage().run.dashboard.urls[0] ?? '';
    cast = await stage().cast();
    const users = [cast.consumer.account];
    const byHand = await publishService(cast.provider, stage().log, { users });
    const byItself = await publishService(cast.provider, stage().log, { users, autoAccept: true });
    const created = await createEndpoints(cast.consumer, [byHand, byItself], { count: 40, zone: ZONE });
    const ofHand = [...created].filter(([, service]) => service === byHand).map(([id]) => id);
    const [first = '', second = ''] = ofHand;
    eventful = first;
    rejected = second;
    const move = (status: string) => ({ connectionId: eventful, status });
    await cast.provider.broker.acceptConnection(accept(first), CALL);
    await moved({ ...move('CONNECTED') });
    await reportPayment(cast.billing, 'overdue', first);
    await moved({ ...move('DISCONNECTED') });
    const rejection = { requestId: requestId(), connectionId: second, message: 'not on our list' };
    await cast.provider.broker.rejectConnection(rejection, CALL);
    await moved({ connectionId: second, hold: 'REJECTED' });
  }, 120_000);
  afterAll(() => browser?.close());

  const accept = (connectionId: string) => ({
    ...{ requestId: requestId(), connectionId, message: 'welcome', expireTime: undefined },
    ...{ zoneIds: [], zoneResources: [] },
  });

  /** Waits until the dashboard's own tables have it. */
  const moved = async ({ connectionId, ...wanted }: { connectionId: string; status?: string; hold?: string }) => {
    const page = await signedIn();
    const query = new URLSearchParams({ q: connectionId, ...wanted });
    await page.goto(`${url}/connections?${query}`);
    await page.getByRole('link', { name: connectionId }).waitFor();
    await page.context().close();
  };

  /** A page of somebody who has signed in by a link, which the first one does. */
  const signedIn = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
    if (!session) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto((await stage().system.loginLink()) ?? '');
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
      expect(page.url()).toBe(`${url}/`);
      session = await context.storageState();
      await context.close();
    }
    return (await browser.newContext({ ...options, storageState: session })).newPage();
  };

  const pages: readonly (readonly [name: string, path: () => string, ready: (page: Page) => Promise<unknown>])[] = [
    ['overview', () => '/', (page) => page.getByText('Services with most connections').waitFor()],
    ['connections', () => '/connections', (page) => page.getByText('40 rows').waitFor()],
    [
      'connection',
      () => `/connections/${eventful}`,
      (page) => page.getByRole('columnheader', { name: 'May become' }).waitFor(),
    ],
    ['services', () => '/endpoint-services', (page) => page.getByText('2 rows').waitFor()],
    ['endpoints', () => '/endpoints', (page) => page.getByText('40 rows').waitFor()],
    ['events', () => '/events', (page) => page.getByText('ConnectionRejected').first().waitFor()],
    ['explain', () => '/explain', (page) => page.getByRole('button', { name: 'Explain' }).waitFor()],
    ['system', () => '/system', (page) => page.getByText('connection_history').first().waitFor()],
    ['sign-in', () => '/sign-in?used', (page) => page.getByText('was used already').waitFor()],
  ];
  const looks = [
    { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
    { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
    { colorScheme: 'light', viewport: { width: 390, height: 844 } },
    { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  ] as const;

  test.each(looks)('looks as it should: $colorScheme, $viewport.width px', async (look) => {
    const page = await signedIn(look);
    const errors = consoleErrors(page);
    const findings: string[] = [];
    for (const [name, path, ready] of pages) {
      await page.goto(`${url}${path()}`);
      await ready(page);
      await page.screenshot({
        path: `${screenshots}${name}-${look.colorScheme}-${look.viewport.width}.png`,
        fullPage: true,
      });
      findings.push(...(await seriousFindings(page)).map((finding) => `${name}: ${finding}`));
      const beyond = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect([name, beyond]).toEqual([name, 0]);
    }
    expect(findings).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('a login link works once', async () => {
    const link = (await stage().system.loginLink()) ?? '';
    const [one, other] = [await browser.newContext(), await browser.newContext()];
    const first = await one.newPage();
    await first.goto(link);
    await first.getByRole('heading', { name: 'Overview' }).waitFor();
    const second = await other.newPage();
    await second.goto(link);
    await second.getByText('was used already').waitFor();
    await Promise.all([one.close(), other.close()]);
  });

  test('what happens is shown as it happens, once, also over a killed service', async () => {
    const page = await signedIn();
    await page.goto(`${url}/events`);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('searchbox').fill(eventful);
    const lifted = page.getByRole('cell', { name: 'HoldLifted', exact: true });
    const placed = page.getByRole('cell', { name: 'HoldPlaced', exact: true });
    await placed.waitFor();
    const before = await lifted.count();
    stage().system.kill('ops-1', 'SIGKILL');
    await reportPayment(cast.billing, 'settled', eventful);
    await stage().system.waitHealthy('ops-1');
    await page.getByRole('cell', { name: 'ConnectionEstablished', exact: true }).nth(1).waitFor();
    expect(await lifted.count()).toBe(before + 1);
    expect(await placed.count()).toBe(1);
    await page.context().close();
  });

  test('a connection is shown as it was', async () => {
    const page = await signedIn();
    await page.goto(`${url}/connections/${eventful}`);
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('Home');
    await page.getByText('As it was after ConnectionRequested').waitFor();
    await page.locator('dl').getByText('Awaiting acceptance').waitFor();
    await page.context().close();
  });

  test('all that stands in the way of an endpoint is said', async () => {
    const page = await signedIn();
    await page.goto(`${url}/explain`);
    await page.getByLabel('Endpoint', { exact: true }).fill(rejected);
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('listitem').getByText('Rejected', { exact: true }).waitFor();
    await page.screenshot({ path: `${screenshots}explained.png`, fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);
    await page.context().close();
  });

  test('an operator locks an endpoint, after a look at what that would do', async () => {
    const page = await signedIn();
    await page.goto(`${url}/connections/${eventful}`);
    await page.getByRole('button', { name: 'Lock endpoint' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It would record:').waitFor();
    await page.screenshot({ path: `${screenshots}action.png` });
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Lock endpoint' }).click();
    await page.getByRole('button', { name: 'Unlock endpoint' }).waitFor();
    await page.context().close();
  });
});
