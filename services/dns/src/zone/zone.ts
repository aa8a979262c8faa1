import { type AddressRecord, nsRrset, type Rrset, setSoaSerial, soaRrset } from './rrset.ts';
import { type WireName, wireName } from './wire-name.ts';

/** One zone served with authority. */
export type ZoneSettings = {
  /** The name at its top, e.g. `privatelink.internal`. */
  apex: string;
  /** Seconds a record may be cached (default 60). */
  ttl?: number;
  /** Seconds an absence may be cached (default 5, so that an endpoint's name appears soon after it is connected). */
  negativeTtl?: number;
  /** Who answers for the zone, where that is a name elsewhere. */
  nameServer?: string;
  /** Addresses of `ns1.<apex>`, this server; without them that name exists and has none. */
  nameServerAddresses?: readonly AddressRecord[];
};

/** A zone and what it says about itself. */
export type Zone = {
  readonly apex: WireName;
  readonly ttl: number;
  readonly ns: Rrset;
  /** The SOA as an answer. */
  readonly soa: Rrset;
  /** The SOA as proof of absence, cached no longer than an absence may be (RFC 2308 section 3). */
  readonly denial: Rrset;
};

const defaultTtl = 60;
const defaultNegativeTtl = 5;
/** For secondaries: how often to look, to look again, and how long to serve without success (seconds). */
const secondaryTimers = { refresh: 60, retry: 30, expire: 86_400 };

export function createZone(settings: ZoneSettings): Zone {
  const { ttl = defaultTtl, negativeTtl = defaultNegativeTtl } = settings;
  const apex = settings.apex.toLowerCase().replace(/\.$/, '');
  const nameServer = settings.nameServer ?? `ns1.${apex}`;
  // Whoever runs the name server; behind a long apex there would be no room for it.
  const hostmaster = `hostmaster${nameServer.slice(nameServer.indexOf('.'))}`;
  wireName(hostmaster);
  const soa = { mname: nameServer, rname: hostmaster, serial: 0, ...secondaryTimers, minimum: negativeTtl };
  return {
    apex: wireName(apex),
    ttl,
    ns: nsRrset(nameServer, ttl),
    soa: soaRrset(soa, ttl),
    denial: soaRrset(soa, Math.min(ttl, negativeTtl)),
  };
}

/** Gives the zone's SOA a new serial; secondaries compare it modulo 2^32 (RFC 1982). */
export function setZoneSerial(zone: Zone, serial: number): void {
  for (const record of [...zone.soa.records, ...zone.denial.records]) setSoaSerial(record, serial >>> 0);
}
