import { TrafficControlMode } from '@privatelink/proto/common/v1/common';
import { SecurityGroupPolicy } from '@privatelink/proto/consumer/v1/network';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  anyPortOf,
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  registerNetwork,
  untilAnswered,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { describeOutcome } from '../../support/traffic/client.ts';
import { type VpcNetworks, vpcNetworks } from '../../support/traffic/vpc-networks.ts';
import { CALL, requestId } from '../../support/world.ts';
import { SOON, ZONES } from './connected.ts';

const [ZONE] = ZONES;
const BACKEND = { zone: ZONE, host: '10.0.1.10', port: 8080 };

export const namespaces = (stage: () => Stage): void => {
  let vpcs: VpcNetworks;
  beforeEach(() => {
    vpcs = vpcNetworks();
  });
  afterEach(() => vpcs.removeAll());

  /** A service whose backend is in a VPC of the provider, and the network of a consumer with the same addresses. */
  const prepare = async () => {
    const { log, run, cast: openCast } = stage();
    const { provider, consumer } = await openCast();
    const owner = await openActor(run, 'consumer', provider.account);
    const { vpcId } = await registerNetwork(owner, { zones: [ZONE] });
    owner.close();
    await vpcs.make(vpcId);
    await (await vpcs.addMachine(vpcId, ['10.0.1.10/24'])).serve(BACKEND);
    const backends = [{ zone: ZONE, ip: BACKEND.host, port: BACKEND.port }];
    const users = [consumer.account];
    const service = await publishService(provider, log, { autoAccept: true, backends, vpcId, users });
    return { provider, consumer, service, network: await registerNetwork(consumer, { zones: [ZONE] }) };
  };

  it('waits for the VPC, puts an address on again that was taken off by hand, limits it, lets in whom it may, and takes it off in the end', async () => {
    const { follow } = stage();
    const { provider, consumer, service, network } = await prepare();
    const { vpcId } = network;
    const endpoint = await createEndpoint(consumer, endpointRequest(service, network));
    const { endpointId } = endpoint;
    const connection = follow(consumer, endpointId);
    const missing = async () => {
      const { connection: found } = await consumer.broker.getConnection({ connectionId: endpointId }, CALL);
      return found?.missing;
    };
    await expect.poll(missing, SOON).toEqual([`forwarding READY in ${ZONE}`, 'names PUBLISHED']);
    await vpcs.make(vpcId);
    const machine = await vpcs.addMachine(vpcId, ['10.0.1.100/24']);
    const state = await connection.reaches('CONNECTED');
    const own = endpoint.zones[0]?.ipv4Address ?? '';
    const address = `${own}:${BACKEND.port}`;
    expect(state?.zones.flatMap(({ listeners }) => listeners)).toEqual([{ port: BACKEND.port, address }]);
    const answer = `${ZONE} ${endpointId}`;
    const flow = await machine.open(address);
    expect(describeOutcome(flow.first)).toBe(answer);

    await vpcs.takeOff(vpcId, own);
    await expect.poll(() => vpcs.addresses(vpcId), SOON).toContain(own);
    await expect.poll(async () => describeOutcome(await machine.request(address)), SOON).toBe(answer);
    expect(describeOutcome(await flow.ask())).toBe(answer);

    const bandwidth = { trafficControlMode: TrafficControlMode.BANDWIDTH_LIMIT, limitMbps: 100 };
    await untilAnswered(() =>
      provider.broker.setConnectionBandwidth({ requestId: requestId(), connectionId: endpointId, bandwidth }, CALL),
    );
    const limited = await connection.reaches('CONNECTED');
    expect(limited?.zones.map(({ bandwidthKept }) => bandwidthKept)).toEqual([true]);
    const keptOut = await consumer.consumer.registerSecurityGroup(
      { requestId: requestId(), vpcId, rules: [anyPortOf('10.0.1.100/32', SecurityGroupPolicy.DENY, 1)] },
      CALL,
    );
    const group = { endpointId, securityGroupId: keptOut.securityGroup?.securityGroupId ?? '' };
    const answered = async () => describeOutcome(await machine.request(address));
    await untilAnswered(() => consumer.consumer.attachSecurityGroup({ requestId: requestId(), ...group }, CALL));
    await expect.poll(answered, SOON).toBe('ECONNRESET');
    // What is established stays.
    expect(describeOutcome(await flow.ask())).toBe(answer);
    await untilAnswered(() => consumer.consumer.detachSecurityGroup({ requestId: requestId(), ...group }, CALL));
    await expect.poll(answered, SOON).toBe(answer);
    expect((await vpcs.limits(vpcId)).toSorted()).toEqual([`${endpointId}/100/in`, `${endpointId}/100/out`]);
    expect(describeOutcome(await flow.ask())).toBe(answer);

    await untilAnswered(() =>
      consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL),
    );
    await flow.cut;
    await connection.reaches('GONE');
    await expect.poll(() => vpcs.addresses(vpcId), SOON).not.toContain(own);
  });
};
