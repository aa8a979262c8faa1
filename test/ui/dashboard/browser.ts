import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe } from 'vitest';
import { isBrowserThere } from '../../support/browser.ts';

/** A suite that needs a browser; where there is none its name says why it is skipped. */
export const describeWithBrowser = (name: string, suite: () => void): void => {
  const title = isBrowserThere ? name : `${name} (skipped: no Chromium)`;
  if (!isBrowserThere) console.warn(title);
  describe.skipIf(!isBrowserThere)(title, suite);
};

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What keeps people out, as axe-core finds it: rule and places of each that is serious. */
export const seriousFindings = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
};

/** Everything that the page's console tells of as an error, from now on. */
export const consoleErrors = (page: Page): string[] => {
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  return errors;
};
