import { checkAddress } from './rrset.ts';
import { parentName, rootName, type WireName, wireName } from './wire-name.ts';
import { createZoneTable, type Lookup, type NameRecords, type ZoneTable } from './zone-table.ts';

/** A name's records, and whether it is one of its VPC alone. */
export type ViewedName = NameRecords & Readonly<{ isPrivate: boolean }>;

/**
 * What is answered to whom: the names of everybody, and over them the names that each VPC has for itself. A name of a
 * VPC is an authority of its own there, whatever the rest of the world has at it; a wildcard one is so for the domain
 * below which it stands. The closest authority above a name speaks for it.
 */
export type ZoneViews = Readonly<{
  /** Replaces all names of an endpoint. Throws a RangeError, and changes nothing, where one cannot be answered. */
  put: (endpointId: string, vpcId: string, names: readonly ViewedName[]) => void;
  remove: (endpointId: string) => void;
  /** Says of every answer from now on how new it is. */
  setSerial: (serial: number) => void;
  everybody: ZoneTable;
  /** In a VPC, for its clients in a zone; in any zone when empty. */
  inside: (vpcId: string, zoneId: string) => Lookup;
}>;

type Authority = { readonly table: ZoneTable; readonly endpoints: Set<string> };
type Names = ReadonlyMap<WireName, readonly NameRecords[]>;

/** @param apex the zone in which everybody's names are */
export const createZoneViews = (apex: string): ZoneViews => {
  const everybody = createZoneTable([{ apex }]);
  const nameServer = `ns1.${apex}`;
  const vpcs = new Map<string, Map<WireName, Authority>>();
  /** Where each endpoint has names of its VPC. */
  const placed = new Map<string, Readonly<{ vpcId: string; apexes: readonly WireName[] }>>();
  let serial = 1;

  const withdraw = (endpointId: string, kept: Names): void => {
    const { vpcId = '', apexes = [] } = placed.get(endpointId) ?? {};
    const authorities = vpcs.get(vpcId);
    for (const own of apexes.filter((one) => !kept.has(one))) {
      const authority = authorities?.get(own);
      authority?.table.remove(endpointId);
      authority?.table.setSerial(serial);
      authority?.endpoints.delete(endpointId);
      if (authority?.endpoints.size === 0) authorities?.delete(own);
    }
    if (authorities?.size === 0) vpcs.delete(vpcId);
    placed.delete(endpointId);
  };

  const openAuthority = (records: readonly NameRecords[]): Authority => ({
    table: createZoneTable([{ apex: apexOf(records[0]?.name ?? ''), nameServer }]),
    endpoints: new Set(),
  });

  const place = (endpointId: string, vpcId: string, names: Names): void => {
    if (names.size === 0) return;
    const authorities = vpcs.get(vpcId) ?? new Map<WireName, Authority>();
    for (const [own, records] of names) {
      const authority = authorities.get(own) ?? openAuthority(records);
      authority.table.put(endpointId, records);
      authority.table.setSerial(serial);
      authority.endpoints.add(endpointId);
      authorities.set(own, authority);
    }
    vpcs.set(vpcId, authorities);
    placed.set(endpointId, { vpcId, apexes: [...names.keys()] });
  };

  const closest = (vpcId: string, name: WireName): ZoneTable | undefined => {
    const authorities = vpcs.get(vpcId);
    for (let at = name; authorities && at !== rootName; at = parentName(at)) {
      const authority = authorities.get(at);
      if (authority) return authority.table;
    }
    return undefined;
  };

  return {
    everybody,
    put: (endpointId, vpcId, names) => {
      const own = byApex(names.filter(({ isPrivate }) => isPrivate));
      everybody.put(
        endpointId,
        names.filter(({ isPrivate }) => !isPrivate),
      );
      withdraw(endpointId, own);
      place(endpointId, vpcId, own);
    },
    remove: (endpointId) => {
      withdraw(endpointId, new Map());
      everybody.remove(endpointId);
    },
    setSerial: (next) => {
      serial = next;
      everybody.setSerial(next);
    },
    inside: (vpcId, zoneId) => ({
      lookup: (name) => (closest(vpcId, name) ?? everybody).lookup(name, zoneId),
    }),
  };
};

const apexOf = (name: string): string => name.replace(/^\*\./, '');

/** Throws a RangeError where one cannot be answered. */
const byApex = (names: readonly ViewedName[]): Names => {
  for (const { name, records } of names) {
    wireName(name);
    records.forEach(checkAddress);
  }
  return Map.groupBy(names, ({ name }) => wireName(apexOf(name)));
};
