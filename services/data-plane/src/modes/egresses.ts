import type { Interface } from '../desired/interface.ts';
import { formatEndpoint } from '../haproxy/forward.ts';
import { highPorts, hostOf, type Mapping, portOf, readListeners } from './high-ports.ts';
import type { Mode, Placed, Placement } from './mode.ts';

type Egress = NonNullable<Interface['egress']>;

/**
 * Where providers are accepted that connect into consumers' VPCs: each target of each reverse interface has a port of
 * its own on the address of the egress source. Which one is what the broker was told and tells again; only what it does
 * not know yet is chosen.
 */
export type Egresses = Readonly<{
  /** What is known of any of them is nobody else's to be given. */
  recall: (interfaces: readonly Interface[]) => void;
  place: (wanted: Interface, egress: Egress) => Placement;
  refuse: Mode['refuse'];
  retain: (interfaces: readonly Interface[]) => void;
}>;

export const createEgresses = (): Egresses => {
  const mappings = new Map<string, Readonly<{ egress: Egress; mapping: Mapping }>>();
  /** Somebody else listens there, as HAProxy found out. */
  const refused = new Set<string>();

  const isTaken = (egress: Egress, address: string): boolean =>
    refused.has(keyOf(egress, address)) ||
    [...mappings.values()].some(
      (other) => other.egress.vpcId === egress.vpcId && [...other.mapping.values()].includes(address),
    );

  const mappingOf = ({ connectionId, listeners }: Interface, egress: Egress): Mapping => {
    const known = mappings.get(connectionId);
    if (known?.egress.host === egress.host && known.egress.vpcId === egress.vpcId) return known.mapping;
    mappings.delete(connectionId);
    const told = readListeners(listeners, (host) => host === egress.host);
    const mapping: Mapping = new Map([...told].filter(([, address]) => !isTaken(egress, address)));
    mappings.set(connectionId, { egress, mapping });
    return mapping;
  };

  return {
    recall: (interfaces) => {
      for (const wanted of interfaces) if (wanted.egress) mappingOf(wanted, wanted.egress);
    },
    place: (wanted, egress) => {
      const mapping = mappingOf(wanted, egress);
      for (const { port } of wanted.ways) {
        if (mapping.has(port)) continue;
        const places = highPorts(wanted.eniId, port).map((high) => formatEndpoint(egress.host, high));
        const free = places.find((address) => !isTaken(egress, address));
        if (free === undefined) return { waitsFor: `a free port of ${egress.host}` };
        mapping.set(port, free);
      }
      return toPlaced(wanted, egress, mapping);
    },
    refuse: (connectionId, port) => {
      const { egress, mapping } = mappings.get(connectionId) ?? {};
      const address = mapping?.get(port);
      if (!egress || address === undefined) return;
      refused.add(keyOf(egress, address));
      mapping?.delete(port);
    },
    retain: (interfaces) => {
      const kept = new Set(interfaces.map(({ connectionId }) => connectionId));
      for (const connectionId of mappings.keys()) if (!kept.has(connectionId)) mappings.delete(connectionId);
      if (mappings.size === 0) refused.clear();
    },
  };
};

const keyOf = ({ vpcId }: Egress, address: string): string => `${vpcId} ${address}`;

/** Connections go on into the consumer's VPC, from the interface's own address. */
const toPlaced = ({ vpcId, addresses, ways }: Interface, egress: Egress, mapping: Mapping): Placed => {
  const places = ways.map(({ port }) => ({ port, address: mapping.get(port) ?? '' }));
  const namespace = egress.vpcId || null;
  return {
    listeners: places,
    binds: new Map(
      places.map(({ port, address }) => [port, [{ host: hostOf(address), port: portOf(address), namespace }]]),
    ),
    targetNamespace: vpcId,
    source: addresses[0] ?? null,
    ingress: null,
  };
};
