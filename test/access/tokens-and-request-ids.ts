import type { RunFile } from '@privatelink/embedded/run-file';
import { describe, expect, it } from 'vitest';
import { type Api, apiFor, CALL, requestId } from '../support/world.ts';
import type { Ended } from './call.ts';
import type { Callers } from './callers.ts';
import { absent, FORGED_TOKEN } from './row.ts';
import { rpcOf } from './rpcs.ts';
import { accounts, createEndpoint, createService, resource, type Scene, untilConnected, ZONE } from './scene.ts';

type Stage = () => Readonly<{ callers: Callers; scene: Scene; run: RunFile }>;

const refusal = ({ code, reason, fields }: Ended) => ({ code, reason, fields });
const badToken = (field: 'page_token' | 'consistency_token') => ({
  code: 'INVALID_ARGUMENT',
  reason: `${field.toUpperCase()}_INVALID`,
  fields: [field],
});

/** What callers carry about: page tokens, consistency tokens, request ids. */
export const tokensAndRequestIds = (stage: Stage): void => {
  describe('a page token', () => {
    const lists = ['provider.listEndpointServices', 'consumer.listEndpoints', 'consumer.listVpcs'] as const;

    it.each([...lists, 'broker.listConnections'])('of one list is none of another: %s', async (title) => {
      const { callers, scene } = stage();
      const rpc = rpcOf(title);
      const { caller } = callers.as('owner', rpc.service);
      for (const [other, { pageToken }] of Object.entries(scene.lists)) {
        if (other === title) continue;
        expect(refusal(await caller.call(rpc, { pageToken })), other).toEqual(badToken('page_token'));
      }
    });

    it('of a list is none of the same list with another filter', async () => {
      const { callers, scene } = stage();
      const { caller } = callers.as('owner', 'broker');
      const rpc = rpcOf('broker.listConnections');
      const { pageToken = '' } = scene.lists['broker.listConnections'] ?? {};
      for (const filter of [{ serviceId: scene.serviceId }, { statuses: ['CONNECTION_STATUS_CONNECTED'] }]) {
        expect(refusal(await caller.call(rpc, { ...filter, pageToken }))).toEqual(badToken('page_token'));
      }
      expect((await caller.call(rpc, { pageToken, pageSize: 7 })).code).toBe('OK');
    });

    it('is refused when a character of it is changed', async () => {
      const { callers, scene } = stage();
      const { caller } = callers.as('owner', 'consumer');
      const { pageToken = '' } = scene.lists['consumer.listVpcs'] ?? {};
      for (const at of [0, 20, pageToken.length - 2]) {
        const changed = pageToken[at] === 'A' ? 'B' : 'A';
        const forged = pageToken.slice(0, at) + changed + pageToken.slice(at + 1);
        expect(refusal(await caller.call(rpcOf('consumer.listVpcs'), { pageToken: forged }))).toEqual(
          badToken('page_token'),
        );
      }
    });
  });

  describe('a consistency token', () => {
    const lists = ['provider.listEndpointServices', 'consumer.listEndpoints', 'consumer.listVpcs'] as const;

    it.each([...lists, 'broker.listConnections'])('that nobody gave out is refused: %s', async (title) => {
      const { callers, scene } = stage();
      const rpc = rpcOf(title);
      const { caller } = callers.as('owner', rpc.service);
      const { pageToken = '' } = scene.lists[title] ?? {};
      for (const consistencyToken of [FORGED_TOKEN, pageToken, 'x', '\0', '7'.repeat(5_000)]) {
        expect(refusal(await caller.call(rpc, { consistencyToken }))).toEqual(badToken('consistency_token'));
      }
    });

    it('of any service is one to every other', async () => {
      const { callers, scene } = stage();
      for (const title of [...lists, 'broker.listConnections']) {
        const rpc = rpcOf(title);
        for (const { consistencyToken } of Object.values(scene.lists)) {
          const ended = await callers.as('owner', rpc.service).caller.call(rpc, { consistencyToken });
          expect(ended.code, title).toBe('OK');
        }
      }
    });
  });

  describe('a request id', () => {
    it('of another account is another request: each gets a thing of its own', async () => {
      const { callers } = stage();
      const same = requestId();
      const register = rpcOf('consumer.registerVpc');
      const create = rpcOf('provider.createEndpointService');
      const ids: string[] = [];
      for (const name of ['owner', 'counterpart', 'stranger'] as const) {
        const { caller, party } = callers.as(name, 'consumer');
        // Bodies that differ: within one account they would be refused.
        const vpc = await caller.call(register, { requestId: same, ipv4Cidr: `10.${ids.length}.0.0/16` });
        const service = await caller.call(create, { requestId: same, resources: [resource(`nlb-${party}`)] });
        expect([vpc.code, service.code]).toEqual(['OK', 'OK']);
        const registered = (vpc.responses[0] as { vpc: { vpcId: string; accountId: string } }).vpc;
        expect(registered.accountId).toBe(accounts[party]);
        const { endpointService } = service.responses[0] as {
          endpointService: { serviceId: string; accountId: string };
        };
        expect(endpointService.accountId).toBe(accounts[party]);
        ids.push(registered.vpcId, endpointService.serviceId);
      }
      expect(new Set(ids).size).toBe(6);
    });

    it('in another VPC makes another thing there', async () => {
      const { callers, scene } = stage();
      const { caller } = callers.as('owner', 'consumer');
      const same = requestId();
      const other = await caller.call(rpcOf('consumer.registerVpc'), { ipv4Cidr: '10.0.0.0/16' });
      const { vpcId } = (other.responses[0] as { vpc: { vpcId: string } }).vpc;
      const ids: string[] = [];
      for (const id of [scene.networks.C.vpcId, vpcId]) {
        const subnet = { requestId: same, vpcId: id, zoneId: ZONE, ipv4Cidr: '10.0.77.0/24' };
        const { responses } = await caller.call(rpcOf('consumer.registerVSwitch'), subnet);
        ids.push((responses[0] as { vswitch: { vswitchId: string } }).vswitch.vswitchId);
        const group = await caller.call(rpcOf('consumer.registerSecurityGroup'), { requestId: same, vpcId: id });
        ids.push((group.responses[0] as { securityGroup: { securityGroupId: string } }).securityGroup.securityGroupId);
      }
      expect(new Set(ids).size).toBe(4);
    });

    it('opens nothing that is foreign, though its owner used it there', async () => {
      const { callers, scene } = stage();
      const same = requestId();
      const rpc = rpcOf('provider.updateEndpointService');
      const said = { requestId: same, serviceId: scene.serviceId, description: 'said by its owner' };
      expect((await callers.as('owner', 'provider').caller.call(rpc, said)).code).toBe('OK');
      for (const name of ['counterpart', 'stranger'] as const) {
        const foreign = await callers.as(name, 'provider').caller.call(rpc, said);
        const none = await callers.as(name, 'provider').caller.call(rpc, { ...said, serviceId: absent.service });
        expect([foreign.code, foreign.reason]).toEqual(['NOT_FOUND', 'ENDPOINT_SERVICE_NOT_FOUND']);
        expect([none.code, none.message]).toEqual([foreign.code, foreign.message]);
      }
    });
  });

  describe('watching', () => {
    it('shows a stranger nothing of a foreign connection, also when it changes', async () => {
      const { run, scene } = stage();
      const roles = ['provider', 'consumer'] as const;
      const provider = await apiFor(run, { account: accounts.P, roles });
      const stranger = await apiFor(run, { account: accounts.S, roles });
      const stop = new AbortController();
      const foreign = watch(stranger, scene.endpointId, stop.signal);
      const own = watch(stranger, '', stop.signal);
      try {
        await Promise.all([foreign.synced, own.synced]);
        const decision = { requestId: requestId(), connectionId: scene.endpointId, message: 'out' };
        await provider.broker.rejectConnection(decision, CALL);
        // Events come in one order: whoever sees this one was passed by all those before it.
        const { serviceId } = await createService(stranger, true);
        const endpointId = await createEndpoint(stranger, serviceId, scene.networks.S);
        await untilConnected(stranger, endpointId);
        await own.sees(endpointId);
        expect(own.seen.filter((id) => id === scene.endpointId)).toEqual([]);
        expect(foreign.seen).toEqual([]);
      } finally {
        stop.abort();
        await Promise.all([foreign.ended, own.ended]);
        provider.close();
        stranger.close();
      }
    });
  });
};

/** Follows one connection, or all that the account has. */
const watch = ({ broker }: Api, connectionId: string, signal: AbortSignal) => {
  const seen: string[] = [];
  const synced = Promise.withResolvers<void>();
  let looking = (_id: string): void => undefined;
  const ended = (async () => {
    for await (const message of broker.watchConnections({ connectionId, serviceId: '' }, { signal })) {
      if (message.synced) synced.resolve();
      if (!message.connection) continue;
      seen.push(message.connection.connectionId);
      looking(message.connection.connectionId);
    }
  })();
  const sees = async (wanted: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    looking = (id) => (id === wanted ? resolve() : undefined);
    if (!seen.includes(wanted)) await promise;
  };
  return { seen, sees, ended, synced: synced.promise };
};
