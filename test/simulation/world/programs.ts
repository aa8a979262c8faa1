import { BrokerServiceClient } from '@privatelink/proto/broker/v1/broker_service';
import type { ServiceConfig } from '@privatelink/shared/runtime/config';
import type { Service } from '@privatelink/shared/runtime/lifecycle';
import type { ServiceMain } from '@privatelink/shared/runtime/service-main';
import { broker } from '../../../services/connection-broker/src/main.ts';
import { consumer } from '../../../services/consumer/src/main.ts';
import { runAgent } from '../../../services/data-plane/src/agent.ts';
import { dns } from '../../../services/dns/src/main.ts';
import type { Answer } from '../../../services/dns/src/server/answer.ts';
import { provider } from '../../../services/provider/src/main.ts';
import { type Surroundings, simulatedFoundation } from './foundation.ts';
import type { Host } from './host.ts';
import type { ZoneMachine } from './zone-machine.ts';

export const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;
export const REGION = 'cn-hangzhou';
/** Another region, and its zones. */
export const OTHER_REGION = 'cn-shanghai';
export const OTHER_ZONES = ['cn-shanghai-a', 'cn-shanghai-b'] as const;
export const ALL_ZONES = [...ZONES, ...OTHER_ZONES] as const;

/** Who forwards: agents in each zone, or nobody, and the broker takes it for done. */
export type Forwarding = 'agents' | 'none';

/** How a DNS server answers everybody, and clients in a zone of a VPC; in any zone when empty. */
export type Answers = Readonly<{ everybody: Answer; inside: (vpcId: string, zoneId: string) => Answer }>;

type Show = (answers: Answers) => void;

/** What a host runs; a DNS server shows how it answers. */
export type Program = (host: Host, service: Service, show: Show) => Promise<void>;

const SETTLE_AFTER_MS = 8_000;
const nowhere = { host: '127.0.0.1', port: 0 };
const config: Omit<ServiceConfig, 'forwarding'> = {
  ...{ region: REGION, zones: ZONES, dnsSuffix: 'privatelink.internal', serviceNamePrefix: 'com.privatelink' },
  ...{ eventStore: '', postgres: '', nats: '', jwksFile: '', tokenFile: '', tokenSecretFile: '', instance: '' },
  otherRegions: [{ regionId: OTHER_REGION, zoneIds: OTHER_ZONES }],
  addresses: { provider: [], consumer: [], broker: [], dns: [] },
  ...{
    grpcListen: nowhere,
    metricsListen: undefined,
    traces: { endpoint: undefined, ratio: 1 },
    dnsListen: nowhere,
    dnsVpcListen: undefined,
    logLevel: 'silent',
    reflection: 'token',
  },
  ...{ dnsVpcs: 1, dnsVpcsPerAccount: 1 },
  txtResolvers: undefined,
  recheckDomainsMs: 20_000,
  ...{ settleAfterMs: SETTLE_AFTER_MS, failpoints: undefined },
  quotas: {
    ...{ services: undefined, endpointsPerService: undefined, serviceUsers: undefined, crossRegionMbps: undefined },
    ...{ resourcesPerService: undefined, resourcesPerZone: undefined, resourcesAtCreation: undefined },
    ...{ endpointsPerVpc: undefined, zonesPerEndpoint: undefined, securityGroupsPerEndpoint: undefined },
  },
};

/** The services by their own `main.ts`, and an agent for each zone by the agents' own loop. */
export const programs = (
  around: Surroundings,
  machines: readonly ZoneMachine[],
  forwarding: Forwarding,
): Readonly<Record<string, Program>> => {
  const byMain =
    (mainFor: (show: Show) => ServiceMain): Program =>
    async (host, service, show) => {
      const main = mainFor(show);
      const foundation = await simulatedFoundation(host, service, main, around);
      const mode = forwarding === 'none' ? 'none' : 'loopback';
      await main.start({ ...config, instance: host.name, forwarding: mode }, foundation, service);
    };
  const agentOf =
    (machine: ZoneMachine): Program =>
    async (host, { log, signal }) => {
      const caller = { subject: 'data-plane', accountId: '', roles: ['service'] } as const;
      await runAgent({
        ...{
          zoneId: machine.zoneId,
          name: host.name.replaceAll(/[#.]/g, '-'),
          clock: host.clock,
          log,
          signal,
          onStop: 'keep',
        },
        broker: around.network.client(BrokerServiceClient, { host, caller }),
        ...machine.toolsFor(host),
      });
      host.kill();
    };
  return {
    provider: byMain(() => provider(() => ({ lookUp: async (name) => around.txt.lookUp(name) }))),
    consumer: byMain(() => consumer),
    broker: byMain(() => broker),
    dns: byMain((show) =>
      dns(async ({ answer }, inside) => {
        show({ everybody: answer, inside });
        return { port: 0, close: async () => undefined };
      }),
    ),
    ...(forwarding === 'agents' && Object.fromEntries(machines.map((one) => [`agent-${one.zoneId}`, agentOf(one)]))),
  };
};
