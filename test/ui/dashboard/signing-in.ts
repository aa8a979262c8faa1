import { expect, test } from 'vitest';
import type { Dashboard } from './use-dashboard.ts';

export const signingIn = ({ stage, browser, url }: Dashboard): void => {
  test('a login link works once', async () => {
    const link = (await stage().system.loginLink()) ?? '';
    const [one, other] = [await browser().newContext(), await browser().newContext()];
    const first = await one.newPage();
    await first.goto(link);
    await first.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(first.url()).toBe(`${url()}/`);
    const second = await other.newPage();
    await second.goto(link);
    await second.getByText('was used already').waitFor();
    await Promise.all([one.close(), other.close()]);
  });
};
