import { createRepository } from '@privatelink/shared/app/repository';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { createMemoryStore } from '@privatelink/shared/testing/memory-store';
import { expect, it } from 'vitest';
import { endpointCodec } from '../endpoint/endpoint.codec.ts';
import { endpoint } from '../endpoint/endpoint.decide.ts';
import type { EndpointCommand } from '../endpoint/endpoint.ts';
import {
  activate,
  CAROL,
  confirm,
  create,
  domains,
  particulars,
  releasedParts,
  update,
} from '../endpoint/testing/fixtures.ts';
import { gatewayEndpointCodec } from '../gateway-endpoint/gateway-endpoint.codec.ts';
import { gatewayEndpoint } from '../gateway-endpoint/gateway-endpoint.ts';
import { vpcCodec } from '../vpc/vpc.codec.ts';
import { vpc } from '../vpc/vpc.decide.ts';
import { reservedChanges } from './reserved-changes.ts';

const { endpointId, accountId } = particulars;

let requests = 0;
const context = (): CommandContext => ({
  ...{ actor: CAROL, accountId, requestId: `r${++requests}`, fingerprint: '' },
  ...{ correlationId: 'c', causationId: 'c', deadline: Number.POSITIVE_INFINITY },
});

const openStage = () => {
  const clock = { now: () => new Date('2026-01-02T03:04:05.000Z'), sleep: async () => undefined };
  const options = { store: createMemoryStore(clock), clock, producer: 'consumer' };
  const repositories = {
    vpcs: createRepository(options, vpc, vpcCodec),
    endpoints: createRepository(options, endpoint, endpointCodec),
    gateways: createRepository(options, gatewayEndpoint, gatewayEndpointCodec),
  };
  const provider = {
    admitEndpoint: () => Promise.reject(new Error('nobody is admitted here')),
    releaseAdmission: async () => undefined,
  };
  const give = (command: EndpointCommand) => repositories.endpoints.execute(endpointId, command, context());
  return {
    give,
    /** Switches custom domains on, as asked before `meanwhile` and committed after it. */
    enable: async (description: string, meanwhile: () => Promise<unknown>) => {
      const rpc: RpcContext = {
        ...{ caller: { subject: 'carol', accountId, roles: ['consumer'] }, actor: CAROL, method: '' },
        ...{ command: context(), deadline: Number.POSITIVE_INFINITY, signal: new AbortController().signal },
        ...{ correlationId: 'c', causationId: 'c', allows: () => true },
      };
      const changes = {
        change: async (_: unknown, command: EndpointCommand) => {
          await meanwhile();
          return repositories.endpoints.execute(endpointId, command, rpc.command);
        },
        reply: () => {
          throw new Error('nobody is answered here');
        },
      };
      const unsaid = { tags: null, protected: null, zoneAffinity: null, customDomains: null, addressType: null };
      const said = { ...unsaid, description, actor: CAROL };
      const request = { requestId: rpc.command.requestId, endpointId };
      const reserved = reservedChanges({ ...repositories, provider, clock }, changes);
      const wishes = { customDomains: true, dualStack: false };
      return (await reserved.update(request, said, wishes, rpc)).latest.state;
    },
  };
};

it('custom domains that are on already, and are off and released before that is committed, stay off', async () => {
  const { give, enable } = openStage();
  for (const command of [create, activate, update({ customDomains: domains('cdr-1', 'db.example.com') }), confirm(3)]) {
    await give(command);
  }
  const after = await enable('new', async () => {
    await give(update({ customDomains: 'off' }));
    await give(confirm(5));
    await give(releasedParts('cdr-1'));
  });
  expect(after).toMatchObject({
    description: 'new',
    customDomains: null,
    retiring: [],
    unreleased: [],
    status: 'ACTIVE',
  });
});
