import { type DnsServiceService, NameState } from '@privatelink/proto/dns/v1/dns_service';
import { endpointDomainName, zoneDomainName } from '@privatelink/shared/app/domain-names';
import type { CallContext, RemoteService } from '@privatelink/shared/grpc/client';
import type { Connection, Names, Zone } from '../connection/connection.ts';
import { isServing, namedZones } from '../connection/forwarding.ts';

/** What the broker asks of the DNS service: whole desired states, so that a call may be repeated or come late. */
export type DnsPort = Readonly<{
  putNames: (connection: Connection, state: Names, context: CallContext) => Promise<void>;
}>;

export const dnsPort = (dns: RemoteService<typeof DnsServiceService>, dnsSuffix: string): DnsPort => ({
  putNames: async (connection, state, context) => {
    // A zone that is off keeps its name, which answers nothing; one that is to go loses it.
    const zones = Object.values(connection.zones).filter(({ removing }) => !removing);
    const names = [
      toDomainName(endpointDomainName(connection, dnsSuffix), namedZones(zones)),
      ...zones.map((zone) =>
        toDomainName(zoneDomainName(connection, zone.zoneId, dnsSuffix), [zone].filter(isServing)),
      ),
      ...connection.customDomains.map((name) => toDomainName(name, namedZones(zones), true)),
    ];
    const { endpointId, vpcId, endpointAccountId: accountId, zoneAffinity } = connection;
    const places = zones.map(({ zoneId, ipv4, ipv6 }) => ({ zoneId, ipv4Address: ipv4, ipv6Address: ipv6 }));
    const order = { generation: BigInt(connection.generation), healthRevision: BigInt(connection.healthRevision) };
    await dns.putNames(
      { ...order, endpointId, vpcId, accountId, state: NameState[state], names, zones: places, zoneAffinity },
      context,
    );
  },
});

const toDomainName = (domainName: string, zones: readonly Zone[], isPrivate = false) => ({
  domainName,
  private: isPrivate,
  ipv4Addresses: zones.map((zone) => zone.ipv4),
  ipv6Addresses: zones.flatMap((zone) => (zone.ipv6 ? [zone.ipv6] : [])),
});
