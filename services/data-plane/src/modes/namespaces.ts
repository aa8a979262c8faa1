import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import type { Logger } from 'pino';
import type { Interface } from '../desired/interface.ts';
import { formatEndpoint } from '../haproxy/forward.ts';
import { identifyNamespaces } from '../haproxy/namespaces.ts';
import { createEgresses } from './egresses.ts';
import { changeAddresses, complaintOf, type Device, deviceFor, readDevices } from './ip.ts';
import { addressKey, type KeptAddress, keptAddresses } from './kept-addresses.ts';
import type { Mode, Placement } from './mode.ts';

export type NamespacesOptions = Readonly<{ directory: string; log: Logger }>;

type Place = Readonly<{ namespace: string; address: string }>;

const PARALLEL = 4;

/**
 * A VPC is the network namespace of its name, which whoever runs the machine has made; an interface is its addresses
 * in it. They are on while the endpoint exists, also while it is closed: then who connects is refused at once.
 */
export const namespacesMode = ({ directory, log }: NamespacesOptions): Mode => {
  const kept = keptAddresses(directory);
  const egresses = createEgresses();
  /** What is on, as far as we have seen. */
  const on = new Set<string>();
  let identities: ReadonlyMap<string, string> = new Map();
  let placed: readonly Interface[] = [];

  /** Which namespaces there are. Nothing is on any more in one that is gone, nor in another of its name. */
  const look = async (interfaces: readonly Interface[]): Promise<void> => {
    const found = await identifyNamespaces(interfaces.flatMap(namespacesOf));
    for (const [name, identity] of identities) {
      if (found.get(name) === identity) continue;
      for (const key of on) if (key.startsWith(`${name} `)) on.delete(key);
    }
    identities = found;
  };

  const absentNamespace = (wanted: Interface): string | undefined =>
    namespacesOf(wanted).find((name) => !identities.has(name));

  /** Puts on what is not on. @returns why what is still not on is not */
  const putOn = async (places: readonly Place[], hurry: AbortSignal): Promise<ReadonlyMap<string, string>> => {
    const complaints = new Map<string, string>();
    const additions: KeptAddress[] = [];
    const missing = Map.groupBy(places, ({ namespace }) => namespace);
    await forEachLimit([...missing], PARALLEL, async ([namespace, wanted]) => {
      if (hurry.aborted) return;
      try {
        const devices = await readDevices(namespace);
        for (const place of wanted) {
          if (isOn(devices, place.address)) on.add(addressKey(place));
          else {
            const device = deviceFor(devices, place.address);
            if (device) additions.push({ ...place, device });
            else complaints.set(addressKey(place), `device lo of network namespace ${namespace}, which is down`);
          }
        }
      } catch (error) {
        for (const place of wanted) complaints.set(addressKey(place), complaintOf(error as Error));
      }
    });
    if (additions.length === 0) return complaints;
    await kept.add(additions);
    await forEachLimit(
      [...Map.groupBy(additions, ({ namespace }) => namespace)],
      PARALLEL,
      async ([namespace, mine]) => {
        const complaint = await changeAddresses('add', namespace, mine);
        const devices = complaint === '' ? null : await readDevices(namespace).catch((): readonly Device[] => []);
        for (const place of mine) {
          if (!devices || isOn(devices, place.address)) on.add(addressKey(place));
          else complaints.set(addressKey(place), complaint);
        }
      },
    );
    return complaints;
  };

  return {
    name: 'namespaces',
    place: async (interfaces, hurry) => {
      placed = interfaces;
      egresses.recall(interfaces);
      await look(interfaces);
      const missing = distinct(interfaces.flatMap(placesOf)).filter(
        (place) => identities.has(place.namespace) && !on.has(addressKey(place)),
      );
      const complaints = await putOn(missing, hurry);
      const placementOf = (wanted: Interface): Placement => {
        const namespace = absentNamespace(wanted);
        if (namespace) return { waitsFor: `network namespace ${namespace}, which does not exist` };
        const absent = placesOf(wanted).find((place) => !on.has(addressKey(place)));
        if (absent) return { waitsFor: complaints.get(addressKey(absent)) ?? 'what is more urgent' };
        return wanted.egress ? egresses.place(wanted, wanted.egress) : toPlaced(wanted);
      };
      return new Map(interfaces.map((wanted) => [wanted.connectionId, placementOf(wanted)]));
    },
    refuse: egresses.refuse,
    check: async (hurry) => {
      const found = await identifyNamespaces(placed.flatMap(namespacesOf));
      if (placed.flatMap(namespacesOf).some((name) => found.get(name) !== identities.get(name))) return true;
      let isMissing = false;
      const all = placed.flatMap((one) => placesOf(one).map((on) => ({ ...on, connectionId: one.connectionId })));
      const namespaces = Map.groupBy(distinct(all), ({ namespace }) => namespace);
      await forEachLimit([...namespaces], PARALLEL, async ([namespace, places]) => {
        if (hurry.aborted || !found.has(namespace)) return;
        const devices = await readDevices(namespace).catch(() => null);
        if (!devices) return;
        for (const place of places) {
          if (isOn(devices, place.address) || !on.delete(addressKey(place))) continue;
          isMissing = true;
          log.warn(place, 'an address was taken off by somebody; it is put on again');
        }
      });
      return isMissing;
    },
    retain: async (interfaces) => {
      egresses.retain(interfaces);
      const wanted = new Set(interfaces.flatMap(placesOf).map(addressKey));
      const stale = (await kept.all()).filter((place) => !wanted.has(addressKey(place)));
      if (stale.length === 0) return;
      const gone: KeptAddress[] = [];
      await forEachLimit([...Map.groupBy(stale, ({ namespace }) => namespace)], PARALLEL, async ([namespace, mine]) => {
        const exists = (await identifyNamespaces([namespace])).size > 0;
        const complaint = exists ? await changeAddresses('delete', namespace, mine) : '';
        const left = complaint === '' ? [] : await readDevices(namespace).catch(() => null);
        for (const place of mine) {
          on.delete(addressKey(place));
          if (left && !isOn(left, place.address)) gone.push(place);
          else log.warn({ ...place, complaint }, 'an address cannot be taken off');
        }
      });
      await kept.remove(gone);
    },
  };
};

const namespacesOf = ({ vpcId, resource }: Interface): readonly string[] =>
  resource?.vpcId ? [vpcId, resource.vpcId] : [vpcId];

/** An egress source's address is on where it has a VPC; in the agent's own network whoever runs the machine has it. */
const placesOf = ({ vpcId, addresses, egress }: Interface): readonly Place[] => [
  ...addresses.map((address) => ({ namespace: vpcId, address })),
  ...(egress?.vpcId ? [{ namespace: egress.vpcId, address: egress.host }] : []),
];

/** Many interfaces share an egress source. */
const distinct = <P extends Place>(places: readonly P[]): readonly P[] => [
  ...new Map(places.map((place) => [addressKey(place), place])).values(),
];

const isOn = (devices: readonly Device[], address: string): boolean =>
  devices.some(({ addresses }) => addresses.some((on) => on.address === address));

const toPlaced = ({ vpcId, addresses, ways, resource, ingress }: Interface): Placement => ({
  binds: new Map(ways.map(({ port }) => [port, addresses.map((host) => ({ host, port, namespace: vpcId }))])),
  listeners: ways.flatMap(({ port }) => addresses.map((host) => ({ port, address: formatEndpoint(host, port) }))),
  targetNamespace: resource?.vpcId || null,
  source: null,
  ingress,
});
