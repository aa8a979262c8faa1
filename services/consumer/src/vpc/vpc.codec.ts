import { instant as at } from '@privatelink/shared/app/stored-schemas';
import { type Codec, defineCodec } from '@privatelink/shared/eventing/codec';
import { z } from 'zod';
import { vpc } from './vpc.decide.ts';
import type { VpcEvent } from './vpc.ts';

const text = z.string();
const port = z.number().int().nonnegative();
const rule = z.object({
  policy: z.enum(['ALLOW', 'DENY']),
  protocol: z.enum(['tcp', 'udp', 'all']),
  fromPort: port,
  toPort: port,
  sourceCidr: text,
  priority: z.number().int(),
});
const tags = z.array(z.object({ key: text, value: text }));
const ranges = { ipv4Cidr: text, ipv6Cidr: text };
const route = { routeTableId: text, destinationCidr: text };
const domainReservation = { reservationId: text, domainNames: z.array(text) };
const ipv6Reservation = { reservationId: text, addresses: z.array(z.object({ eniId: text, ipv6: text })) };
const zone = z.object({ zoneId: text, vswitchId: text, eniId: text, ipv4: text, ipv6: text });

export const vpcCodec: Codec<VpcEvent> = defineCodec<VpcEvent>({
  category: vpc.category,
  stateVersion: 1,
  events: {
    VpcRegistered: {
      version: 1,
      schema: z.object({ vpcId: text, accountId: text, regionId: text, ...ranges, tags, at }),
      personal: ['tags'],
    },
    VSwitchRegistered: {
      version: 1,
      schema: z.object({ vswitchId: text, zoneId: text, ...ranges, tags, at }),
      personal: ['tags'],
    },
    VSwitchDeregistered: { version: 1, schema: z.object({ vswitchId: text, at }) },
    SecurityGroupRegistered: {
      version: 1,
      schema: z.object({ securityGroupId: text, rules: z.array(rule), tags, at }),
      personal: ['tags'],
    },
    SecurityGroupDeregistered: { version: 1, schema: z.object({ securityGroupId: text, at }) },
    RouteTableRegistered: { version: 1, schema: z.object({ routeTableId: text, tags, at }), personal: ['tags'] },
    RouteTableDeregistered: { version: 1, schema: z.object({ routeTableId: text, at }) },
    RouteAdded: { version: 1, schema: z.object({ ...route, nextHop: text, at }) },
    RouteRemoved: { version: 1, schema: z.object({ ...route, at }) },
    VpcDeregistered: { version: 1, schema: z.object({ at }) },
    EndpointReserved: {
      version: 1,
      schema: z.object({
        endpointId: text,
        endpointType: z.enum(['INTERFACE', 'GATEWAY_LOAD_BALANCER', 'REVERSE']),
        serviceId: text,
        zones: z.array(zone),
        securityGroupIds: z.array(text),
        customDomains: z.object(domainReservation).nullable(),
        at,
      }),
    },
    ZoneReserved: { version: 1, schema: z.object({ endpointId: text, zone, at }) },
    ZoneReleased: { version: 1, schema: z.object({ endpointId: text, eniId: text, at }) },
    SecurityGroupReserved: {
      version: 1,
      schema: z.object({ endpointId: text, securityGroupId: text, attachmentId: text, at }),
    },
    SecurityGroupReleased: { version: 1, schema: z.object({ endpointId: text, attachmentId: text, at }) },
    NextHopClosed: { version: 1, schema: z.object({ endpointId: text, closingId: text, at }) },
    NextHopReopened: { version: 1, schema: z.object({ endpointId: text, closingId: text, at }) },
    CustomDomainsReserved: { version: 1, schema: z.object({ endpointId: text, ...domainReservation, at }) },
    CustomDomainsReleased: { version: 1, schema: z.object({ endpointId: text, reservationId: text, at }) },
    Ipv6Reserved: { version: 1, schema: z.object({ endpointId: text, ...ipv6Reservation, at }) },
    Ipv6Released: { version: 1, schema: z.object({ endpointId: text, reservationId: text, at }) },
    GatewayEndpointReserved: {
      version: 1,
      schema: z.object({ gatewayEndpointId: text, routeTableIds: z.array(text), at }),
    },
    GatewayEndpointReleased: { version: 1, schema: z.object({ gatewayEndpointId: text, at }) },
    ReservationReleased: { version: 1, schema: z.object({ endpointId: text, at }) },
  },
});
