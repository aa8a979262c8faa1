import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRepository } from '@privatelink/shared/app/repository';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { EventStore } from '@privatelink/shared/eventing/ports';
import { recordedLog } from '@privatelink/shared/grpc/test-support';
import { systemClock } from '@privatelink/shared/runtime/clock';
import { createMemoryStore, type MemoryStore } from '@privatelink/shared/testing/memory-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameSetCodec } from '../name-set/name-set.codec.ts';
import { type NameSet, type NameState, nameSet } from '../name-set/name-set.ts';
import { createAnswer } from '../server/answer.ts';
import { createAsk } from '../server/ask.ts';
import { createZoneFeed } from './zone-feed.ts';
import { createZoneViews } from './zone-views.ts';

const apex = 'privatelink.internal';
const nameOf = (endpointId: string): string => `${endpointId}.svc.${apex}`;
const { log } = recordedLog();

let store: MemoryStore;
let stops: (() => Promise<void>)[] = [];
let requests = 0;

beforeEach(() => {
  store = createMemoryStore();
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});

const context = (): CommandContext => ({
  ...{ actor: 'service:broker', accountId: '', requestId: `spec/${++requests}`, fingerprint: '' },
  ...{ correlationId: 'c', causationId: 'c', deadline: Date.now() + 10_000 },
});

/** Records a name set and gives the position at which it is in force. */
const put = (endpointId: string, state: NameState, generation: number, ...addresses: string[]) =>
  putNames(endpointId, state, generation, addresses, { zones: [], zoneAffinity: false });

const putNames = async (
  endpointId: string,
  state: NameState,
  generation: number,
  addresses: readonly string[],
  said: Pick<NameSet, 'zones' | 'zoneAffinity'>,
  others: NameSet['names'] = [],
) => {
  const names = [
    {
      domainName: nameOf(endpointId),
      ipv4Addresses: addresses.filter((address) => !address.includes(':')),
      ipv6Addresses: addresses.filter((address) => address.includes(':')),
      isPrivate: false,
    },
    ...others,
  ];
  const data = {
    ...said,
    healthRevision: 0,
    endpointId,
    vpcId: 'vpc-1',
    accountId: '2000000000000002',
    generation,
    state,
    names,
  };
  const command = { type: 'PutNames', data } as const;
  const repository = createRepository({ store, clock: systemClock, producer: 'dns' }, nameSet, nameSetCodec);
  return (await repository.execute(endpointId, command, context())).latest.position;
};

/** A server's memory: starts empty and follows the store. */
const start = (of: EventStore = store) => {
  const stop = new AbortController();
  const views = createZoneViews(apex);
  const inside: [string, boolean][] = [];
  const feed = createZoneFeed(views, ({ endpointId }, isOnlyAnsweredInside) => {
    inside.push([endpointId, isOnlyAnsweredInside]);
  });
  const running = feed.run({ store: of, clock: systemClock, log, signal: stop.signal });
  const end = async () => {
    stop.abort();
    await running;
  };
  stops.push(end);
  const answersIn = (zoneId: string, endpointId: string, type: 'A' | 'AAAA' = 'A') => {
    const inZone = createAnswer({ table: views.inside('vpc-1', zoneId), nextRotation: () => 0 });
    const { rcode, records } = createAsk(inZone)(nameOf(endpointId), type);
    return records.length > 0 ? [...records].sort() : rcode;
  };
  const ask = createAsk(createAnswer({ table: views.everybody, nextRotation: () => 0 }));
  const answers = (endpointId: string, type: 'A' | 'AAAA' = 'A') => {
    const { rcode, records } = ask(nameOf(endpointId), type);
    return records.length > 0 ? [...records].sort() : rcode;
  };
  const serial = () => Number(ask(apex, 'SOA').records[0]?.split(' ')[2]);
  return { feed, answers, answersIn, serial, inside, end };
};

describe('the zone', () => {
  it('answers by each name set: reserved, published, withdrawn, removed', async () => {
    const { feed, answers } = start();
    await feed.caughtUp;
    expect(answers('ep-1')).toBe('NXDOMAIN');
    await feed.reached(await put('ep-1', 'WITHDRAWN', 1, '10.0.0.1', 'fd00::1'));
    expect([answers('ep-1'), answers('ep-1', 'AAAA')]).toEqual(['NOERROR', 'NOERROR']);
    await feed.reached(await put('ep-1', 'PUBLISHED', 1, '10.0.0.1', 'fd00::1'));
    expect([answers('ep-1'), answers('ep-1', 'AAAA')]).toEqual([['10.0.0.1'], ['fd00::1']]);
    await feed.reached(await put('ep-1', 'PUBLISHED', 2, '10.0.0.2', '10.0.0.3'));
    expect([answers('ep-1'), answers('ep-1', 'AAAA')]).toEqual([['10.0.0.2', '10.0.0.3'], 'NOERROR']);
    await feed.reached(await put('ep-1', 'WITHDRAWN', 3, '10.0.0.2'));
    expect(answers('ep-1')).toBe('NOERROR');
    await feed.reached(await put('ep-1', 'REMOVED', 4, '10.0.0.2'));
    expect(answers('ep-1')).toBe('NXDOMAIN');
  });

  it('answers clients in a zone as zone affinity says, by which zone each address is in', async () => {
    const { feed, answersIn } = start();
    const zones = [
      { zoneId: 'h', ipv4: '10.0.0.1', ipv6: 'fd00::1' },
      { zoneId: 'i', ipv4: '10.0.0.2', ipv6: '' },
    ];
    const addresses = ['10.0.0.1', '10.0.0.2', 'fd00::1'];
    const say = async (generation: number, zoneAffinity: boolean) =>
      feed.reached(await putNames('ep-1', 'PUBLISHED', generation, addresses, { zones, zoneAffinity }));
    const all = ['10.0.0.1', '10.0.0.2'];
    await say(1, false);
    expect(['h', 'i', ''].map((zoneId) => answersIn(zoneId, 'ep-1'))).toEqual([all, all, all]);
    await say(2, true);
    expect(['h', 'i', ''].map((zoneId) => answersIn(zoneId, 'ep-1'))).toEqual([['10.0.0.1'], ['10.0.0.2'], all]);
    // Whoever asks in a zone without IPv6 gets that of another.
    expect(['h', 'i'].map((zoneId) => answersIn(zoneId, 'ep-1', 'AAAA'))).toEqual([['fd00::1'], ['fd00::1']]);
    await feed.reached(await putNames('ep-1', 'PUBLISHED', 3, ['10.0.0.2'], { zones, zoneAffinity: true }));
    expect(['h', 'i'].map((zoneId) => answersIn(zoneId, 'ep-1'))).toEqual([['10.0.0.2'], ['10.0.0.2']]);
  });

  it('tells which endpoints have what only the name servers of their VPC answer', async () => {
    const { feed, inside } = start();
    const own = [{ domainName: 'db.example.com', ipv4Addresses: [], ipv6Addresses: [], isPrivate: true }];
    const plain = { zones: [], zoneAffinity: false };
    await putNames('ep-1', 'WITHDRAWN', 1, [], plain, own);
    await putNames('ep-1', 'PUBLISHED', 2, [], plain);
    await putNames('ep-2', 'PUBLISHED', 1, [], { zones: [], zoneAffinity: true });
    await feed.reached(await putNames('ep-2', 'REMOVED', 2, [], { zones: [], zoneAffinity: true }, own));
    expect(inside).toEqual([
      ['ep-1', true],
      ['ep-1', false],
      ['ep-2', true],
      ['ep-2', false],
    ]);
  });

  it('keeps what was removed removed, whatever is asked for later, here and after a restart', async () => {
    const first = start();
    await put('ep-1', 'PUBLISHED', 1, '10.0.0.1');
    await put('ep-1', 'REMOVED', 2);
    const position = await put('ep-1', 'PUBLISHED', 3, '10.0.0.1');
    await first.feed.reached(position);
    expect(first.answers('ep-1')).toBe('NXDOMAIN');
    await first.end();
    const second = start();
    await second.feed.caughtUp;
    expect(second.answers('ep-1')).toBe('NXDOMAIN');
  });

  it('says of one endpoint nothing that concerns another', async () => {
    const { feed, answers } = start();
    await put('ep-1', 'PUBLISHED', 1, '10.0.0.1');
    await put('ep-2', 'PUBLISHED', 1, '10.0.0.2');
    await feed.reached(await put('ep-1', 'REMOVED', 2));
    expect([answers('ep-1'), answers('ep-2')]).toEqual(['NXDOMAIN', ['10.0.0.2']]);
  });
});

describe('every server', () => {
  const history = async (): Promise<bigint> => {
    await put('ep-1', 'WITHDRAWN', 1, '10.0.0.1');
    await put('ep-1', 'PUBLISHED', 1, '10.0.0.1');
    await put('ep-2', 'PUBLISHED', 1, '10.0.0.2');
    await put('ep-2', 'REMOVED', 2);
    return put('ep-3', 'WITHDRAWN', 1, '10.0.0.3');
  };
  const shown = ({ answers, serial }: ReturnType<typeof start>) => ({
    serial: serial(),
    answers: ['ep-1', 'ep-2', 'ep-3'].map((id) => answers(id)),
  });
  const expected = { serial: 5, answers: [['10.0.0.1'], 'NXDOMAIN', 'NOERROR'] };

  it('gives the same serial and answers, whether it followed live, started later, or started again', async () => {
    const live = start();
    await live.feed.caughtUp;
    const position = await history();
    const late = start();
    await Promise.all([live.feed.reached(position), late.feed.caughtUp]);
    expect(shown(live)).toEqual(expected);
    expect(shown(late)).toEqual(expected);
    await live.end();
    const again = start();
    await again.feed.caughtUp;
    expect(shown(again)).toEqual(expected);
  });

  it('goes on where it was after a lost connection, counting no event twice', async () => {
    const server = start();
    await server.feed.caughtUp;
    await server.feed.reached(await history());
    store.disconnect();
    await server.feed.reached(await put('ep-3', 'PUBLISHED', 1, '10.0.0.3'));
    expect(shown(server)).toEqual({ serial: 6, answers: [['10.0.0.1'], 'NXDOMAIN', ['10.0.0.3']] });
  });

  it('raises its serial with every change, so that secondaries see it', async () => {
    const server = start();
    await server.feed.caughtUp;
    await server.feed.reached(await history());
    const before = server.serial();
    await server.feed.reached(await put('ep-1', 'PUBLISHED', 2, '10.0.0.9'));
    expect(server.serial()).toBe(before + 1);
  });
});

describe('waiting', () => {
  /** Looks after everything that is due now has had its turn. */
  const isPending = (promise: Promise<void>): Promise<boolean> =>
    Promise.race([promise.then(() => false), nextTurn(true)]);

  it('for a position ends with the event there, not before, and at once where it is reached already', async () => {
    const { feed, answers } = start();
    await feed.caughtUp;
    const first = await put('ep-1', 'PUBLISHED', 1, '10.0.0.1');
    await feed.reached(first);
    const next = feed.reached(first + 1n);
    const beyond = feed.reached(first + 2n);
    expect([await isPending(next), await isPending(beyond)]).toEqual([true, true]);
    await put('ep-2', 'PUBLISHED', 1, '10.0.0.2');
    await next;
    expect(answers('ep-2')).toEqual(['10.0.0.2']);
    expect(await isPending(beyond)).toBe(true);
    expect(await isPending(feed.reached(first))).toBe(false);
  });

  it('for the start ends only when all that was recorded before is in the table', async () => {
    await put('ep-1', 'PUBLISHED', 1, '10.0.0.1');
    await put('ep-2', 'PUBLISHED', 1, '10.0.0.2');
    const last = Promise.withResolvers<void>();
    const { feed, answers } = start({
      ...store,
      subscribe: async function* (options) {
        for await (const message of store.subscribe(options)) {
          if (message.kind === 'event' && message.event.position === 2n) await last.promise;
          yield message;
        }
      },
    });
    await feed.reached(1n);
    expect(await isPending(feed.caughtUp)).toBe(true);
    last.resolve();
    await feed.caughtUp;
    expect([answers('ep-1'), answers('ep-2')]).toEqual([['10.0.0.1'], ['10.0.0.2']]);
  });
});

it('a set of names that cannot be answered ends the server: it must not deny names that exist', async () => {
  await put('ep-1', 'PUBLISHED', 1, '10.0.0.1');
  const clock = { ...systemClock, sleep: async () => undefined };
  const feed = createZoneFeed(createZoneViews('elsewhere.internal'));
  const running = feed.run({ store, clock, log, signal: new AbortController().signal });
  await expect(running).rejects.toThrow('subscription zoneFeed failed');
});
