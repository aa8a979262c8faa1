import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeWithBrowser, seriousFindings } from './dashboard/browser.ts';
import { looksAt, text } from './dashboard/looks.ts';
import { useDashboard } from './dashboard/use-dashboard.ts';

const CONNECTIONS = 48;
/** A process is asked every two seconds, and so is what was heard of it. */
const DOWN_MS = 10_000;
const BACK_MS = 60_000;
const ZONE = 'cn-hangzhou-h';

describeWithBrowser('what agents and DNS measure of themselves', () => {
  const env = { PRIVATELINK_OTHER_REGIONS: '' };
  const dashboard = useDashboard({ forwarding: 'loopback', replicas: { 'data-plane': 2 }, env }, CONNECTIONS);
  const { page, stage, cast, screenshot, url } = dashboard;
  const zone = (one: Page) =>
    one.getByRole('region', { name: 'Data plane' }).getByRole('row').filter({ hasText: ZONE });
  const dns = (one: Page) => one.getByRole('main').locator('section').filter({ hasText: 'DNS queries in a second' });

  looksAt(dashboard, () => [
    [
      ...(['overview-at-work', '/'] as const),
      (one) => Promise.all(['At work', 'give metrics', 'Services with most connections'].map((it) => text(it)(one))),
    ],
  ]);

  test('an agent that is killed is shown as such, and who works instead; then that nobody does, and that it is back', async () => {
    const { system } = stage();
    await page(async (one) => {
      await one.goto(`${url()}/`);
      const rows = zone(one);
      const working = rows.filter({ hasText: 'At work' });
      await working.waitFor();
      await expect.poll(() => working.getByRole('cell').nth(4).textContent(), { timeout: BACK_MS }).toMatch(/^[1-9]/);
      await rows.filter({ hasText: 'Waits' }).waitFor();
      const first = (await working.textContent())?.match(/data-plane-cn-hangzhou-h-\d/)?.[0] ?? '';
      const agents = [first, first.replace(/\d$/, (number) => (number === '1' ? '2' : '1'))];
      const rowOf = (agent = '') => rows.filter({ hasText: agent });
      try {
        await system.stopProcess(first);
        await rowOf(first).getByText('No answer').waitFor({ timeout: DOWN_MS });
        await rowOf(agents[1]).getByText('At work').waitFor({ timeout: DOWN_MS });
        expect(await one.getByText('Unserved').count()).toBe(0);
        await system.stopProcess(agents[1] ?? '');
        await rowOf(agents[1]).getByText('Unserved').waitFor({ timeout: DOWN_MS });
        await screenshot(one, 'overview-unserved', { fullPage: true });
        expect(await seriousFindings(one)).toEqual([]);
      } finally {
        for (const agent of agents) await system.startProcess(agent);
      }
      await working.waitFor({ timeout: BACK_MS });
      await one.getByText('Unserved').waitFor({ state: 'detached' });
    });
  });

  test('queries are counted by what they were answered with, and a DNS server that is away is named', async () => {
    const { system, lookup, run } = stage();
    const address = run.metrics.find(({ name }) => name === 'dns-1')?.address;
    await page(
      async (one) => {
        await one.goto(`${url()}/`);
        await dns(one).getByText('1 of 1 give metrics').waitFor();
        const asking = new AbortController();
        const ask = async (): Promise<void> => {
          while (!asking.signal.aborted) await lookup('nothing.cn-hangzhou.privatelink.internal');
        };
        const asked = ask();
        try {
          await dns(one).locator('dt').filter({ hasText: 'NXDOMAIN' }).waitFor({ timeout: DOWN_MS });
        } finally {
          asking.abort();
          await asked;
        }
        await screenshot(one, 'overview-dns', { fullPage: true });
        await system.stopProcess('dns-1');
        try {
          await dns(one).getByText(`${address} does not answer`).waitFor({ timeout: DOWN_MS });
        } finally {
          await system.startProcess('dns-1');
        }
        await dns(one).getByText('1 of 1 give metrics').waitFor({ timeout: BACK_MS });
        // What asks DNS besides is told that it is away.
      },
      { but: /503/ },
    );
  });

  test('neither is shown to an account', async () => {
    const who = { roles: ['consumer', 'provider'], account: cast().consumer.account } as const;
    await page(
      async (one) => {
        await one.goto(`${url()}/`);
        await one.getByText('Services with most connections').waitFor();
        expect(await one.getByText(/Data plane|DNS queries/).count()).toBe(0);
      },
      { who },
    );
  });
});
