import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { seriousFindings } from './browser.ts';
import type { Dashboard } from './use-dashboard.ts';

type Options = Readonly<{ message?: string; force?: boolean; isBehind?: boolean }>;

/** What a button would do is shown, and then done. */
const act = async (page: Page, name: string, { message, force = false, isBehind = false }: Options = {}) => {
  if (isBehind) await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name, exact: true }).click();
  const dialog = page.getByRole('dialog');
  if (message !== undefined) await dialog.getByLabel('Message').fill(message);
  if (force) await dialog.getByRole('checkbox').check();
  await dialog.getByText('It would record:').waitFor();
  await dialog.getByRole('button', { name, exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
};

const hold = (page: Page, name: string) => page.locator('dl').getByText(name, { exact: true });
const status = (page: Page, name: string) => page.locator('.page-head').getByText(name, { exact: true });

/** What operators do, and nobody else. */
export const actions = ({ page, population, screenshot, url }: Dashboard): void => {
  const connection = (work: (one: Page, id: string) => Promise<unknown>, id: () => string, but?: RegExp) =>
    page(
      async (one) => {
        await one.goto(`${url()}/connections/${id()}`);
        await one.getByText('What may become of it').waitFor();
        await work(one, id());
      },
      but ? { but } : {},
    );
  const waiting = (index: number) => () => population().waiting[index] ?? '';
  const up = (index: number) => () => population().up[index] ?? '';

  describe('an operator', () => {
    test('accepts and rejects a connection', async () => {
      await connection(async (one) => {
        await act(one, 'Accept', { message: 'welcome' });
        await status(one, 'Connected').waitFor();
        await act(one, 'Reject', { message: 'not on our list' });
        await hold(one, 'Rejected').first().waitFor();
        await one.getByText('“not on our list”').first().waitFor();
        await status(one, 'Disconnected').waitFor();
      }, waiting(0));
    });

    test('accepts by keyboard alone', async () => {
      await page(async (one) => {
        const id = waiting(1)();
        await one.goto(`${url()}/connections`);
        await one.locator('tbody tr').nth(1).waitFor();
        await one.keyboard.press('/');
        await one.keyboard.type(id);
        const focused = (text: string) => one.evaluate<boolean>(`document.activeElement.textContent === '${text}'`);
        const tabTo = async (text: string) => {
          for (let step = 0; step < 60 && !(await focused(text)); step++) await one.keyboard.press('Tab');
          expect(await focused(text)).toBe(true);
        };
        await one.getByText('1 row', { exact: true }).waitFor();
        await tabTo(id);
        await one.keyboard.press('Enter');
        await one.getByRole('heading', { name: id }).waitFor();
        await one.getByRole('button', { name: 'Accept' }).waitFor();
        await tabTo('Accept');
        await one.keyboard.press('Enter');
        await one.keyboard.type('welcome');
        await one.getByText('It would record:').waitFor();
        await one.keyboard.press('Enter');
        await status(one, 'Connected').waitFor();
      });
    });

    test('locks and unlocks an endpoint', async () => {
      await connection(async (one) => {
        await one.getByRole('button', { name: 'Lock endpoint' }).click();
        await one.getByRole('dialog').getByText('It would record:').waitFor();
        await screenshot(one, 'action');
        expect(await seriousFindings(one)).toEqual([]);
        await one.keyboard.press('Escape');
        await act(one, 'Lock endpoint', { message: 'abuse' });
        await hold(one, 'Endpoint security lock').waitFor();
        await act(one, 'Unlock endpoint');
        await status(one, 'Connected').waitFor();
      }, up(6));
    });

    test('pauses and resumes for either side', async () => {
      await connection(async (one) => {
        for (const side of ['provider', 'consumer']) {
          await act(one, `Pause for ${side}`, { message: 'later', isBehind: true });
          await hold(one, `Paused by ${side}`).waitFor();
          await act(one, `Resume for ${side}`, { isBehind: true });
          await status(one, 'Connected').waitFor();
        }
      }, up(6));
    });

    test('reports a bill overdue, and settled', async () => {
      await connection(async (one, id) => {
        await act(one, 'Report overdue', { message: 'invoice 8', isBehind: true });
        await hold(one, 'Endpoint payment overdue').waitFor();
        await act(one, `Settle operator:${id}`, { isBehind: true });
        await status(one, 'Connected').waitFor();
      }, up(6));
    });

    test('switches a zone off and on', async () => {
      await connection(
        async (one) => {
          const zone = one.getByRole('row').filter({ hasText: 'cn-hangzhou-i' });
          const change = async (name: string) => {
            await zone.getByRole('button', { name }).click();
            await zone.getByRole('dialog').getByText('It would record:').waitFor();
            await zone.getByRole('dialog').getByRole('button', { name }).click();
          };
          await change('Disable');
          await zone.getByText('Switched off').waitFor();
          await change('Enable');
          await zone.getByText('Switched off').waitFor({ state: 'detached' });
        },
        () => population().inTwoZones,
      );
    });

    test('deletes an endpoint', async () => {
      await connection(
        async (one) => {
          await act(one, 'Delete endpoint', { isBehind: true });
          await one.getByText('It is gone').waitFor();
          // Asked for once more before it is known to be gone.
        },
        up(7),
        /status of 404/,
      );
    });

    test('unlocks a service, and deletes one by force once it is said what stands in the way', async () => {
      const { locked, spare } = population().services;
      await page(
        async (one) => {
          await one.goto(`${url()}/endpoint-services/${locked.serviceId}`);
          await act(one, 'Unlock service');
          await one.getByText('Nothing locks it.').waitFor();
          await act(one, 'Lock service', { message: 'abuse' });
          await one.getByText('“abuse”').waitFor();

          await one.goto(`${url()}/endpoint-services/${spare.serviceId}`);
          await one.getByRole('button', { name: 'Delete service' }).click();
          await one.getByRole('dialog').getByRole('alert').waitFor();
          await screenshot(one, 'blockers');
          await one.keyboard.press('Escape');
          await act(one, 'Delete service', { force: true });
          await one.goto(`${url()}/connections?q=${spare.serviceId}&status=SERVICE_DELETED`);
          await one.locator('tbody tr').nth(1).waitFor();
          // A browser tells of the refusal, too, and of the service that is gone while its page is open.
        },
        { but: /status of (409|404)/ },
      );
    });

    test('rebuilds a read model, with proof', async () => {
      await page(async (one) => {
        await one.goto(`${url()}/system`);
        const model = one.locator('.model').filter({ hasText: 'endpoint_services' }).first();
        await model.getByRole('button', { name: 'Rebuild with proof' }).click();
        await model.getByText(/Proven: .* are what the events say/).waitFor();
      });
    });
  });

  test('a viewer has no buttons, and is refused what they would do', async () => {
    const { overdue, byHand } = population().services;
    await page(
      async (one) => {
        for (const path of [`/connections/${waiting(2)()}`, `/endpoint-services/${overdue.serviceId}`, '/system']) {
          await one.goto(`${url()}${path}`);
          await one.locator('h2').first().waitFor();
          await one.locator('dl').first().waitFor();
          const names = await one.locator('main').getByRole('button').allTextContents();
          expect([path, names.filter((name) => name !== '')]).toEqual([path, []]);
        }
        const refused = async (service: string, rpc: string, body: object) => {
          const reply = await one.request.post(`${url()}/api/rpc/${service}/${rpc}`, {
            ...{ data: body, headers: { origin: url() } },
          });
          return [rpc, reply.status()];
        };
        const [broker, consumer] = ['privatelink.broker.v1.BrokerService', 'privatelink.consumer.v1.ConsumerService'];
        const provider = 'privatelink.provider.v1.ProviderService';
        const operations = 'privatelink.operations.v1.OperationsService';
        const { serviceId } = byHand;
        const connectionId = waiting(2)();
        for (const [service, rpc, body] of [
          ['broker', `${broker}.AcceptConnection`, { connectionId }],
          ['broker', `${broker}.RejectConnection`, { connectionId }],
          ['broker', `${broker}.PauseConnection`, { connectionId, side: 'CONNECTION_SIDE_PROVIDER' }],
          ['broker', `${broker}.ReportPaymentSettled`, { scope: { resourceId: connectionId }, sequence: '1' }],
          ['consumer', `${consumer}.LockEndpoint`, { endpointId: connectionId }],
          ['consumer', `${consumer}.DeleteEndpoint`, { endpointId: connectionId }],
          ['provider', `${provider}.LockEndpointService`, { serviceId }],
          ['provider', `${provider}.DeleteEndpointService`, { serviceId, force: true }],
          ['provider', `${operations}.RebuildReadModel`, { readModel: 'endpoint_services' }],
        ] as const) {
          expect(await refused(service, rpc, body)).toEqual([rpc, 403]);
        }
      },
      { who: { roles: ['viewer'] } },
    );
  });
};
