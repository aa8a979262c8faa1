import { expect, test } from 'vitest';
import { reportPayment } from '../../support/scenario.ts';
import { CALL, requestId } from '../../support/world.ts';
import type { Dashboard } from './use-dashboard.ts';

const WITHIN_MS = 1_000;
/** A service that was killed is started again, and its feeds take over their own leases. */
const BACK_MS = 60_000;

/** What happens is shown as it happens. */
export const live = ({ page, population, cast, stage, url }: Dashboard): void => {
  test('a connection’s row moves within a second of the event', async () => {
    const { up } = population();
    const delays = await page(async (one) => {
      const found: number[] = [];
      for (const id of up.slice(0, 5)) {
        await one.goto(`${url()}/connections?q=${id}`);
        const row = one.getByRole('row').filter({ has: one.getByRole('link', { name: id }) });
        await row.getByText('Connected', { exact: true }).waitFor();
        await one.getByText('Live', { exact: true }).waitFor();
        // The page itself notes the moment, so that nobody is slower than it.
        const shown = one.evaluate<number>(`new Promise((resolve) => {
          const look = () => document.querySelector('tbody').textContent.includes('Rejected') && resolve(Date.now());
          new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
        })`);
        const { broker } = cast().provider;
        await broker.rejectConnection({ requestId: requestId(), connectionId: id, message: '' }, CALL);
        const shownAt = await shown;
        const { events } = await broker.listConnectionEvents(
          { connectionId: id, pageSize: 1_000, pageToken: '', filter: '' },
          CALL,
        );
        const time = events.find(({ type }) => type === 'ConnectionRejected')?.recordTime;
        found.push(shownAt - Number(time?.seconds ?? 0) * 1_000 - Math.floor((time?.nanos ?? 0) / 1e6));
      }
      return found;
    });
    console.info(`event to row: ${delays.join(', ')} ms`);
    expect(Math.max(...delays)).toBeLessThan(WITHIN_MS);
  });

  test('older events come as one scrolls, and new ones wait until they are wanted', async () => {
    const [, , , moving = ''] = population().waiting;
    await page(async (one) => {
      await one.goto(`${url()}/events`);
      await one.getByText('Live', { exact: true }).waitFor();
      await one.getByText('The first 200 rows', { exact: false }).waitFor();
      await one.getByRole('region', { name: 'Facts, the latest first' }).focus();
      await one.keyboard.press('End');
      await one.getByText('The first 200 rows', { exact: false }).waitFor({ state: 'detached' });
      const rejection = { requestId: requestId(), connectionId: moving, message: '' };
      await cast().provider.broker.rejectConnection(rejection, CALL);
      await one.getByRole('button', { name: /^Show .* new rows?$/ }).click();
      await one.getByRole('row').filter({ hasText: 'ConnectionRejected' }).filter({ hasText: moving }).waitFor();
    });
  });

  test('nothing is lost or doubled when the service is killed', async () => {
    const { eventful } = population();
    await page(
      async (one) => {
        await one.goto(`${url()}/events`);
        await one.getByText('Live', { exact: true }).waitFor();
        await one.getByRole('searchbox').fill(eventful);
        const typed = (type: string) => one.getByRole('cell', { name: type, exact: true });
        await typed('HoldPlaced').waitFor();
        // The page begins with the latest facts: how much of what was before is among them, depends.
        const counts = () =>
          Promise.all(['HoldPlaced', 'HoldLifted', 'ConnectionEstablished'].map((type) => typed(type).count()));
        const [placed = 0, lifted = 0, established = 0] = await counts();
        stage().system.kill('ops-1', 'SIGKILL');
        await reportPayment(cast().billing, 'settled', eventful);
        await stage().system.waitHealthy('ops-1');
        await typed('ConnectionEstablished').nth(established).waitFor({ timeout: BACK_MS });
        expect(await counts()).toEqual([placed, lifted + 1, established + 1]);
        // A browser tells of each attempt to reach what is away.
      },
      { but: /ERR_/ },
    );
  });
};
