import { createRepository } from '@privatelink/shared/app/repository';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { createMemoryStore } from '@privatelink/shared/testing/memory-store';
import { beforeEach, describe, expect, it } from 'vitest';
import { endpointCodec } from '../endpoint/endpoint.codec.ts';
import { endpoint } from '../endpoint/endpoint.decide.ts';
import type { EndpointCommand } from '../endpoint/endpoint.ts';
import { gatewayEndpointCodec } from '../gateway-endpoint/gateway-endpoint.codec.ts';
import { gatewayEndpoint } from '../gateway-endpoint/gateway-endpoint.ts';
import { vpcCodec } from '../vpc/vpc.codec.ts';
import { vpc } from '../vpc/vpc.decide.ts';
import { routesTo, type VpcCommand } from '../vpc/vpc.ts';
import { reservationCleanup } from './reservation-cleanup.ts';

const VPC = 'vpc-1';
const OTHER_VPC = 'vpc-2';
const ENDPOINT = 'ep-1';
const GATEWAY = 'vpce-1';
const ABANDON_AFTER_MS = 1_000;

let now: Date;
let stage: ReturnType<typeof openStage>;
let requests = 0;

const context = (): CommandContext => ({
  ...{ actor: 'user:carl', accountId: '2000000000000002', requestId: `r${++requests}`, fingerprint: '' },
  ...{ correlationId: 'c', causationId: 'c', deadline: Number.POSITIVE_INFINITY },
});

const openStage = () => {
  const clock = { now: () => now, sleep: async () => undefined };
  const store = createMemoryStore(clock);
  const options = { store, clock, producer: 'consumer' };
  const vpcs = createRepository(options, vpc, vpcCodec);
  const endpoints = createRepository(options, endpoint, endpointCodec);
  const gateways = createRepository(options, gatewayEndpoint, gatewayEndpointCodec);
  const released: string[] = [];
  const provider = {
    admitEndpoint: () => Promise.reject(new Error('nobody is admitted here')),
    releaseAdmission: async (serviceId: string, endpointId: string) => void released.push(`${endpointId} ${serviceId}`),
  };
  const repositories = { vpcs, endpoints, gateways };
  const cleanup = reservationCleanup({ ...repositories, provider, clock, abandonAfterMs: ABANDON_AFTER_MS });
  const inVpc = (id: string, command: VpcCommand) => vpcs.execute(id, command, context());
  return {
    released,
    give: (command: EndpointCommand) => endpoints.execute(ENDPOINT, command, context()),
    register: async (vpcId: string): Promise<void> => {
      const owned = { vpcId, accountId: '2000000000000002', regionId: 'cn-hangzhou', tags: [] };
      const data = { ...owned, ipv4Cidr: '10.0.0.0/16', ipv6Cidr: 'fd00::/56' };
      await inVpc(vpcId, { type: 'RegisterVpc', data });
      const inZone = { vswitchId: 'vsw-1', zoneId: 'h', zoneRegion: 'cn-hangzhou', tags: [] };
      const vswitch = { ...inZone, ipv4Cidr: '10.0.1.0/24', ipv6Cidr: 'fd00::/64' };
      await inVpc(vpcId, { type: 'RegisterVSwitch', data: vswitch });
      await inVpc(vpcId, { type: 'RegisterSecurityGroup', data: { securityGroupId: 'sg-1', rules: [], tags: [] } });
    },
    reserve: async (vpcId: string): Promise<void> => {
      const zones = [{ zoneId: 'h', vswitchId: 'vsw-1', eniId: 'eni-1', requestedIpv4: '', requestedIpv6: '' }];
      const particulars = { endpointType: 'INTERFACE', serviceId: 'epsrv-1', securityGroupIds: ['sg-1'] } as const;
      const data = { endpointId: ENDPOINT, ...particulars, zones, customDomains: null, dualStack: false, targets: [] };
      await inVpc(vpcId, { type: 'ReserveEndpoint', data });
    },
    release: (vpcId: string) => inVpc(vpcId, { type: 'ReleaseReservation', data: { endpointId: ENDPOINT } }),
    /** Adds a zone, or a security group, to what is reserved. */
    reserveZone: async (eniId: string): Promise<void> => {
      const zone = { zoneId: 'h', vswitchId: 'vsw-1', eniId, requestedIpv4: '', requestedIpv6: '' };
      await inVpc(VPC, { type: 'ReserveZone', data: { endpointId: ENDPOINT, zone, dualStack: false } });
    },
    reserveGroup: async (attachmentId: string): Promise<void> => {
      const data = { endpointId: ENDPOINT, securityGroupId: 'sg-1', attachmentId };
      await inVpc(VPC, { type: 'ReserveSecurityGroup', data });
    },
    close: async (closingId: string): Promise<void> => {
      const data = { endpointId: ENDPOINT, closingId, force: false };
      await inVpc(VPC, { type: 'CloseNextHop', data });
    },
    reserveGateway: async (): Promise<void> => {
      await inVpc(VPC, { type: 'RegisterRouteTable', data: { routeTableId: 'vtb-1', tags: [] } });
      const data = { gatewayEndpointId: GATEWAY, routeTableIds: ['vtb-1'] };
      await inVpc(VPC, { type: 'ReserveGatewayEndpoint', data });
    },
    createGateway: (vpcId: string) => {
      const particulars = { ...gatewayEndpoint.initial, gatewayEndpointId: GATEWAY, vpcId, actor: 'user:carl' };
      return gateways.execute(GATEWAY, { type: 'CreateGatewayEndpoint', data: particulars }, context());
    },
    cleanUpGateway: () => cleanup.work(`${VPC}/${GATEWAY}`, null),
    routed: async () => routesTo((await vpcs.fold(VPC)).state, GATEWAY).map(({ routeTableId }) => routeTableId),
    reserveDomains: async (reservationId: string): Promise<void> => {
      const data = { endpointId: ENDPOINT, reservationId, domainNames: ['db.example.com'] };
      await inVpc(VPC, { type: 'ReserveCustomDomains', data });
    },
    reserveIpv6: (reservationId: string) =>
      inVpc(VPC, { type: 'ReserveIpv6', data: { endpointId: ENDPOINT, reservationId } }),
    /** What the reactor makes of each event of the VPC. */
    keys: async (): Promise<readonly (string | null)[]> => {
      const keys: (string | null)[] = [];
      const all = { from: 'start', direction: 'forwards', maxCount: 100 } as const;
      for await (const event of store.read(`vpc-${VPC}`, all)) keys.push(cleanup.key(event));
      return keys.filter((key) => key !== null);
    },
    parts: async () => Object.keys((await vpcs.fold(VPC)).state.reservations[ENDPOINT]?.additions ?? {}),
    cleanUp: (vpcId: string, ...part: string[]) => cleanup.work([vpcId, ENDPOINT, ...part].join('/'), null),
    holders: async (vpcId: string) => Object.keys((await vpcs.fold(vpcId)).state.reservations),
  };
};

const created = (vpcId: string): EndpointCommand => ({
  type: 'CreateEndpoint',
  data: {
    ...{ endpointId: ENDPOINT, accountId: '2000000000000002', endpointType: 'INTERFACE', vpcId, zones: [] },
    regionId: 'cn-hangzhou',
    ...{ securityGroupIds: ['sg-1'], addressType: 'IPV4', description: '', actor: 'user:carl' },
    ...{ protected: false, tags: [], policy: '', customDomains: null, zoneAffinity: false, targets: [] },
    admission: { ...endpoint.initial.admission, serviceId: 'epsrv-1' },
  },
});

const later = (): void => {
  now = new Date(now.getTime() + ABANDON_AFTER_MS);
};

beforeEach(async () => {
  now = new Date('2026-01-02T03:04:05.000Z');
  stage = openStage();
  await stage.register(VPC);
  await stage.reserve(VPC);
});

describe('a reservation', () => {
  it('is left alone for a while', async () => {
    expect(await stage.cleanUp(VPC)).toEqual({ againMs: ABANDON_AFTER_MS });
    expect(await stage.holders(VPC)).toEqual([ENDPOINT]);
  });

  it('is released with the slot when its endpoint was not created, which then never is', async () => {
    later();
    expect(await stage.cleanUp(VPC)).toBe('settled');
    expect(await stage.holders(VPC)).toEqual([]);
    expect(stage.released).toEqual([`${ENDPOINT} epsrv-1`]);
    await expect(stage.give(created(VPC))).rejects.toMatchObject({ reason: 'ENDPOINT_CREATION_ABANDONED' });
  });

  it('stays with its endpoint, also while that is being deleted', async () => {
    await stage.give(created(VPC));
    later();
    await stage.cleanUp(VPC);
    await stage.give({ type: 'DeleteEndpoint', data: { actor: 'user:carl', closingId: '' } });
    expect(await stage.cleanUp(VPC)).toBe('settled');
    expect(await stage.holders(VPC)).toEqual([ENDPOINT]);
    expect(stage.released).toEqual([]);
  });

  it('is released when a creation took it that came again after the endpoint was gone', async () => {
    await stage.give(created(VPC));
    await stage.give({ type: 'DeleteEndpoint', data: { actor: 'user:carl', closingId: '' } });
    await stage.give({ type: 'CompleteDeletion', data: {} });
    await stage.release(VPC);
    await stage.reserve(VPC);
    later();
    expect(await stage.cleanUp(VPC)).toBe('settled');
    expect(await stage.holders(VPC)).toEqual([]);
    expect(stage.released).toEqual([`${ENDPOINT} epsrv-1`]);
  });

  it('is released alone when its endpoint was created in another VPC', async () => {
    await stage.register(OTHER_VPC);
    await stage.give(created(OTHER_VPC));
    later();
    expect(await stage.cleanUp(VPC)).toBe('settled');
    expect(await stage.holders(VPC)).toEqual([]);
    expect(stage.released).toEqual([]);
  });
});

describe('a part of a reservation that came later', () => {
  const add = (eniId: string): EndpointCommand => ({
    type: 'AddZone',
    data: {
      zone: { zoneId: 'h', vswitchId: 'vsw-1', eniId, ipv4: '10.0.1.5', ipv6: '' },
      ...{ requestedIpv4: '', requestedIpv6: '', resources: [], actor: 'user:carl' },
    },
  });

  const PARTS = ['eni-2', 'sga-2', 'cdr-2', 'ip6-2'];

  beforeEach(async () => {
    await stage.give(created(VPC));
    await stage.give({ type: 'ActivateEndpoint', data: {} });
    await stage.reserveZone('eni-2');
    await stage.reserveGroup('sga-2');
    await stage.reserveDomains('cdr-2');
    await stage.reserveIpv6('ip6-2');
  });

  it('is looked at by itself', async () => {
    await stage.close('nhc-2');
    const whole = `${VPC}/${ENDPOINT}`;
    expect(await stage.keys()).toEqual([whole, ...[...PARTS, 'nhc-2'].map((part) => `${whole}/${part}`)]);
  });

  it('is left alone for a while', async () => {
    for (const part of PARTS) expect(await stage.cleanUp(VPC, part)).toEqual({ againMs: ABANDON_AFTER_MS });
    expect(await stage.parts()).toEqual(PARTS);
  });

  it('is released when it was not added, which then never is', async () => {
    later();
    for (const part of PARTS) expect(await stage.cleanUp(VPC, part)).toBe('settled');
    expect(await stage.parts()).toEqual([]);
    expect(await stage.holders(VPC)).toEqual([ENDPOINT]);
    await expect(stage.give(add('eni-2'))).rejects.toMatchObject({ reason: 'ENDPOINT_CHANGE_ABANDONED' });
    expect(stage.released).toEqual([]);
  });

  it('stays when it was added', async () => {
    await stage.give(add('eni-2'));
    later();
    expect(await stage.cleanUp(VPC, 'eni-2')).toBe('settled');
    expect(await stage.parts()).toEqual(PARTS);
  });

  it('goes with the whole while its endpoint is being deleted', async () => {
    await stage.give({ type: 'DeleteEndpoint', data: { actor: 'user:carl', closingId: '' } });
    later();
    expect(await stage.cleanUp(VPC, 'eni-2')).toBe('settled');
    expect(await stage.parts()).toEqual(PARTS);
    await stage.release(VPC);
    expect(await stage.cleanUp(VPC, 'eni-2')).toBe('settled');
  });
});

describe('the routes of a gateway endpoint', () => {
  beforeEach(() => stage.reserveGateway());

  it('are looked at by themselves, and left alone for a while', async () => {
    expect(await stage.keys()).toEqual([`${VPC}/${ENDPOINT}`, `${VPC}/${GATEWAY}`]);
    expect(await stage.cleanUpGateway()).toEqual({ againMs: ABANDON_AFTER_MS });
    expect(await stage.routed()).toEqual(['vtb-1']);
  });

  it('are taken away when it was not created, which then never is', async () => {
    later();
    expect(await stage.cleanUpGateway()).toBe('settled');
    expect(await stage.routed()).toEqual([]);
    expect(await stage.holders(VPC)).toEqual([ENDPOINT]);
    await expect(stage.createGateway(VPC)).rejects.toMatchObject({ reason: 'ENDPOINT_CREATION_ABANDONED' });
    expect(await stage.cleanUpGateway()).toBe('settled');
  });

  it('stay when it was created', async () => {
    await stage.createGateway(VPC);
    later();
    expect(await stage.cleanUpGateway()).toBe('settled');
    expect(await stage.routed()).toEqual(['vtb-1']);
  });

  it('are taken away when it was created in another VPC', async () => {
    await stage.createGateway(OTHER_VPC);
    later();
    expect(await stage.cleanUpGateway()).toBe('settled');
    expect(await stage.routed()).toEqual([]);
  });
});

describe('what keeps routes away from an endpoint', () => {
  const remove: EndpointCommand = { type: 'DeleteEndpoint', data: { actor: 'user:carl', closingId: 'nhc-2' } };

  beforeEach(async () => {
    await stage.give(created(VPC));
    await stage.give({ type: 'ActivateEndpoint', data: {} });
    await stage.close('nhc-2');
  });

  it('goes when the endpoint was not deleted, which then is not by this request', async () => {
    expect(await stage.cleanUp(VPC, 'nhc-2')).toEqual({ againMs: ABANDON_AFTER_MS });
    later();
    expect(await stage.cleanUp(VPC, 'nhc-2')).toBe('settled');
    expect(await stage.parts()).toEqual([]);
    await expect(stage.give(remove)).rejects.toMatchObject({ reason: 'ENDPOINT_CHANGE_ABANDONED' });
    const another = { type: 'DeleteEndpoint', data: { actor: 'user:carl', closingId: 'nhc-3' } } as const;
    await stage.give(another);
  });

  it('stays when the endpoint was deleted', async () => {
    await stage.give(remove);
    later();
    expect(await stage.cleanUp(VPC, 'nhc-2')).toBe('settled');
    expect(await stage.parts()).toEqual(['nhc-2']);
  });
});
