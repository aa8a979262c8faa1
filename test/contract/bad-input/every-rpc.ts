import { describe, expect, it } from 'vitest';
import type { Row, Rows } from '../../access/row.ts';
import { type Rpc, rpcs } from '../../access/rpcs.ts';
import {
  callAsAllowed,
  callerOf,
  expectFieldRefused,
  expectRefused,
  type GetStage,
  invalid,
  partyOf,
} from './stage.ts';

const isMutation = ({ name }: Rpc): boolean => !/^(get|list|watch|lookup|explain)/.test(name);

/** Ids that a name may stand for: what is not one is a name of nothing. */
const NAMES = ['service', 'readModel'];
const MALFORMED = ['', 'x', '\0', '__proto__', `${'x'.repeat(100_000)}`, '../..', 'ep-ABCDEFGHIJ0123456789', '🙂'];

const mutations = rpcs.filter(isMutation);
const having = (field: string) => rpcs.filter(({ fields }) => fields.includes(field));
const titled = (list: readonly Rpc[]) => list.map((rpc) => [rpc.title, rpc] as const);

/** What is wrong with one field, in whichever request has it. The rest of each request is right. */
export const everyRpc = (stage: GetStage, rows: Rows): void => {
  const right = (rpc: Rpc, row: Row | undefined = rows[rpc.title]?.[0]): object => {
    const { scene } = stage();
    return row?.say(scene, row.real(scene), partyOf(rpc)) ?? {};
  };

  describe('a malformed id', () => {
    const named = mutations.flatMap((rpc) =>
      (rows[rpc.title] ?? [])
        .filter(({ field, absent }) => absent !== '' && !NAMES.includes(field.split(' ')[0] ?? ''))
        .map((row) => [`${rpc.title} ${row.field}`, rpc, row] as const),
    );
    it.each(named)('is named: %s', async (_title, rpc, row) => {
      const { scene } = stage();
      const isName = (id: string): boolean => /^(resource|meter)Id$/.test(row.field) && /^[a-zA-Z0-9-]{1,64}$/.test(id);
      for (const id of MALFORMED) {
        if (!isName(id)) await expectFieldRefused(stage(), rpc, row.say(scene, id, partyOf(rpc)), row.field);
      }
    });
  });

  describe('a request id', () => {
    it.each(titled(having('requestId')))('that is none is named: %s', async (title, rpc) => {
      for (const requestId of ['x'.repeat(65), 'a\0b', 'ü', 'a\nb']) {
        await expectRefused(stage(), title, { ...right(rpc), requestId }, invalid('request_id'));
      }
    });
  });

  describe('an expected revision', () => {
    it.each(titled(having('expectedRevision')))('that is not the current one is named: %s', async (title, rpc) => {
      for (const expectedRevision of [0n, 999_999n, 2n ** 64n - 1n]) {
        const refusal = { code: 'ABORTED', reason: 'REVISION_CONFLICT', fields: ['expected_revision'] };
        const { facts } = await expectRefused(stage(), title, { ...right(rpc), expectedRevision }, refusal);
        expect(facts['current_revision']).toMatch(/^\d+$/);
      }
    });
  });

  describe('a text', () => {
    const texts = ['description', 'message'].flatMap((field) => having(field).map((rpc) => [field, rpc] as const));
    it.each(texts.map(([field, rpc]) => [`${rpc.title} ${field}`, field, rpc] as const))(
      'that is too long or not to be kept is named: %s',
      async (_title, field, rpc) => {
        for (const text of ['x'.repeat(257), 'a\0b', '🙂'.repeat(300)]) {
          await expectFieldRefused(stage(), rpc, { ...right(rpc), [field]: text }, field);
        }
      },
    );
  });

  describe('a value of an enum that is not known', () => {
    const UNKNOWN = 'UNRECOGNIZED';
    const enums: readonly (readonly [string, string])[] = [
      ['provider.createEndpointService', 'serviceType'],
      ['provider.createEndpointService', 'payer'],
      ['provider.createEndpointService', 'addressType'],
      ['provider.updateEndpointService', 'addressType'],
      ['provider.admitEndpoint', 'addressType'],
      ['consumer.createEndpoint', 'addressType'],
      ['provider.removeServiceUser', 'reconcile'],
      ['provider.admitEndpoint', 'endpointType'],
      ['consumer.createEndpoint', 'endpointType'],
      ['consumer.createEndpoint', 'expectedPayer'],
      ['dns.putNames', 'state'],
    ];
    it.each(enums)('is named: %s %s', async (title, field) => {
      const [rpc] = rpcs.filter((candidate) => candidate.title === title);
      if (!rpc) throw new Error(`no ${title}`);
      await expectFieldRefused(stage(), rpc, { ...right(rpc), [field]: UNKNOWN }, field);
    });

    it.each(titled(having('statuses')))('is named where a list is filtered by it: %s', async (title, rpc) => {
      const statuses = [`${prefixOf(rpc)}_ACTIVE`, UNKNOWN, `${prefixOf(rpc)}_UNSPECIFIED`];
      const known = rpc.service === 'broker' ? statuses.with(0, 'CONNECTION_STATUS_CONNECTED') : statuses;
      await expectRefused(stage(), title, { statuses: known }, invalid('statuses[1]', 'statuses[2]'));
    });
  });

  describe('a page size', () => {
    it.each(titled(having('pageSize')))('below nothing is named, and one beyond all is cut: %s', async (title, rpc) => {
      const { request = {} } = stage().scene.lists[title] ?? {};
      for (const pageSize of [-1, -(2 ** 31)]) {
        await expectRefused(stage(), title, { ...request, pageSize }, invalid('page_size'));
      }
      expect((await callAsAllowed(stage(), rpc, { ...request, pageSize: 2 ** 31 - 1 })).code).toBe('OK');
    });
  });

  describe('a list filter', () => {
    const filters = ['broker.listConnections', 'broker.watchConnections', 'consumer.listEndpoints'] as const;
    it.each(filters)('that is no id is named: %s', async (title) => {
      for (const serviceId of ['x', '\0', 'x'.repeat(100_000)]) {
        await expectRefused(stage(), title, { serviceId }, invalid('service_id'));
      }
    });
  });

  describe('a filter and an order', () => {
    it.each(titled(having('filter')))('that the list does not know are named: %s', async (title) => {
      const { request = {} } = stage().scene.lists[title] ?? {};
      const refuse = (said: object, reason: string, field: string) =>
        expectRefused(stage(), title, { ...request, ...said }, { code: 'INVALID_ARGUMENT', reason, fields: [field] });
      for (const filter of ['x', 'nothing = 1', '"', '(', '\0', "' or 1=1", '('.repeat(2_000), 'x'.repeat(100_000)]) {
        await refuse({ filter }, 'INVALID_FILTER', 'filter');
      }
      if (!having('orderBy').some((rpc) => rpc.title === title)) return;
      for (const orderBy of ['nothing', ';', 'key', '\0', 'x'.repeat(100_000)]) {
        await refuse({ orderBy }, 'INVALID_ORDER_BY', 'order_by');
      }
    });
  });

  describe('what cannot be read', () => {
    it.each(titled(rpcs))('is refused as a whole: %s', async (_title, rpc) => {
      const { callers, store } = stage();
      const { caller } = callers.as(callerOf(rpc), rpc.service);
      const before = await store.tail();
      const malformed = await caller.send(rpc, Buffer.from([0x0a, 0xff, 0xff, 0x03, 0x01]));
      expect([malformed.code, malformed.reason]).toEqual(['INVALID_ARGUMENT', 'MALFORMED_REQUEST']);
      // A field that nobody knows, of more bytes than are read.
      const large = Buffer.concat([Buffer.from([0xfa, 0x3f, 0x81, 0x80, 0x40]), Buffer.alloc(1024 * 1024 + 1)]);
      const tooLarge = await caller.send(rpc, large);
      expect([tooLarge.code, tooLarge.reason]).toEqual(['RESOURCE_EXHAUSTED', 'MESSAGE_TOO_LARGE']);
      expect(tooLarge.facts).toEqual({ limit_in_bytes: String(1024 * 1024) });
      const vast = await caller.send(rpc, Buffer.alloc(5 * 1024 * 1024));
      expect(vast.code).toBe('RESOURCE_EXHAUSTED');
      expect(await store.tail()).toBe(before);
    });
  });
};

const prefixOf = ({ service }: Rpc): string =>
  ({ provider: 'ENDPOINT_SERVICE_STATUS', consumer: 'ENDPOINT_STATUS', broker: 'CONNECTION_STATUS', dns: '' })[service];
