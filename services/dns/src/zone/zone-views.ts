import { createZoneTable, type Lookup, type NameRecords, type ZoneTable } from './zone-table.ts';

/** A name's records, and whether it is one of its VPC alone. */
export type ViewedName = NameRecords & Readonly<{ isPrivate: boolean }>;

/**
 * What is answered to whom: the names of everybody, and over them the names that each VPC has for itself. A name of a
 * VPC is an authority of its own there, whatever the rest of the world has at it; a wildcard one is so for the domain
 * below which it stands.
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

type Vpc = { readonly endpoints: Map<string, readonly NameRecords[]>; table: ZoneTable | undefined };

/** @param apex the zone in which everybody's names are */
export const createZoneViews = (apex: string): ZoneViews => {
  const everybody = createZoneTable([{ apex }]);
  const nameServer = `ns1.${apex}`;
  const vpcs = new Map<string, Vpc>();
  const vpcOf = new Map<string, Vpc>();
  let serial = 1;

  /** A VPC has few names of its own: its table is made anew with each change. */
  const tableOf = (endpoints: Vpc['endpoints']): ZoneTable | undefined => {
    const apexes = new Set([...endpoints.values()].flat().map(({ name }) => name.toLowerCase().replace(/^\*\./, '')));
    if (apexes.size === 0) return undefined;
    const table = createZoneTable(
      [...apexes].map((own) => ({ apex: own, nameServer })),
      serial,
    );
    for (const [endpointId, names] of endpoints) table.put(endpointId, names);
    return table;
  };

  const replace = (endpointId: string, vpc: Vpc, names: readonly NameRecords[]): void => {
    if (names.length === 0 && !vpc.endpoints.has(endpointId)) return;
    const endpoints = new Map(vpc.endpoints);
    if (names.length > 0) endpoints.set(endpointId, names);
    else endpoints.delete(endpointId);
    vpc.table = tableOf(endpoints);
    if (names.length > 0) vpc.endpoints.set(endpointId, names);
    else vpc.endpoints.delete(endpointId);
  };

  return {
    everybody,
    put: (endpointId, vpcId, names) => {
      const vpc = vpcs.get(vpcId) ?? { endpoints: new Map(), table: undefined };
      replace(
        endpointId,
        vpc,
        names.filter(({ isPrivate }) => isPrivate),
      );
      vpcs.set(vpcId, vpc);
      vpcOf.set(endpointId, vpc);
      everybody.put(
        endpointId,
        names.filter(({ isPrivate }) => !isPrivate),
      );
    },
    remove: (endpointId) => {
      const vpc = vpcOf.get(endpointId);
      if (vpc) replace(endpointId, vpc, []);
      vpcOf.delete(endpointId);
      everybody.remove(endpointId);
    },
    setSerial: (next) => {
      serial = next;
      everybody.setSerial(next);
    },
    inside: (vpcId, zoneId) => ({
      lookup: (name) => vpcs.get(vpcId)?.table?.lookup(name, zoneId) ?? everybody.lookup(name, zoneId),
    }),
  };
};
