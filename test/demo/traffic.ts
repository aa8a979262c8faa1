import { Payer } from '@privatelink/proto/common/v1/common';
import {
  type Actor,
  createEndpoint,
  endpointRequest,
  openActor,
  publishService,
  registerNetwork,
  reportPayment,
} from '../support/scenario.ts';
import { describeOutcome } from '../support/traffic/client.ts';
import type { Machine } from '../support/traffic/machine.ts';
import { type VpcNetworks, vpcNetworks } from '../support/traffic/vpc-networks.ts';
import { apiFor, CALL, requestId } from '../support/world.ts';
import { Difference, expectEqual, followStatuses, narrateStatusChanges, type Story } from './story.ts';
import { checkTraffic, withinPatience } from './traffic-checks.ts';

const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;
const BACKENDS = ['10.0.1.10', '10.0.2.10'] as const;
const INTERFACES = ['10.0.1.5', '10.0.2.5'] as const;

/** Two consumers whose networks have the same addresses reach one provider, and not each other. */
export const traffic: Story = {
  name: 'traffic',
  about: 'network namespaces as VPCs of one CIDR: two consumers reach one provider, and not each other (root on Linux)',
  forwarding: 'namespaces',
  play: async (stage) => {
    const { run, feed, narrator, use } = stage;
    const { act, checked } = narrator;
    const vpcs = vpcNetworks();
    use({ close: vpcs.removeAll });
    const enter = async (role: 'provider' | 'consumer', account?: string): Promise<Actor> =>
      use(await openActor(run, role, account));
    const names = new Map<string, string>();
    const owners = new Map<string, string>();
    const told = narrateStatusChanges(stage, {
      domainName: (id) => names.get(id),
      owner: (id) => owners.get(id) ?? '',
    });

    /** A VPC as the consumer service knows it, and as a network namespace with a machine in both vSwitches. */
    const buildNetwork = async (who: string, owner: Actor, host: number) => {
      const network = await registerNetwork(owner, { zones: ZONES });
      const { vpcId } = network;
      await vpcs.make(vpcId);
      const addresses = [`10.0.1.${host}`, `10.0.2.${host}`];
      const machine = await vpcs.addMachine(
        vpcId,
        addresses.map((address) => `${address}/24`),
      );
      act(`${who} has the VPC ${vpcId}, 10.0.0.0/16, with a machine at ${addresses.join(' and ')}`);
      return { ...network, machine };
    };

    narrator.title('Three networks of the same addresses');
    const provider = await enter('provider');
    const [consumerA, consumerB] = [await enter('consumer'), await enter('consumer')];
    const billing = use(await apiFor(run, { account: '', roles: ['billing'], subject: 'billing' }));
    const providers = await buildNetwork('provider', await enter('consumer', provider.account), 10);
    const backends = await Promise.all(
      ZONES.map(async (zone, index) => {
        const ip = BACKENDS[index] ?? '';
        return { zone, ip, port: await providers.machine.serve({ zone, host: ip, port: 8080 }) };
      }),
    );
    const service = await publishService(provider, feed, {
      ...{ autoAccept: true, payer: Payer.ENDPOINT, backends, vpcId: providers.vpcId },
      users: [consumerA.account, consumerB.account],
    });
    act(`provider publishes a service over ${BACKENDS.map((ip) => `${ip}:8080`).join(' and ')}`);

    const join = async (who: string, consumer: Actor, host: number) => {
      const network = await buildNetwork(`consumer ${who}`, consumer, host);
      const request = endpointRequest(service, network, ZONES);
      const zones = request.zones.map((zone, index) => ({ ...zone, ipv4Address: INTERFACES[index] ?? '' }));
      const { endpointId, domainName } = await createEndpoint(consumer, { ...request, zones });
      owners.set(endpointId, who);
      names.set(endpointId, domainName);
      act(`consumer ${who} creates an endpoint at ${INTERFACES.join(' and ')}`);
      const reaches = followStatuses(stage, endpointId, told);
      await reaches('CONNECTING', 'CONNECTED');
      const checks = checkTraffic(stage, { consumer, connectionId: endpointId, client: network.machine });
      return { ...network, consumer, endpointId, reaches, checks };
    };

    narrator.title('Both consumers reach the provider, at the same addresses');
    const a = await join('A', consumerA, 100);
    await a.checks.flows();
    const b = await join('B', consumerB, 101);
    await b.checks.flows();
    await a.checks.goesOn();

    narrator.title('Not each other, and nothing of the provider but its service');
    await b.machine.serve({ zone: 'here', host: '10.0.1.101', port: 9000, proxyProtocol: false });
    expectEqual('what B answers itself', describeOutcome(await b.machine.request('10.0.1.101:9000')), 'here');
    await expectSilence(a.machine, '10.0.1.101:9000');
    checked('the machine of B answers at 10.0.1.101:9000, and A gets no answer there');
    await expectSilence(a.machine, `${BACKENDS[0]}:8080`);
    checked(`A gets no answer at ${BACKENDS[0]}:8080, which is the provider's own address`);

    narrator.title('The bill of A is not paid: A is cut off, B is not');
    act("billing reports A's endpoint overdue");
    await reportPayment(billing, 'overdue', a.endpointId);
    await a.reaches('DISCONNECTING', 'DISCONNECTED');
    await a.checks.isCut();
    await b.checks.goesOn();
    act("billing reports A's endpoint settled");
    await reportPayment(billing, 'settled', a.endpointId);
    await a.reaches('CONNECTING', 'CONNECTED');
    await a.checks.flows();
    await b.checks.goesOn();

    narrator.title('The endpoints go, and their addresses with them');
    for (const { consumer, endpointId, reaches, checks } of [a, b]) {
      await consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL);
      await reaches('DELETING', 'GONE');
      await checks.isCut('unanswered');
    }
    for (const [who, { vpcId }] of Object.entries({ A: a, B: b })) {
      await withinPatience(untilFree(vpcs, vpcId), `${INTERFACES.join(' and ')} are off in the VPC of ${who}`);
    }
    checked(`${INTERFACES.join(' and ')} are on in no VPC any more`);
  },
};

/** The agent cuts flows and reports that first; what is left of an interface it takes off in the same round. */
const untilFree = async (vpcs: VpcNetworks, vpcId: string): Promise<void> => {
  while ((await vpcs.addresses(vpcId)).some((address) => INTERFACES.some((own) => own === address)));
};

/** Nobody is there, or nothing leads there. */
const expectSilence = async (machine: Machine, address: string): Promise<void> => {
  const outcome = describeOutcome(await machine.request(address));
  if (outcome !== 'TIMEOUT' && outcome !== 'EHOSTUNREACH') {
    throw new Difference(`${address} shall not be reached, but: ${outcome}`);
  }
};
