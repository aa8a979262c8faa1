import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import { createEndpoint, endpointRequest, type PublishedService, registerNetwork } from './scenario.ts';
import type { Api } from './world.ts';

/** What a vSwitch with 256 addresses has to give. */
const IN_ONE_VPC = 240;
const CLIENTS = 48;

/** Endpoints of one zone, on each of some services in turn, in as many VPCs as they need; the service of each by its id. */
export const createEndpoints = async (
  consumer: Pick<Api, 'consumer'>,
  services: readonly PublishedService[],
  { count, zone }: Readonly<{ count: number; zone: string }>,
): Promise<ReadonlyMap<string, PublishedService>> => {
  const sizes = Array.from({ length: Math.ceil(count / IN_ONE_VPC) }, (_, index) =>
    Math.min(IN_ONE_VPC, count - index * IN_ONE_VPC),
  );
  const networks = await Promise.all(sizes.map(() => registerNetwork(consumer, { zones: [zone] })));
  // One of each network in turn, so that no ledger is asked by all at once.
  const places = Array.from({ length: IN_ONE_VPC }, (_, place) =>
    networks.filter((_network, index) => place < (sizes[index] ?? 0)),
  ).flat();
  const wanted = places.flatMap((network, index) => {
    const service = services[index % services.length];
    return service ? [{ network, service }] : [];
  });
  const created = new Map<string, PublishedService>();
  await forEachLimit(wanted, CLIENTS, async ({ network, service }) => {
    const { endpointId } = await createEndpoint(consumer, endpointRequest(service, network));
    created.set(endpointId, service);
  });
  return created;
};
