import { expect, test } from 'vitest';
import { Unavailable } from '../app/errors.ts';
import { orUnavailable } from './or-unavailable.ts';

const failing = (message: string, code?: string): Promise<never> =>
  Promise.reject(Object.assign(new Error(message), code ? { code } : {}));

test.each([
  ['connect ECONNREFUSED 127.0.0.1:7432', 'ECONNREFUSED'],
  ['terminating connection due to administrator command', '57P01'],
  ['the database system is starting up', '57P03'],
  ['Connection terminated unexpectedly', undefined],
])('%s: the database is away', async (message, code) => {
  await expect(orUnavailable(failing(message, code))).rejects.toMatchObject({
    name: 'Unavailable',
    reason: 'READ_MODELS_UNAVAILABLE',
  });
});

test('anything else stays what it is: our bug, or an answer', async () => {
  await expect(orUnavailable(failing('column "x" does not exist', '42703'))).rejects.not.toBeInstanceOf(Unavailable);
  expect(await orUnavailable(Promise.resolve(1))).toBe(1);
});
