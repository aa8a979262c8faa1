import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newAccount } from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';
import { consoleErrors, describeWithBrowser, openBrowser, seriousFindings } from './browser.ts';

const screenshots = fileURLToPath(new URL('../../node_modules/.cache/privatelink/screenshots/', import.meta.url));

describeWithBrowser('the page System', () => {
  const stage = useStage(async () => ({ dashboard: true }));
  let browser: Browser;
  const subject = `billing.v1.${newAccount()}.overdue`;

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    browser = await openBrowser();
    const { run } = stage();
    const { user, password, inboxPrefix } = run.nats.billing ?? expect.fail('billing has no user');
    const nats = await connect({ servers: new URL(run.nats.url).host, user, pass: password, inboxPrefix });
    await nats.request(subject, 'not even JSON');
    await nats.close();
  }, 120_000);
  afterAll(() => browser?.close());

  test('shows what could not be handled, and who follows what; a letter is replayed and discarded there', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    const errors = consoleErrors(page);
    await page.goto((await stage().system.loginLink()) ?? '');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.goto(`${stage().run.dashboard.urls[0]}/system`);
    const letter = page.getByRole('listitem').filter({ hasText: subject });
    await letter.getByText('carries no report').waitFor();
    await letter.getByText('handled in vain 1 times').waitFor();
    await letter.getByText('Message dl-').click();
    await letter.getByText('not even JSON').waitFor();
    await page.getByRole('cell', { name: 'reactor.connecting' }).waitFor();
    await page.getByText('broker-1, version').waitFor();
    await page.screenshot({ path: `${screenshots}system-dead-letter.png`, fullPage: true });
    expect(await seriousFindings(page)).toEqual([]);

    await letter.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('dialog').getByText('failed again, and the letter stays').waitFor();
    await page.screenshot({ path: `${screenshots}system-replay.png` });
    await page.keyboard.press('Escape');
    await letter.getByText('handled in vain 2 times').waitFor();

    await letter.getByRole('button', { name: 'Discard' }).click();
    await page.getByLabel('Reason').fill('noise');
    await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
    await page.getByText('None: every message could be handled.').waitFor();
    // But for what the browser itself says of an answer that is no.
    expect(errors.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await context.close();
  });
});
