import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Logged, typeOf } from '../support/event-log.ts';
import { openFactFeed } from '../support/fact-feed.ts';
import {
  acceptRequest,
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
} from '../support/scenario.ts';
import { useStage } from '../support/stage.ts';

const stage = useStage();

/** The causes of an event, itself first, back to what no event caused. */
const causesOf = (event: Logged, history: readonly Logged[]): readonly Logged[] => {
  const byId = new Map(history.map((other) => [other.id, other]));
  const chain = [event];
  for (let cause = byId.get(causeOf(event)); cause; cause = byId.get(causeOf(cause))) {
    if (chain.includes(cause)) throw new Error(`${cause.type} is its own cause`);
    chain.push(cause);
  }
  return chain;
};
const causeOf = ({ metadata }: Logged): string => metadata['$causationId'] ?? '';

it('follows a request through all services: call, events, facts, what the sagas do, names', async () => {
  const { run, log, cast, follow } = stage();
  const feed = await openFactFeed(run);
  const { provider, consumer } = await cast();
  const service = await publishService(provider, log, { users: [consumer.account] });
  const network = await registerNetwork(consumer);

  const creation = { correlationId: `e2e-${randomUUID()}`, causationId: 'the-button' };
  const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network), creation);
  await follow(consumer, endpointId).reaches('DISCONNECTED');
  const reserved = await log.records('nameSet', endpointId, 'NamesReserved');
  // From here on the connection waits for the provider alone.
  await log.records('connection', endpointId, 'NamesWithdrawn');
  const caused = log.all.filter(({ metadata }) => metadata['$correlationId'] === creation.correlationId);
  const streams = new Set(caused.map(({ category }) => category));
  expect(streams).toEqual(new Set(['serviceAdmissions', 'vpc', 'endpoint', 'connection', 'allocation', 'nameSet']));
  // The cause of what a saga does is the last event that it has read: here the last one of the request's append.
  expect(causesOf(reserved, log.all).map(typeOf)).toEqual(['NamesReserved', 'IngressChanged', 'EndpointCreated']);
  for (const event of caused) expect(causeOf(causesOf(event, log.all).at(-1) ?? event)).toBe('the-button');

  const acceptance = { correlationId: `e2e-${randomUUID()}`, causationId: 'another-button' };
  const accept = acceptRequest(endpointId);
  await provider.broker.acceptConnection(accept, acceptance);
  const established = await log.records('connection', endpointId, 'ConnectionEstablished');
  const published = await log.records('nameSet', endpointId, 'NamesPublished');
  for (const event of [established, published]) {
    expect(event.metadata['$correlationId']).toBe(acceptance.correlationId);
    const chain = causesOf(event, log.all);
    expect(chain.map(typeOf)).toContain('ConnectingStarted');
    expect(causeOf(chain.at(-1) ?? event)).toBe('another-button');
  }

  for (const event of [...caused, established, published]) {
    if (!['endpoint', 'connection', 'nameSet'].includes(event.category)) continue;
    const { fact } = await feed.next(({ fact: { eventId } }) => eventId === event.id, `${event.type} announced`);
    expect([fact.correlationId, fact.causationId]).toEqual([event.metadata['$correlationId'], causeOf(event)]);
  }
  await feed.close();
});
