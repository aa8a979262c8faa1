import { isIPv4 } from 'node:net';
import type { Listener } from '@privatelink/proto/broker/v1/connection';
import type { Interface } from '../desired/interface.ts';
import { formatEndpoint } from '../haproxy/forward.ts';
import { hash, highPorts, hostOf, type Mapping, portOf, readListeners } from './high-ports.ts';
import type { Mode, Placement } from './mode.ts';
import type { Probe } from './probe.ts';

export type LoopbackRange = Readonly<{ first: number; size: number }>;

const ANY_LOOPBACK = '127.0.0.1';
const HOST_ATTEMPTS = 16;

/**
 * Interfaces are mapped to addresses of the loopback network, for whoever is not root or has no namespaces. The mapping
 * is what the broker was told and tells again; only what it does not know yet is chosen, by hash, so that it is mostly
 * the same on every machine.
 *
 * @returns what opens the mode anew: what the broker tells by then counts more than what was chosen before
 */
export const loopbackMode = ({ range, probe }: Readonly<{ range: LoopbackRange; probe: Probe }>): (() => Mode) => {
  let mappings = new Map<string, Mapping>();
  return () => {
    const earlier = mappings;
    mappings = new Map();
    return openLoopback({ range, probe, mappings, earlier });
  };
};

type Loopback = Readonly<{
  range: LoopbackRange;
  probe: Probe;
  mappings: Map<string, Mapping>;
  earlier: ReadonlyMap<string, Mapping>;
}>;

const openLoopback = ({ range, probe, mappings, earlier }: Loopback): Mode => {
  const used = new Set<string>();

  const remember = (mapping: Mapping, port: number, address: string): void => {
    mapping.set(port, address);
    used.add(address);
  };

  /** What is known of an interface from elsewhere is taken as it is: our own HAProxy may listen there already. */
  const recall = ({ connectionId, listeners }: Interface): void => {
    if (mappings.has(connectionId)) return;
    const told = readListeners(listeners, (host) => host.startsWith('127.'));
    const mapping: Mapping = new Map();
    for (const [port, address] of told.size > 0 ? told : (earlier.get(connectionId) ?? [])) {
      if (!used.has(address)) remember(mapping, port, address);
    }
    mappings.set(connectionId, mapping);
  };

  const isFree = async (host: string, port: number): Promise<boolean> =>
    !used.has(formatEndpoint(host, port)) && (await probe(host, port)) === 'free';

  const takeHighPort = async (mapping: Mapping, host: string, eniId: string, port: number): Promise<void> => {
    for (const high of highPorts(eniId, port)) {
      if (!(await isFree(host, high))) continue;
      remember(mapping, port, formatEndpoint(host, high));
      return;
    }
  };

  /** A host on which every port is free, or at least is forbidden and not taken. */
  const chooseHost = async ({ eniId, ways }: Interface): Promise<string> => {
    for (let attempt = 0; attempt < HOST_ATTEMPTS; attempt++) {
      const host = formatIPv4(range.first + 1 + (hash(`${eniId}/${attempt}`) % (range.size - 2)));
      const verdicts = await Promise.all(
        ways.map(({ port }) => (used.has(formatEndpoint(host, port)) ? 'taken' : probe(host, port))),
      );
      if (verdicts.includes('absent')) return ANY_LOOPBACK;
      if (!verdicts.includes('taken')) return host;
    }
    return ANY_LOOPBACK;
  };

  const complete = async (wanted: Interface): Promise<void> => {
    const mapping = mappings.get(wanted.connectionId) ?? new Map();
    const missing = wanted.ways.map(({ port }) => port).filter((port) => !mapping.has(port));
    if (missing.length === 0) return;
    const [known] = mapping.values();
    const host = known === undefined ? await chooseHost(wanted) : hostOf(known);
    for (const port of missing) {
      // Those who are given the one address that everything shares should not take its well-known ports; a target's
      // number is no port at all.
      if (host !== ANY_LOOPBACK && !wanted.egress && (await isFree(host, port)))
        remember(mapping, port, formatEndpoint(host, port));
      else await takeHighPort(mapping, host, wanted.eniId, port);
    }
  };

  const placementOf = ({ connectionId, ways }: Interface): Placement => {
    const mapping = mappings.get(connectionId) ?? new Map<number, string>();
    const listeners = ways.flatMap(({ port }): Listener[] => {
      const address = mapping.get(port);
      return address === undefined ? [] : [{ port, address }];
    });
    if (listeners.length < ways.length) return { waitsFor: 'a free address of the loopback network' };
    const binds = listeners.map(
      ({ port, address }) => [port, [{ host: hostOf(address), port: portOf(address), namespace: null }]] as const,
    );
    // Clients are on this machine, and not where a VPC's are.
    return { listeners, binds: new Map(binds), targetNamespace: null, source: null, ingress: null };
  };

  return {
    name: 'loopback',
    place: async (interfaces, hurry) => {
      for (const wanted of interfaces) recall(wanted);
      for (const wanted of interfaces) if (!hurry.aborted) await complete(wanted);
      return new Map(interfaces.map((wanted) => [wanted.connectionId, placementOf(wanted)]));
    },
    refuse: (connectionId, port) => {
      const mapping = mappings.get(connectionId);
      const address = mapping?.get(port);
      if (address === undefined) return;
      mapping?.delete(port);
      used.delete(address);
    },
    check: async () => false,
    retain: async (interfaces) => {
      const kept = new Set(interfaces.map(({ connectionId }) => connectionId));
      for (const [connectionId, mapping] of mappings) {
        if (kept.has(connectionId)) continue;
        for (const address of mapping.values()) used.delete(address);
        mappings.delete(connectionId);
      }
    },
  };
};

/** @returns null when it is not a part of 127.0.0.0/8 that has room for interfaces */
export const parseLoopbackRange = (text: string): LoopbackRange | null => {
  const [, address = '', prefix = ''] = /^(127\.\d+\.\d+\.\d+)\/(\d{1,2})$/.exec(text) ?? [];
  if (!isIPv4(address) || Number(prefix) < 8 || Number(prefix) > 29) return null;
  const size = 2 ** (32 - Number(prefix));
  const value = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return { first: value - (value % size), size };
};

const formatIPv4 = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
