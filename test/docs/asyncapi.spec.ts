import { readFileSync } from 'node:fs';
import { streams } from '@privatelink/shared/nats/streams';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { asyncapi, writtenAsyncapi } from '../../infra/asyncapi.ts';

type Document = Readonly<{ channels: Readonly<Record<string, Readonly<{ address: string }>>> }>;

it('docs/asyncapi.yaml says what the services declare: if not, npm run asyncapi', () => {
  expect(writtenAsyncapi()).toBe(asyncapi());
});

it('has a channel for every kind of resource that is told to accounts, and no other', () => {
  const { channels } = parse(writtenAsyncapi()) as Document;
  const addresses = Object.values(channels).map(({ address }) =>
    address.replace('{accountId}', '*').replace('{resourceId}.{fact}', '>'),
  );
  const told = Object.values(streams).flatMap((subjects) =>
    subjects.filter((subject) => subject.startsWith('privatelink.')),
  );
  expect(addresses.sort()).toEqual(told.sort());
});

it('the README shows the subscriber that is tested', () => {
  const root = new URL('../../', import.meta.url);
  const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
  expect(read('README.md')).toContain(`\`\`\`ts\n${read('test/support/account-subscriber.ts')}\`\`\``);
});
