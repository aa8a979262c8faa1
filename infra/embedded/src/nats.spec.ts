import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Nats, startNats } from './nats.ts';
import { developmentUsers } from './nats-config.ts';
import { connectNats, type NatsSocket } from './testing/nats-socket.ts';
import { newDataDir, removeDataDir } from './testing/run-command.ts';

let dataDir: string;
let nats: Nats & { stop(): Promise<void> };
let service: NatsSocket;
let subscriber: NatsSocket;
let billing: NatsSocket;

beforeAll(async () => {
  dataDir = await newDataDir();
  nats = await startNats({ dataDir, port: 0, users: developmentUsers({ EVT_PROVIDER: ['broker__services'] }) });
  service = await connectNats(nats, 'service');
  subscriber = await connectNats(nats, 'subscriber');
  billing = await connectNats(nats, 'billing');
  for (const [name, subject] of [
    ['EVT_PROVIDER', 'evt.provider.>'],
    ['BILLING', 'billing.>'],
  ]) {
    const reply = await service.request(`$JS.API.STREAM.CREATE.${name}`, { name, subjects: [subject] });
    expect(reply).toContain('"config"');
  }
  const durable = { stream_name: 'EVT_PROVIDER', config: { durable_name: 'broker__services', ack_policy: 'explicit' } };
  const reply = await service.request('$JS.API.CONSUMER.CREATE.EVT_PROVIDER.broker__services', durable);
  expect(reply).toContain('"name":"broker__services"');
});

afterAll(async () => {
  for (const socket of [service, subscriber, billing]) socket?.close();
  await nats?.stop();
  await removeDataDir(dataDir);
});

const violation = /^-ERR 'Permissions Violation for (Publish|Subscription) to/;

test('the configuration and the passwords are for the owner only, and a wrong password is refused', async () => {
  for (const file of ['nats.conf', 'passwords.json']) {
    expect((await stat(join(dataDir, 'nats', file))).mode & 0o077).toBe(0);
  }
  await expect(connectNats(nats, 'service', 'wrong')).rejects.toThrow('Authorization Violation');
});

describe('a subscriber', () => {
  test.each(['evt.>', 'evt.provider.v1.>', 'privatelink.>', '_INBOX.subscriber.x'])(
    'may subscribe to %s',
    async (subject) => {
      expect(await subscriber.send(`SUB ${subject} 1`)).toEqual([]);
      await subscriber.send('UNSUB 1');
    },
  );

  test.each(['>', 'billing.>', '_INBOX.>', '_INBOX.service.>', '$JS.API.>', '$SYS.>'])(
    'may not subscribe to %s',
    async (subject) => {
      expect(await subscriber.send(`SUB ${subject} 2`)).toEqual([expect.stringMatching(violation)]);
    },
  );

  test.each([
    'evt.provider.v1.x',
    'privatelink.v1.x',
    'billing.v1.x',
    '$JS.API.STREAM.CREATE.OTHER',
    '$JS.API.STREAM.UPDATE.EVT_PROVIDER',
    '$JS.API.STREAM.DELETE.EVT_PROVIDER',
    '$JS.API.STREAM.PURGE.EVT_PROVIDER',
    '$JS.API.STREAM.MSG.GET.BILLING',
    '$JS.API.CONSUMER.CREATE.BILLING.mine',
    '$JS.API.CONSUMER.CREATE.BILLING.mine.billing.>',
    '$JS.API.CONSUMER.DURABLE.CREATE.BILLING.mine',
    '$JS.API.CONSUMER.MSG.NEXT.BILLING.mine',
    '$JS.API.CONSUMER.CREATE.EVT_PROVIDER.broker__services',
    '$JS.API.CONSUMER.DURABLE.CREATE.EVT_PROVIDER.broker__services',
    '$JS.API.CONSUMER.DELETE.EVT_PROVIDER.broker__services',
    '$JS.API.CONSUMER.MSG.NEXT.EVT_PROVIDER.broker__services',
    '$JS.ACK.EVT_PROVIDER.broker__services.1.1.1.1.1',
  ])('may not publish to %s', async (subject) => {
    expect(await subscriber.send(`PUB ${subject} 2\r\n{}`)).toEqual([expect.stringMatching(violation)]);
  });

  test('reads announcements through a consumer of its own', async () => {
    expect(await service.request('evt.provider.v1.fact', { fact: 1 })).toContain('"stream":"EVT_PROVIDER"');
    const config = { durable_name: 'mine', ack_policy: 'explicit', filter_subject: 'evt.provider.v1.>' };
    const created = await subscriber.request('$JS.API.CONSUMER.CREATE.EVT_PROVIDER.mine.evt.provider.v1.>', {
      stream_name: 'EVT_PROVIDER',
      config,
    });
    expect(created).toContain('"name":"mine"');
    expect(await subscriber.request('$JS.API.CONSUMER.MSG.NEXT.EVT_PROVIDER.mine', { batch: 1 })).toBe('{"fact":1}');
  });
});

describe('billing', () => {
  test('publishes its reports and gets the acknowledgement', async () => {
    expect(await billing.request('billing.v1.report', { overdue: true })).toContain('"stream":"BILLING"');
  });

  test.each(['billing.v2.report', 'evt.provider.v1.x', '$JS.API.INFO', '$JS.API.STREAM.DELETE.BILLING'])(
    'may not publish to %s',
    async (subject) => {
      expect(await billing.send(`PUB ${subject} 2\r\n{}`)).toEqual([expect.stringMatching(violation)]);
    },
  );

  test.each(['billing.v1.>', 'evt.>', '_INBOX.>'])('may not subscribe to %s', async (subject) => {
    expect(await billing.send(`SUB ${subject} 3`)).toEqual([expect.stringMatching(violation)]);
  });
});
