import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { CALL, requestId } from '../../support/world.ts';
import type { Dashboard } from './use-dashboard.ts';

const LISTS = [
  ['/connections', 'Connections'],
  ['/endpoints', 'Endpoints'],
  ['/endpoint-services', 'Services'],
] as const;

const scrollTop = (page: Page) =>
  page.locator('.table-box').evaluate((box) => (box as { scrollTop: number }).scrollTop);

/** Tables of many rows. */
export const tables = ({ page, population, cast, url }: Dashboard): void => {
  test('how many rows there are is said before all are there, and follows what is asked for', async () => {
    const { total, counts } = population();
    await page(async (one) => {
      await one.goto(`${url()}/connections`);
      await one.getByText(`${total.toLocaleString('en')} in all`).waitFor();
      await one.getByRole('combobox', { name: 'Status' }).selectOption('SERVICE_DELETED');
      await one.getByText(`${counts.SERVICE_DELETED.toLocaleString('en')} in all`).waitFor();
    });
  });

  test('all rows are reached by keyboard', async () => {
    await page(async (one) => {
      await one.goto(`${url()}/connections`);
      await one.locator('tbody tr').nth(1).waitFor();
      await one.getByRole('region', { name: 'Connections' }).focus();
      const all = one.getByText(new RegExp(`^${population().total.toLocaleString('en')} rows$`));
      await expect
        .poll(
          async () => {
            await one.keyboard.press('End');
            return all.count();
          },
          { timeout: 90_000, interval: 50 },
        )
        .toBe(1);
      await one.getByRole('row').last().getByRole('link').first().waitFor();
    });
  });

  test.each(LISTS)('%s is ordered by each column that says so', async (path, title) => {
    await page(async (one) => {
      await one.goto(`${url()}${path}`);
      const heads = one.getByRole('columnheader').filter({ has: one.getByRole('button') });
      await heads.first().waitFor();
      for (let index = 0; index < (await heads.count()); index++) {
        for (const direction of ['ascending', 'descending', 'none']) {
          await heads.nth(index).getByRole('button').click();
          await expect.poll(() => heads.nth(index).getAttribute('aria-sort')).toBe(direction);
          await one.getByRole('region', { name: title }).locator('tbody td').first().waitFor();
        }
      }
      expect(await one.getByRole('alert').count()).toBe(0);
    });
  });

  test('columns, order and filters are in the address', async () => {
    await page(async (one) => {
      await one.goto(`${url()}/connections`);
      await one.getByText('Columns', { exact: true }).click();
      await one.getByLabel('VPC', { exact: true }).check();
      await one.getByLabel('Type', { exact: true }).uncheck();
      await one.keyboard.press('Escape');
      await one.getByRole('combobox', { name: 'Status' }).selectOption('CONNECTED');
      await one.getByRole('button', { name: 'Since' }).click();
      await one.reload();
      await one.getByRole('columnheader', { name: 'VPC' }).waitFor();
      expect(await one.getByRole('columnheader', { name: 'Type' }).count()).toBe(0);
      expect(await one.getByRole('combobox', { name: 'Status' }).inputValue()).toBe('CONNECTED');
      expect(await one.getByRole('columnheader', { name: 'Since' }).getAttribute('aria-sort')).toBe('ascending');
    });
  });

  test('whoever reads further down is told of changes, and nothing moves', async () => {
    const [moving = ''] = population().up.slice(5);
    await page(async (one) => {
      await one.goto(`${url()}/connections`);
      await one.locator('tbody tr').nth(10).waitFor();
      const box = one.getByRole('region', { name: 'Connections' });
      await box.evaluate((element) => ((element as { scrollTop: number }).scrollTop = 200));
      const asked: string[] = [];
      one.on('request', (request) => {
        if (request.url().includes('/api/connections?')) asked.push(request.url());
      });
      const asksFor = (address: string) => new URL(address).searchParams.get('filter') ?? '';
      const ofOne = one.waitForResponse((reply) => asksFor(reply.url()).includes(`connection_id = ${moving}`));
      const rejection = { requestId: requestId(), connectionId: moving, message: '' };
      await cast().provider.broker.rejectConnection(rejection, CALL);
      await ofOne;
      expect(await scrollTop(one)).toBe(200);
      expect(asked.filter((address) => asksFor(address) === '')).toEqual([]);
    });
  });

  test('rows are saved as a file', async () => {
    await page(async (one) => {
      await one.goto(`${url()}/connections?status=SERVICE_DELETED`);
      const download = one.waitForEvent('download');
      await one.getByRole('link', { name: 'CSV' }).click();
      let csv = '';
      for await (const part of await (await download).createReadStream()) csv += String(part);
      expect(csv.trim().split('\n')).toHaveLength(population().counts.SERVICE_DELETED + 1);
    });
  });
};
