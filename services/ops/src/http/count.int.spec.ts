import { systemClock as clock } from '@privatelink/shared/runtime/clock';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionMoved, consumer, endpointMade, provider, serviceMade, stranger } from '../testing/announcements.ts';
import { openStage, type Stage } from '../testing/stage.ts';
import { countAll } from './list-page.ts';
import { listings } from './listings.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.tell('provider', serviceMade('epsrv-1'), serviceMade('epsrv-2', stranger));
  await stage.tell('consumer', endpointMade('ep-00'), endpointMade('ep-01'));
  const moves = ['CONNECTED', 'CONNECTED', 'CONNECTED', 'DISCONNECTED', 'GONE'] as const;
  await stage.tell('broker', ...moves.map((to, index) => connectionMoved(`ep-0${index}`, 0n, ['', to])));
});
afterAll(() => stage?.close());

const count = async (path: string, token: string) => (await stage.get(`/api/${path}`, token)).json();

it('what fits is counted: of what exists, and of what the caller may see', async () => {
  const operator = await stage.token(['operator']);
  const few = (number: number) => ({ count: number, isMore: false });
  expect(await count('connections/count', operator)).toEqual(few(4));
  expect(await count('connections/count?filter=status%20%3D%20CONNECTED', operator)).toEqual(few(3));
  expect(await count('connections/count?q=ep-00&stuck=false', operator)).toEqual(few(1));
  expect(await count('connections/count?stuck=true', operator)).toEqual(few(0));
  expect(await count('endpoints/count', operator)).toEqual(few(2));
  expect(await count('endpoint-services/count', await stage.token(['provider'], provider))).toEqual(few(1));
  expect(await count('connections/count', await stage.token(['consumer'], consumer))).toEqual(few(4));
  expect(await count('connections/count', await stage.token(['consumer'], stranger))).toEqual(few(0));
});

it('no more is counted than somebody wants to know', async () => {
  const [connections] = listings;
  if (!connections) throw new Error('there are no lists');
  const operator = { subject: 'spec', accountId: '', roles: ['operator'] } as const;
  const counted = (limit: number) =>
    countAll({ db: stage.db, clock }, connections, { filter: '', q: '', stuck: false }, operator, limit);
  expect(await Promise.all([1, 3, 4, 5].map(counted))).toEqual([1, 3, 4, 4]);
});
