import { ConnectionZone, Hold, HoldReason } from '@privatelink/proto/broker/v1/connection';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionMoved, consumer, provider, stranger } from '../testing/announcements.ts';
import { openStage, type Stage } from '../testing/stage.ts';
import { STUCK_AFTER_MS } from './connections.ts';
import { readCounts } from './overview.ts';

const { ENDPOINT_PAYMENT_OVERDUE, SERVICE_PAYMENT_OVERDUE, REJECTED } = HoldReason;
const heldFor = (...reasons: readonly HoldReason[]) => ({
  holds: reasons.map((reason) => Hold.fromPartial({ reason, source: 'erp' })),
});
const inZones = (...ids: readonly string[]) => ({
  zones: ids.map((zoneId) => ConnectionZone.fromPartial({ zoneId })),
});
const OWN = { endpointAccountId: provider };
const OF_STRANGER = { endpointAccountId: stranger };

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const down = (id: string, change: Parameters<typeof connectionMoved>[3]) =>
    connectionMoved(id, 0n, ['', 'DISCONNECTED'], change);
  await stage.tell(
    'broker',
    down('ep-endpoint', { ...heldFor(ENDPOINT_PAYMENT_OVERDUE), ...inZones('h') }),
    down('ep-both', { ...heldFor(ENDPOINT_PAYMENT_OVERDUE, SERVICE_PAYMENT_OVERDUE), ...inZones('h', 'i') }),
    down('ep-own', { ...heldFor(ENDPOINT_PAYMENT_OVERDUE, SERVICE_PAYMENT_OVERDUE), ...inZones('i'), ...OWN }),
    down('ep-rejected', { ...heldFor(REJECTED), ...inZones('h', 'i'), ...OF_STRANGER, degraded: true }),
    connectionMoved('ep-gone', 0n, ['DELETING', 'GONE'], heldFor(SERVICE_PAYMENT_OVERDUE)),
  );
});
afterAll(() => stage?.close());

const countsFor = (accountId: string | null) => readCounts(stage.db, { accountId }, STUCK_AFTER_MS);

it('tells whose payments connections wait for, each once of an account that is on both sides', async () => {
  const both = [
    { name: provider, count: 2 },
    { name: consumer, count: 2 },
  ];
  expect((await countsFor(null)).overdue).toEqual(both);
  expect((await countsFor(consumer)).overdue).toEqual([
    { name: consumer, count: 2 },
    { name: provider, count: 1 },
  ]);
  expect((await countsFor(stranger)).overdue).toEqual([]);
});

it('counts a connection in each of its zones, and of them those that are degraded', async () => {
  expect((await countsFor(null)).zones).toEqual([
    { name: 'h', count: 3, degraded: 1 },
    { name: 'i', count: 3, degraded: 1 },
  ]);
  expect((await countsFor(consumer)).zones).toEqual([
    { name: 'h', count: 2, degraded: 0 },
    { name: 'i', count: 1, degraded: 0 },
  ]);
});
