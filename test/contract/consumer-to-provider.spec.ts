import { status } from '@grpc/grpc-js';
import { setFailpoints } from '@privatelink/shared/app/failpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Applicant, type ProviderPort, providerPort } from '../../services/consumer/src/dispatch/provider.ts';
import { endpointsOf } from '../../services/provider/src/service-admissions/service-admissions.ts';
import {
  activeService,
  CONSUMER,
  calling,
  changesNothing,
  lastEvent,
  newId,
  OTHER_ZONE,
  PROVIDER,
  refusalOf,
  ZONE,
} from './support/given.ts';
import { type Services, startServices } from './support/services.ts';

let services: Services;
let port: ProviderPort;
let serviceId: string;
beforeAll(async () => {
  services = await startServices();
  port = providerPort(services.clients.provider);
  serviceId = await activeService(services);
});
afterAll(() => services?.close());

const applicant = (change: Partial<Applicant> = {}): Applicant => ({
  ...{ service: serviceId, endpointId: newId('ep'), accountId: CONSUMER },
  ...{ endpointType: 'INTERFACE', addressType: 'IPV4', zoneIds: [ZONE] },
  ...{ regionId: 'cn-hangzhou', serviceRegion: 'cn-hangzhou', ...change },
});
const ledger = async (id = serviceId) => endpointsOf((await services.provider.admissions.fold(id)).state, '*');

describe('admission', () => {
  it('gives all that the consumer service keeps of the service', async () => {
    const admission = await port.admitEndpoint(applicant(), calling());
    const { version } = (await services.provider.services.fold(serviceId)).state;
    const targets = [{ ip: '10.0.1.10', port: 443 }];
    expect(admission.customDomains).toEqual([]);
    expect(admission.snapshot).toEqual({
      ...{ serviceId, serviceName: `com.privatelink.cn-hangzhou.${serviceId}`, serviceAccountId: PROVIDER },
      serviceRegion: 'cn-hangzhou',
      ...{ serviceVersion: version, payer: 'ENDPOINT_SERVICE', autoAccept: true, approvalTtlMs: null },
      resources: ['nlb-1', 'nlb-2'].map((resourceId) => ({
        ...{ resourceId, zoneId: ZONE, targets, vpcId: '', proxyProtocol: false },
      })),
      bandwidthTerms: {
        ...{ modes: ['SCALABILITY', 'BANDWIDTH_LIMIT'], minMbps: 100, maxMbps: 50_000 },
        connectBandwidth: { mode: 'SCALABILITY', limitMbps: 0 },
      },
    });
  });

  it('is found by the name of the service too, and goes on with the chain of the request', async () => {
    const asked = applicant({ service: `com.privatelink.cn-hangzhou.${serviceId}` });
    const context = calling();
    expect((await port.admitEndpoint(asked, context)).snapshot.serviceId).toBe(serviceId);
    expect(await ledger()).toContain(asked.endpointId);
    const { actor, correlationId } = context;
    const recorded = { type: 'EndpointAdmitted.v1', actor, correlationId };
    expect(await lastEvent(services.provider.store, `serviceAdmissions-${serviceId}`)).toEqual(recorded);
  });

  it('asked for again is given again, and takes no second slot', async () => {
    const asked = applicant();
    const first = await port.admitEndpoint(asked, calling());
    const again = () => port.admitEndpoint(asked, calling());
    expect(await changesNothing(services.provider.store, again)).toEqual(first);
  });

  it('that is refused takes no slot, and says why in the words of the provider service', async () => {
    const asked = applicant({ zoneIds: [ZONE, OTHER_ZONE] });
    const refusal = await changesNothing(services.provider.store, () =>
      refusalOf(port.admitEndpoint(asked, calling())),
    );
    const facts = { service_id: serviceId, zones: OTHER_ZONE, offered: ZONE, field: 'zones' };
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'ZONE_NOT_OFFERED', facts });
    expect(refusal.violations).toMatchObject([{ field: 'zones' }]);
  });

  it('that is refused at the last moment takes no slot, nor the one that the endpoint has', async () => {
    const closing = await activeService(services);
    const { provider: operator } = await services.clientsOf('', 'operator');
    const held = applicant({ service: closing });
    await port.admitEndpoint(held, calling());
    const lockThen = async (name: string): Promise<void> => {
      if (name !== 'provider:after-admission') return;
      await operator.lockEndpointService({ requestId: '', serviceId: closing, message: '' }, {});
    };
    try {
      for (const asked of [held, applicant({ service: closing })]) {
        setFailpoints(lockThen);
        expect((await refusalOf(port.admitEndpoint(asked, calling()))).reason).toBe('SERVICE_LOCKED');
        await operator.unlockEndpointService({ requestId: '', serviceId: closing }, {});
        expect(await ledger(closing)).toEqual([held.endpointId]);
      }
    } finally {
      setFailpoints(null);
    }
  });

  it('reaches whoever creates an endpoint as it is: code, reason, facts and fields', async () => {
    const { consumer } = await services.clientsOf(CONSUMER, 'consumer');
    const { vpc } = await consumer.registerVpc({ requestId: '', ipv4Cidr: '10.0.0.0/16', ipv6Cidr: '' }, {});
    const vpcId = vpc?.vpcId ?? '';
    const subnet = { requestId: '', vpcId, zoneId: OTHER_ZONE, ipv4Cidr: '10.0.1.0/24', ipv6Cidr: '' };
    const { vswitch } = await consumer.registerVSwitch(subnet, {});
    const { securityGroup } = await consumer.registerSecurityGroup({ requestId: '', vpcId, rules: [] }, {});
    const create = () =>
      consumer.createEndpoint(
        {
          ...{
            requestId: '',
            service: serviceId,
            endpointType: 'ENDPOINT_TYPE_INTERFACE',
            addressType: 'ADDRESS_TYPE_IPV4',
            vpcId,
            description: '',
          },
          ...{ protected: false, tags: [], expectedPayer: 'PAYER_UNSPECIFIED', policy: '', targets: [] },
          zones: [{ zoneId: '', vswitchId: vswitch?.vswitchId ?? '', ipv4Address: '', ipv6Address: '' }],
          securityGroupIds: [securityGroup?.securityGroupId ?? ''],
        },
        {},
      );
    const refused = await changesNothing(services.consumer.store, () => refusalOf(create()));
    const direct = await refusalOf(port.admitEndpoint(applicant({ zoneIds: [OTHER_ZONE] }), calling()));
    expect(direct.reason).toBe('ZONE_NOT_OFFERED');
    expect(refused.status).toEqual(direct.status);
  });
});

describe('a slot', () => {
  it('that is given back is free, and given back again, or never taken, changes nothing', async () => {
    const { endpointId } = applicant();
    await port.admitEndpoint(applicant({ endpointId }), calling());
    await port.releaseAdmission(serviceId, endpointId, calling());
    expect(await ledger()).not.toContain(endpointId);
    const release = (id: string, of = serviceId) => port.releaseAdmission(of, id, calling());
    await changesNothing(services.provider.store, () => release(endpointId));
    await changesNothing(services.provider.store, () => release(newId('ep')));
    await changesNothing(services.provider.store, () => release(newId('ep'), newId('epsrv')));
  });
});
