import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allocationId, endpointZoneOf } from '../../services/connection-broker/src/allocation/allocation.ts';
import { brokerPort as consumersBroker } from '../../services/consumer/src/dispatch/broker.ts';
import { type BrokerPort, brokerPort } from '../../services/provider/src/dispatch/broker.ts';
import type { ServiceFact } from '../../services/provider/src/endpoint-service/endpoint-service.ts';
import {
  CONSUMER,
  calling,
  changesNothing,
  commanding,
  lastEvent,
  newId,
  someEndpoint,
  ZONE,
} from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
let port: BrokerPort;
beforeAll(async () => {
  services = await startServices();
  port = brokerPort(services.clients.broker);
});
afterAll(() => services?.close());

const facts = async (serviceId: string) => (await services.broker.scopes.fold(serviceId)).state;
const said = { actor: 'user:paula', at: '2026-01-02T03:04:05.000Z' };

describe('a fact of a service', () => {
  const all: readonly ServiceFact[] = [
    { kind: 'userRemoved', version: 4, accountId: '*', exceptAccountIds: [CONSUMER], ...said },
    { kind: 'userAdded', version: 5, accountId: CONSUMER, ...said },
    { kind: 'waitingAccepted', version: 6, ...said },
    { kind: 'securityLocked', version: 7, locked: true, message: 'leaks', ...said },
  ];

  const unlocked: ServiceFact = { kind: 'securityLocked', version: 8, locked: false, message: '', ...said };

  it.each([...all, unlocked])('is recorded with who did it, and again changes nothing: $kind', async (fact) => {
    const serviceId = newId('epsrv');
    const context = calling();
    await port.recordServiceFact(serviceId, fact, context);
    const { correlationId } = context;
    expect(await lastEvent(services.broker.store, `facts-${serviceId}`)).toMatchObject({
      actor: said.actor,
      correlationId,
    });
    const again = () => port.recordServiceFact(serviceId, fact, calling());
    await changesNothing(services.broker.store, again);
  });

  it('is kept as it was said', async () => {
    const serviceId = newId('epsrv');
    for (const fact of all) await port.recordServiceFact(serviceId, fact, calling());
    const { actor } = said;
    expect(await facts(serviceId)).toMatchObject({
      listings: {
        '*': { revision: 4, listed: false, exceptAccountIds: [CONSUMER], actor },
        [CONSUMER]: { revision: 5, listed: true, actor },
      },
      waitingAccepted: { revision: 6, actor },
      lock: { revision: 7, locked: true, message: 'leaks', actor },
    });
    await port.recordServiceFact(serviceId, unlocked, calling());
    expect((await facts(serviceId)).lock).toEqual({ revision: 8, locked: false, message: '', actor });
  });

  it('that is older than what is known of the same account changes nothing', async () => {
    const serviceId = newId('epsrv');
    const fact = (version: number, kind: 'userAdded' | 'userRemoved'): ServiceFact => ({
      ...{ kind, version, accountId: CONSUMER, exceptAccountIds: [], ...said },
    });
    await port.recordServiceFact(serviceId, fact(9, 'userRemoved'), calling());
    const late = () => port.recordServiceFact(serviceId, fact(8, 'userAdded'), calling());
    await changesNothing(services.broker.store, late);
  });
});

/** A connection to the service, which is up from its request on. */
const connect = async (serviceId: string): Promise<string> => {
  const { admission, ...endpoint } = someEndpoint();
  const asked = { ...endpoint, admission: { ...admission, serviceId } };
  await consumersBroker(services.clients.broker).requestConnection(asked, calling());
  return endpoint.endpointId;
};

describe('closing a service', () => {
  it('without connections is done at once; again it is answered the same and changes nothing', async () => {
    const serviceId = newId('epsrv');
    const nothing = { blockers: [], blockerCount: 0 };
    const close = () => port.closeService(serviceId, 5, false, calling());
    expect(await close()).toEqual(nothing);
    expect((await facts(serviceId)).closing).toMatchObject({ revision: 5, status: 'CLOSED' });
    expect(await changesNothing(services.broker.store, close)).toEqual(nothing);
  });

  it('names the connections that are up, again and again, and is not closed by that', async () => {
    const serviceId = newId('epsrv');
    const connectionId = await connect(serviceId);
    const blocked = { blockers: [{ connectionId, status: 'CONNECTING' }], blockerCount: 1 };
    const close = (version: number) => port.closeService(serviceId, version, false, calling());
    expect(await close(5)).toEqual(blocked);
    expect(await changesNothing(services.broker.store, () => close(5))).toEqual(blocked);
    expect((await facts(serviceId)).closing).toMatchObject({ status: 'REFUSED' });
    expect(await close(6)).toEqual(blocked);
  });

  it('by force asks for no connection, and stays so for whoever asks later', async () => {
    const serviceId = newId('epsrv');
    await connect(serviceId);
    const nothing = { blockers: [], blockerCount: 0 };
    expect(await port.closeService(serviceId, 5, true, calling())).toEqual(nothing);
    const late = () => port.closeService(serviceId, 4, false, calling());
    expect(await changesNothing(services.broker.store, late)).toEqual(nothing);
    expect((await facts(serviceId)).closing).toMatchObject({ revision: 5, status: 'CLOSED', force: true });
  });
});

describe('closing a resource', () => {
  const assign = async (serviceId: string, version: number): Promise<string> => {
    const endpointId = newId('ep');
    const endpointZone = endpointZoneOf(endpointId, ZONE);
    const data = { endpointZone, serviceVersion: version, candidates: ['nlb-1'], others: {} };
    const id = allocationId(serviceId, ZONE);
    await services.broker.allocations.execute(id, { type: 'AssignResource', data }, commanding());
    return endpointId;
  };
  const resource = { resourceId: 'nlb-1', zoneId: ZONE, version: 5 };
  const closed = { endpointIds: [], movingCount: 0 };

  it('that nobody is on is done at once; again it changes nothing', async () => {
    const serviceId = newId('epsrv');
    const close = () => port.closeResource(serviceId, resource, [], calling());
    expect(await close()).toEqual(closed);
    expect(await changesNothing(services.broker.store, close)).toEqual(closed);
    await expect(assign(serviceId, 5)).rejects.toMatchObject({ reason: 'NO_AVAILABLE_RESOURCE' });
    await assign(serviceId, 6);
  });

  it('names the endpoints on it, and closes nothing', async () => {
    const serviceId = newId('epsrv');
    const endpointIds = [await assign(serviceId, 1), await assign(serviceId, 1)].sort();
    const close = () => port.closeResource(serviceId, resource, [], calling());
    expect(await changesNothing(services.broker.store, close)).toEqual({ endpointIds, movingCount: 0 });
    await assign(serviceId, 1);
  });
});
