import { existsSync } from 'node:fs';
import type { RunFile } from '@privatelink/embedded/run-file';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { type CallerOptions, tokenFor } from './world.ts';

/** Debian's own, or another one. */
const binary = process.env['PRIVATELINK_CHROMIUM'] || '/usr/bin/chromium';
export const isBrowserThere = existsSync(binary);

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: binary,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });

/** Begins a session with the dashboard, for all pages of a context. */
export const signIn = async (
  { request }: BrowserContext,
  run: Pick<RunFile, 'dashboard' | 'issuer'>,
  caller: CallerOptions,
): Promise<void> => {
  const [url = ''] = run.dashboard.urls;
  const headers = { authorization: `Bearer ${await tokenFor(run, caller)}`, origin: url };
  const reply = await request.post(`${url}/api/session`, { headers });
  if (reply.status() !== 200) throw new Error(`no session: ${reply.status()} ${await reply.text()}`);
};
