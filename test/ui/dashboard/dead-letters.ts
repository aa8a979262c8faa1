import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { newAccount } from '../../support/scenario.ts';
import { seriousFindings } from './browser.ts';
import type { Dashboard } from './use-dashboard.ts';

/** What the browser itself says of an answer that is no. */
const REFUSED = /^Failed to load resource/;

export const deadLetters = (dashboard: Dashboard): void => {
  test('what could not be handled is replayed and discarded, and who follows what is told', async () => {
    const { run } = dashboard.stage();
    const subject = `billing.v1.${newAccount()}.overdue`;
    const { user, password, inboxPrefix } = run.nats.billing ?? expect.fail('billing has no user');
    const nats = await connect({ servers: new URL(run.nats.url).host, user, pass: password, inboxPrefix });
    await nats.request(subject, 'not even JSON');
    await nats.close();
    await dashboard.page(
      async (page) => {
        await page.goto(`${dashboard.url()}/system`);
        const letter = page.getByRole('listitem').filter({ hasText: subject });
        await letter.getByText('carries no report').waitFor();
        await letter.getByText('Message dl-').click();
        await letter.getByText('not even JSON').waitFor();
        await page.getByRole('cell', { name: 'reactor.connecting' }).waitFor();
        await page.getByText('broker-1, version').waitFor();
        await dashboard.screenshot(page, 'system-dead-letter', { fullPage: true });
        expect(await seriousFindings(page)).toEqual([]);

        await letter.getByRole('button', { name: 'Replay' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
        await page.getByRole('dialog').getByText('failed again, and the letter stays').waitFor();
        await dashboard.screenshot(page, 'system-replay');
        await page.keyboard.press('Escape');
        await letter.getByText('handled in vain 2 times').waitFor();

        await letter.getByRole('button', { name: 'Discard' }).click();
        await page.getByLabel('Reason').fill('noise');
        await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
        await letter.waitFor({ state: 'detached' });
        await page.setViewportSize({ width: 390, height: 844 });
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      },
      { but: REFUSED },
    );
  });
};
