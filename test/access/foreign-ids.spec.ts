import { accessOf, roles } from '@privatelink/shared/grpc/access';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ended } from './call.ts';
import { type Callers, ownerOf } from './callers.ts';
import { type OpenStage, openStage } from './open-stage.ts';
import { type CallerName, callers as callerNames, NO_FIELD, type Row, type Rows } from './row.ts';
import { brokerRows } from './rows-broker.ts';
import { consumerRows } from './rows-consumer.ts';
import { dnsRows } from './rows-dns.ts';
import { eventsRows } from './rows-events.ts';
import { operationsRows } from './rows-operations.ts';
import { providerRows } from './rows-provider.ts';
import { type Rpc, rpcOf, rpcs } from './rpcs.ts';
import { accounts, type Scene } from './scene.ts';
import { tokensAndRequestIds } from './tokens-and-request-ids.ts';

/** Who may do what with whose things: every RPC, every id in its request, every kind of caller, on a running system. */

const rows: Rows = { ...providerRows, ...consumerRows, ...brokerRows, ...dnsRows, ...eventsRows, ...operationsRows };

let stage: OpenStage;
let callers: Callers;
let scene: Scene;

beforeAll(async () => {
  stage = await openStage();
  ({ callers, scene } = stage);
}, 120_000);

afterAll(() => stage?.close());

/** What a row says of a call that ended. */
const outcomeOf = (ended: Ended, { isIn }: Row): string => {
  if (ended.code !== 'OK' || !isIn) return ended.code;
  return ended.responses.some((response) => isIn(response, scene)) ? 'FULL' : 'EMPTY';
};

const callAs = (name: CallerName, rpc: Rpc, row: Row, id: string): Promise<Ended> => {
  const { caller, party } = callers.as(name, rpc.service);
  return caller.call(rpc, row.say(scene, id, party));
};

/** All that a caller is told of others: without the id itself, and without what time alone changes. */
const told = ({ responses, ...ended }: Ended, id: string, ownAccount: string): unknown => {
  const shown = responses.map((response) => ({ ...response, consistencyToken: '' }));
  const text = JSON.stringify({ ...ended, shown }, (_key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    return Array.isArray(value) ? value.filter((item) => item?.accountId !== ownAccount) : value;
  });
  const short = id.split('.').at(-1) ?? id;
  return JSON.parse(text.replaceAll(id, '<id>').replaceAll(short, '<id>'));
};

const KEPT_FROM = ['NOT_FOUND', 'EMPTY', 'PERMISSION_DENIED'];

describe('every RPC', () => {
  it('has rows, and no row is for another', () => {
    expect(Object.keys(rows).sort()).toEqual(rpcs.map(({ title }) => title).sort());
  });

  // Zones and regions are nobody's.
  it.each(rpcs.map((rpc) => [rpc.title, rpc] as const))('%s has a row for each id and token', (title, { fields }) => {
    const named = (rows[title] ?? []).map(({ field }) => field.split(/[ .]/)[0] ?? '');
    const wanted = fields.filter(
      (field) => /(Id|Ids|Token)$|^service$/.test(field) && !/^(request|zone|region)/.test(field),
    );
    expect(wanted.filter((field) => !named.includes(field))).toEqual([]);
    expect(named.filter((field) => field !== NO_FIELD && !fields.includes(field))).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
  });

  it('has what its tokens are tried with', () => {
    for (const [title, { pageToken, consistencyToken }] of Object.entries(scene.lists)) {
      expect(pageToken, title).not.toBe('');
      if (rpcOf(title).fields.includes('consistencyToken')) expect(consistencyToken, title).not.toBe('');
    }
    expect(Object.keys(scene.lists)).toHaveLength(10);
    expect(scene.resumeToken).not.toBe('');
  });
});

describe.each(rpcs.map((rpc) => [rpc.title, rpc] as const))('%s', (title, rpc) => {
  describe.each((rows[title] ?? []).map((row) => [row.field, row] as const))('%s', (_field, row) => {
    it.each(callerNames)('of a thing that is there, asked by: %s', async (name) => {
      const ended = await callAs(name, rpc, row, row.real(scene));
      expect(outcomeOf(ended, row), `${ended.reason} ${ended.message}`).toBe(row.expected[name]);
    });

    const keptFrom = callerNames.filter((name) => KEPT_FROM.includes(row.expected[name]));
    if (row.absent === '') return;
    it.each(keptFrom)('is to those it is kept from as if it were not there: %s', async (name) => {
      const [foreign, absent] = [row.real(scene), row.absent];
      const [one, other] = [await callAs(name, rpc, row, foreign), await callAs(name, rpc, row, absent)];
      const own = accounts[callers.as(name, rpc.service).party];
      expect(told(one, foreign, own)).toEqual(told(other, absent, own));
    });
  });

  const allowed = accessOf(rpc.definition.path.slice(1))?.roles ?? [];
  const [row] = rows[title] ?? [];
  const wrongRole = roles.find((role) => !allowed.includes(role));
  if (wrongRole) {
    it('is not for its owner in another role', async () => {
      const caller = callers.ownerIn(wrongRole, rpc.service);
      const ended = await caller.call(rpc, row?.say(scene, row.real(scene), ownerOf(rpc.service)) ?? {});
      expect([ended.code, ended.reason]).toEqual(['PERMISSION_DENIED', 'PERMISSION_DENIED']);
    });
  }

  it('is not for callers without a token', async () => {
    const ended = await callers.nobody.call(rpc, row?.say(scene, row.real(scene), 'S') ?? {});
    expect([ended.code, ended.reason]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
  });
});

tokensAndRequestIds(() => ({ callers, scene, run: stage.world.system.run }));
