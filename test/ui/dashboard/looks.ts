import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { seriousFindings } from './browser.ts';
import type { Dashboard } from './use-dashboard.ts';

type Shown = readonly [name: string, path: string, ready: (page: Page) => Promise<unknown>];

export const text = (wanted: string) => (page: Page) => page.getByText(wanted).first().waitFor();
const row = (page: Page) => page.locator('tbody tr').first().waitFor();

const LOOKS = [
  { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
] as const;

/** Each page in each theme, wide and narrow: nothing keeps people out, nothing is wider than it may be. */
export const looks = (dashboard: Dashboard): void => {
  const { population } = dashboard;
  looksAt(dashboard, () => [
    ['overview', '/', text('PRIVATELINK_OPS_AGENT_METRICS')],
    ['connections', '/connections', row],
    ['connection', `/connections/${population().eventful}`, text('May become')],
    ['connection-up', `/connections/${population().inTwoZones}`, text('May become')],
    ['services', '/endpoint-services', row],
    ['service', `/endpoint-services/${population().services.overdue.serviceId}`, text('Who may use it')],
    ['endpoints', '/endpoints', row],
    ['topology', '/topology', (one) => one.locator('.react-flow__edge').first().waitFor({ state: 'attached' })],
    ['topology-table', '/topology?view=table', row],
    ['events', '/events', row],
    ['explain', '/explain', text('What stands between')],
    ['system', '/system', text('connection_history')],
    ['sign-in', '/sign-in?used', text('was used already')],
  ]);
};

/** These pages in all looks. */
export const looksAt = ({ page, screenshot, url }: Dashboard, pages: () => readonly Shown[]): void => {
  test.each(LOOKS)('looks as it should: $colorScheme, $viewport.width px', async (look) => {
    const findings = await page(async (one) => {
      const found: string[] = [];
      for (const [name, path, ready] of pages()) {
        await one.goto(`${url()}${path}`);
        await ready(one);
        await screenshot(one, `${name}-${look.colorScheme}-${look.viewport.width}`, { fullPage: true });
        found.push(...(await seriousFindings(one)).map((finding) => `${name}: ${finding}`));
        const beyond = await one.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (beyond > 0) found.push(`${name}: ${beyond} px too wide`);
      }
      return found;
    }, look);
    expect(findings).toEqual([]);
  });
};
