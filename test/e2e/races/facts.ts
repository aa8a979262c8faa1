import { Reconcile } from '@privatelink/proto/provider/v1/provider_service';
import { expect, it } from 'vitest';
import { holdsOf } from '../../support/follow-connection.ts';
import {
  type Cast,
  endpointRequest,
  type PublishedService,
  publishService,
  registerNetwork,
  reportPayment,
} from '../../support/scenario.ts';
import { CALL, requestId } from '../../support/world.ts';
import type { Race } from '../races.e2e.spec.ts';

type Case = Readonly<{
  fact: string;
  happen: (cast: Cast, service: PublishedService, endpointId: string) => Promise<unknown>;
  scope: (cast: Cast, service: PublishedService, endpointId: string) => string;
  ends: 'DISCONNECTED' | 'SERVICE_DELETED';
  holds: readonly string[];
}>;

const CASES: readonly Case[] = [
  {
    fact: 'the endpoint is overdue',
    happen: ({ billing }, _, endpointId) => reportPayment(billing, 'overdue', endpointId),
    scope: (_cast, _service, endpointId) => endpointId,
    ends: 'DISCONNECTED',
    holds: ['ENDPOINT_PAYMENT_OVERDUE'],
  },
  {
    fact: 'the account that pays is overdue',
    happen: ({ billing, consumer }) => reportPayment(billing, 'overdue', consumer.account),
    scope: ({ consumer }) => consumer.account,
    ends: 'DISCONNECTED',
    holds: ['ENDPOINT_PAYMENT_OVERDUE'],
  },
  {
    fact: 'the service is overdue',
    happen: ({ billing }, { serviceId }) => reportPayment(billing, 'overdue', serviceId),
    scope: (_, { serviceId }) => serviceId,
    ends: 'DISCONNECTED',
    holds: ['SERVICE_PAYMENT_OVERDUE'],
  },
  {
    fact: 'the account is removed from the whitelist',
    happen: ({ provider, consumer }, { serviceId }) => {
      const user = { serviceId, accountId: consumer.account, reconcile: Reconcile.DISCONNECT };
      return provider.provider.removeServiceUser({ requestId: requestId(), ...user }, CALL);
    },
    scope: (_, { serviceId }) => serviceId,
    ends: 'DISCONNECTED',
    holds: ['NOT_WHITELISTED'],
  },
  {
    fact: 'the service is deleted',
    happen: ({ provider }, { serviceId }) =>
      provider.provider.deleteEndpointService({ requestId: requestId(), serviceId, force: true }, CALL),
    scope: (_, { serviceId }) => serviceId,
    ends: 'SERVICE_DELETED',
    holds: [],
  },
];

export const facts = (race: () => Race): void => {
  const prepare = async () => {
    const { cast: newCast, log } = race();
    const cast = await newCast();
    const { provider, consumer } = cast;
    const service = await publishService(provider, log, { autoAccept: true, users: [consumer.account] });
    const network = await registerNetwork(consumer);
    const create = () => consumer.consumer.createEndpoint(endpointRequest(service, network), CALL);
    return { cast, service, network, create };
  };

  it.each(CASES)('connected but for the report, then $fact', async ({ happen, ends, holds }) => {
    const { hold, log, follow, lookup } = race();
    const { cast, service, create } = await prepare();
    const reporting = hold('connecting:before-report');
    const { endpoint } = await create();
    const { endpointId = '', domainName = '' } = endpoint ?? {};
    const connection = follow(cast.consumer, endpointId);
    await reporting.reached();
    await happen(cast, service, endpointId);
    const left = (await log.next(({ owner, move }) => owner === endpointId && move?.from === 'CONNECTING', 'a move'))
      .move;
    expect(left?.to).toBe(ends === 'DISCONNECTED' ? 'DISCONNECTING' : ends);
    reporting.release();
    expect(holdsOf(await connection.reaches(ends))).toEqual(holds);
    await log.next(
      ({ category, owner, move }) => category === 'nameSet' && owner === endpointId && move?.from === 'PUBLISHED',
      'the names withdrawn',
    );
    // The log may be ahead of what DNS answers.
    await expect.poll(() => lookup(domainName)).toBe('NODATA');
    // What was reported late was of an earlier generation.
    expect(log.of('connection', endpointId).some(({ move }) => move?.to === 'CONNECTED')).toBe(false);
  });

  it.each(CASES)('$fact and everybody is told, then the connection asked for', async (story) => {
    const { hold, log, follow } = race();
    const { cast, service, network, create } = await prepare();
    const creating = hold('createEndpoint:after-reservation');
    const created = create();
    await creating.reached();
    const reserved = await log.records('vpc', network.vpcId, 'EndpointReserved');
    const endpointId = String(reserved.data['endpointId']);
    const connection = follow(cast.consumer, endpointId);
    await story.happen(cast, service, endpointId);
    await log.records('fanOut', story.scope(cast, service, endpointId), 'FanOutCompleted');
    creating.release();
    await created;
    expect(holdsOf(await connection.reaches(story.ends))).toEqual(story.holds);
    expect(log.of('connection', endpointId).some(({ move }) => move?.to === 'CONNECTED')).toBe(false);
  });
};
