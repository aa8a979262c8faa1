import { expect, test } from 'vitest';
import { reportPayment } from '../../support/scenario.ts';
import { seriousFindings } from './browser.ts';
import type { Dashboard } from './use-dashboard.ts';

/** What is told of one thing, and of everything together. */
export const details = ({ page, population, cast, screenshot, url }: Dashboard): void => {
  test('a connection is shown as it was', async () => {
    await page(async (one) => {
      await one.goto(`${url()}/connections/${population().eventful}`);
      const slider = one.getByRole('slider');
      await slider.focus();
      await one.keyboard.press('Home');
      await one.getByText('As it was after ConnectionRequested').waitFor();
      await one.locator('dl').getByText('Awaiting acceptance').waitFor();
    });
  });

  test('a connection is shown with what its names answer now', async () => {
    await page(async (one) => {
      await one.goto(`${url()}/connections/${population().inTwoZones}`);
      const names = one.getByRole('region', { name: 'Names' });
      await expect.poll(() => names.getByText(/10\.0\.\d+\.\d+/).count()).toBe(3);
      await one.getByText('Data of revision 0', { exact: true }).click();
      await one.getByText('Service account ID').first().waitFor();
    });
  });

  test('a connection is shown with what has gone through it, and how fast it goes', async () => {
    const { broker } = cast().service;
    const connectionId = population().inTwoZones;
    const report = (after: bigint, receivedBytes: bigint) =>
      broker.reportTraffic(
        {
          ...{ zoneId: 'cn-hangzhou-i', meterId: 'by-hand', after, runs: ['one'] },
          readings: [
            { connectionId, run: 'one', receivedBytes, sentBytes: 0n, flows: 7n, openFlows: 2n, failedFlows: 1n },
          ],
        },
        {},
      );
    await page(async (one) => {
      await one.goto(`${url()}/connections/${connectionId}`);
      const traffic = one.getByRole('region', { name: 'Traffic' });
      await traffic.getByText('nothing is forwarded here').nth(1).waitFor();
      await report(0n, 1_500n);
      await traffic.getByText('1.5 kB', { exact: true }).first().waitFor();
      await report(1n, 1_500_000_000n);
      // In its zone, and in all of them together.
      await traffic
        .getByText(/^1\.5 GB, now [\d.]+ [MG]B\/s$/)
        .nth(1)
        .waitFor();
      await traffic.scrollIntoViewIfNeeded();
      await screenshot(one, 'traffic', { fullPage: true });
      expect(await seriousFindings(one)).toEqual([]);
      await one.getByRole('slider').focus();
      await one.keyboard.press('Home');
      await traffic.waitFor({ state: 'detached' });
    });
  });

  test('all that stands in the way of an endpoint is said', async () => {
    await page(async (one) => {
      await one.goto(`${url()}/explain`);
      await one.getByLabel('Endpoint', { exact: true }).fill(population().waiting[2] ?? '');
      await one.getByRole('button', { name: 'Explain' }).click();
      await one.getByRole('listitem').getByText('Awaiting acceptance', { exact: true }).waitFor();
      await screenshot(one, 'explained', { fullPage: true });
      expect(await seriousFindings(one)).toEqual([]);
    });
  });

  test('the graph is narrowed, moved by keyboard, and leads to what it shows', async () => {
    const { up } = population().services;
    await page(async (one) => {
      await one.goto(`${url()}/topology?about=${up.serviceId}`);
      const node = one.getByRole('link', { name: up.serviceId });
      await node.waitFor();
      const before = await node.boundingBox();
      await one.getByRole('region', { name: /^Graph/ }).focus();
      await one.keyboard.press('ArrowDown');
      await expect.poll(async () => (await node.boundingBox())?.y).not.toBe(before?.y);
      await one.keyboard.press('0');
      await one.getByRole('combobox', { name: 'Status' }).selectOption('CONNECTED');
      await one.getByRole('button', { name: 'Table' }).click();
      await one.locator('tbody tr').first().getByText('Service', { exact: true }).waitFor();
      await one.getByRole('button', { name: 'Graph' }).click();
      await node.focus();
      await one.keyboard.press('Enter');
      await one.getByRole('heading', { name: up.serviceId }).waitFor();
    });
  });

  test('an account sees what is its own, and no other', async () => {
    const { consumer } = cast();
    const { total } = population();
    await page(
      async (one) => {
        await one.goto(`${url()}/`);
        await one
          .locator('.figure')
          .filter({ hasText: 'Connections' })
          .getByText(/[\d,]+/)
          .first()
          .waitFor();
        await one.goto(`${url()}/connections/${population().eventful}`);
        await one.getByText('What may become of it').waitFor();
        expect(await one.getByRole('button', { name: 'Accept' }).count()).toBe(0);
        await one.getByRole('button', { name: 'Pause', exact: true }).waitFor();
      },
      { who: { roles: ['consumer'], account: consumer.account } },
    );
    await page(
      async (one) => {
        await one.goto(`${url()}/connections`);
        await one.getByText('Nothing fits.').waitFor();
      },
      { who: { roles: ['consumer'], account: '9000000000000001' } },
    );
    expect(total).toBeGreaterThan(0);
  });

  test('the overview leads to what waits for an account’s payment, and to the connections of a zone', async () => {
    const { provider, consumer, billing } = cast();
    await reportPayment(billing, 'overdue', population().eventful);
    await page(async (one) => {
      await one.goto(`${url()}/`);
      const main = one.getByRole('main');
      await main
        .getByText(/none behind|positions behind/)
        .nth(4)
        .waitFor();
      await main.getByRole('link', { name: provider.account }).waitFor();
      await main.getByRole('link', { name: 'cn-hangzhou-i' }).click();
      await one.getByRole('row').filter({ hasText: population().inTwoZones }).waitFor();
      await one.getByText('1 row', { exact: true }).waitFor();
      await one.goBack();
      await main.getByRole('link', { name: consumer.account }).click();
      await one.getByRole('row').filter({ hasText: population().eventful }).waitFor();
      await one.getByText('1 row', { exact: true }).waitFor();
    });
  });

  test('a consumer is shown what it may connect to, and leads from there to its connections', async () => {
    const { byHand, up, deleted } = population().services;
    await page(
      async (one) => {
        await one.goto(`${url()}/`);
        await one.getByRole('link', { name: 'Services to use' }).click();
        const rowOf = (service: typeof up) => one.getByRole('row').filter({ hasText: service.serviceId });
        await rowOf(up).getByText('Automatic').waitFor();
        await rowOf(byHand).getByText('Manual').waitFor();
        expect(await rowOf(deleted).count()).toBe(0);
        expect(await one.getByRole('link', { name: 'Services', exact: true }).count()).toBe(0);
        await screenshot(one, 'services-to-use', { fullPage: true });
        expect(await seriousFindings(one)).toEqual([]);
        await one.getByLabel('Filter').fill('auto_accept = false');
        await rowOf(up).waitFor({ state: 'detached' });
        await rowOf(byHand).getByRole('link', { name: 'Show' }).click();
        await one.getByRole('cell', { name: byHand.serviceId }).first().waitFor();
      },
      { who: { roles: ['consumer'], account: cast().consumer.account } },
    );
  });
};
