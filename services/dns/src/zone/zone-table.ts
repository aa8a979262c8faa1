import { type AddressRecord, addressRrsets, checkAddress, type Rrset } from './rrset.ts';
import { parentName, rootName, type WireName, wildcardBelow, wireName } from './wire-name.ts';
import { createZone, setZoneSerial, type Zone, type ZoneSettings } from './zone.ts';

/** A name and its addresses; without any it exists and answers NODATA. */
export type NameRecords = { name: string; records: readonly AddressRecord[] };

/** What the table says of a name inside one of its zones: its RRsets, or `undefined` where there is no such name. */
export type Found = { readonly zone: Zone; readonly rrsets: readonly Rrset[] | undefined };

/** How a name is found. */
export type Lookup = Pick<ZoneTable, 'lookup'>;

/** The names this server answers with authority, each declared by one or more owners (name sets). */
export type ZoneTable = {
  /** Replaces all names of an owner. Throws a RangeError, and changes nothing, if one is invalid or outside all zones. */
  put(owner: string, names: readonly NameRecords[]): void;
  /** Withdraws all names of an owner; says whether it had any. */
  remove(owner: string): boolean;
  /** Sets the serial of every zone's SOA, modulo 2^32. */
  setSerial(serial: number): void;
  /** Finds a name, through wildcards (RFC 4592), for a client in a zone; `undefined` if no zone contains it. */
  lookup(name: WireName, zoneId?: string): Found | undefined;
  /** How many names exist, empty non-terminals included. */
  size(): number;
};

type Declaration = { owner: string; records: readonly AddressRecord[] };

type Node = {
  readonly name: WireName;
  readonly zone: Zone;
  readonly parent: Node | undefined;
  /** What the zone itself has here; only an apex has any, and so is never pruned. */
  readonly fixed: readonly Rrset[];
  /** Names directly below: while there are any this name exists, even with nothing of its own (RFC 8020). */
  children: number;
  declarations: readonly Declaration[];
  rrsets: readonly Rrset[];
  /** For clients in zones, as they ask. */
  byZone: Map<string, Found>;
};

/** Declares the name server's own addresses; `put` takes no empty owner. */
const ownDeclarations = '';

const none: readonly never[] = Object.freeze([]);

export function createZoneTable(zones: readonly ZoneSettings[], serial = 1): ZoneTable {
  const nodes = new Map<WireName, Node>();
  const absences = new Map<Zone, Found>();
  const owned = new Map<string, readonly Node[]>();

  function addNode(name: WireName, zone: Zone, parent: Node | undefined, fixed: readonly Rrset[]): Node {
    const node = { name, zone, parent, fixed, children: 0, declarations: none, rrsets: fixed, byZone: new Map() };
    nodes.set(name, node);
    if (parent) parent.children++;
    return node;
  }

  function nearest(name: WireName): Node | undefined {
    for (let at = name; at !== rootName; at = parentName(at)) {
      const node = nodes.get(at);
      if (node) return node;
    }
    return undefined;
  }

  /** The node of a name, made with those between it and its apex if it is new; `undefined` outside all zones. */
  function grow(name: WireName): Node | undefined {
    const existing = nodes.get(name);
    if (existing || name === rootName) return existing;
    const parent = grow(parentName(name));
    return parent && addNode(name, parent.zone, parent, none);
  }

  function prune(from: Node): void {
    let node: Node | undefined = from;
    while (node && node.children === 0 && node.declarations.length === 0 && node.fixed.length === 0) {
      nodes.delete(node.name);
      if (node.parent) node.parent.children--;
      node = node.parent;
    }
  }

  function declare(node: Node, owner: string, records: readonly AddressRecord[] | undefined): void {
    const others = node.declarations.filter((declaration) => declaration.owner !== owner);
    node.declarations = records ? [...others, { owner, records }] : others;
    const addresses = node.declarations.flatMap((declaration) => declaration.records);
    node.rrsets = [...node.fixed, ...addressRrsets(addresses, node.zone.ttl)];
    node.byZone.clear();
  }

  /** Of each owner and type the addresses in the client's zone, or all where it has none there. */
  function inZone(node: Node, zoneId: string): Found {
    const isThere = node.declarations.some(({ records }) => records.some((record) => record.zoneId === zoneId));
    // Any word may be asked for as a zone: only those that make a difference are kept.
    if (!isThere) return node;
    const known = node.byZone.get(zoneId);
    if (known) return known;
    const addresses = node.declarations.flatMap(({ records }) => {
      const near = records.filter((record) => record.zoneId === zoneId);
      return records.filter((record) => near.includes(record) || near.every(({ type }) => type !== record.type));
    });
    const found = { zone: node.zone, rrsets: [...node.fixed, ...addressRrsets(addresses, node.zone.ttl)] };
    node.byZone.set(zoneId, found);
    return found;
  }

  function replace(owner: string, names: ReadonlyMap<WireName, readonly AddressRecord[]>): void {
    const kept: Node[] = [];
    for (const [name, records] of names) {
      const node = grow(name);
      if (!node) continue;
      declare(node, owner, records);
      kept.push(node);
    }
    for (const node of owned.get(owner) ?? none) {
      if (names.has(node.name)) continue;
      declare(node, owner, undefined);
      prune(node);
    }
    if (kept.length > 0) owned.set(owner, kept);
    else owned.delete(owner);
  }

  function checked(names: readonly NameRecords[]): Map<WireName, readonly AddressRecord[]> {
    const records = new Map<WireName, readonly AddressRecord[]>();
    for (const entry of names) {
      const name = wireName(entry.name);
      if (!nearest(name)) throw new RangeError(`"${entry.name}" is in no zone of this server`);
      entry.records.forEach(checkAddress);
      records.set(name, [...(records.get(name) ?? none), ...entry.records]);
    }
    return records;
  }

  // Outer zones first, so that an apex inside another zone finds its parent.
  for (const settings of zones.toSorted((a, b) => a.apex.length - b.apex.length)) {
    const zone = createZone(settings);
    setZoneSerial(zone, serial);
    if (nodes.get(zone.apex)?.fixed.length) throw new RangeError(`zone "${settings.apex}" is given twice`);
    addNode(zone.apex, zone, grow(parentName(zone.apex)), [zone.soa, zone.ns]);
    absences.set(zone, { zone, rrsets: undefined });
  }
  const named = zones.filter(({ nameServer }) => nameServer === undefined);
  for (const { nameServerAddresses = none } of named) nameServerAddresses.forEach(checkAddress);
  replace(
    ownDeclarations,
    new Map(named.map((zone) => [wireName(`ns1.${zone.apex}`), zone.nameServerAddresses ?? none])),
  );

  return {
    put(owner, names) {
      if (owner === ownDeclarations) throw new RangeError('an owner of names needs an id');
      replace(owner, checked(names));
    },
    remove(owner) {
      const had = owned.has(owner);
      replace(owner, new Map());
      return had;
    },
    setSerial(next) {
      for (const zone of absences.keys()) setZoneSerial(zone, next);
    },
    lookup(name, zoneId) {
      const encloser = nearest(name);
      const node = !encloser || encloser.name === name ? encloser : nodes.get(wildcardBelow(encloser.name));
      if (!node) return encloser && absences.get(encloser.zone);
      return zoneId ? inZone(node, zoneId) : node;
    },
    size: () => nodes.size,
  };
}
