import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Listener } from '@privatelink/proto/broker/v1/connection';
import type { Interface } from '../desired/interface.ts';
import { formatEndpoint } from '../haproxy/forward.ts';
import type { Mode, Placement } from './mode.ts';
import type { Probe } from './probe.ts';

export type LoopbackRange = Readonly<{ first: number; size: number }>;

/** For each port of an interface the `host:port` that stands for it. */
type Mapping = Map<number, string>;

const ANY_LOOPBACK = '127.0.0.1';
const HOST_ATTEMPTS = 16;
const PORT_ATTEMPTS = 64;
/** Below what systems give to outgoing connections. */
const FIRST_HIGH_PORT = 10_240;
const HIGH_PORTS = 22_528;

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
    const told = readListeners(listeners);
    const mapping: Mapping = new Map();
    for (const [port, address] of told.size > 0 ? told : (earlier.get(connectionId) ?? [])) {
      if (!used.has(address)) remember(mapping, port, address);
    }
    mappings.set(connectionId, mapping);
  };

  const isFree = async (host: string, port: number): Promise<boolean> =>
    !used.has(formatEndpoint(host, port)) && (await probe(host, port)) === 'free';

  const takeHighPort = async (mapping: Mapping, host: string, eniId: string, port: number): Promise<void> => {
    for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
      const high = FIRST_HIGH_PORT + (hash(`${eniId}/${port}/${attempt}`) % HIGH_PORTS);
      if (!(await isFree(host, high))) continue;
      remember(mapping, port, formatEndpoint(host, high));
      return;
    }
  };

  /** A host on which every port is free, or at least is forbidden and not taken. */
  const chooseHost = async ({ eniId, ports }: Interface): Promise<string> => {
    for (let attempt = 0; attempt < HOST_ATTEMPTS; attempt++) {
      const host = formatIPv4(range.first + 1 + (hash(`${eniId}/${attempt}`) % (range.size - 2)));
      const verdicts = await Promise.all(
        ports.map((port) => (used.has(formatEndpoint(host, port)) ? 'taken' : probe(host, port))),
      );
      if (verdicts.includes('absent')) return ANY_LOOPBACK;
      if (!verdicts.includes('taken')) return host;
    }
    return ANY_LOOPBACK;
  };

  const complete = async (wanted: Interface): Promise<void> => {
    const mapping = mappings.get(wanted.connectionId) ?? new Map();
    const missing = wanted.ports.filter((port) => !mapping.has(port));
    if (missing.length === 0) return;
    const [known] = mapping.values();
    const host = known === undefined ? await chooseHost(wanted) : hostOf(known);
    for (const port of missing) {
      // Those who are given the one address that everything shares should not take its well-known ports.
      if (host !== ANY_LOOPBACK && (await isFree(host, port))) remember(mapping, port, formatEndpoint(host, port));
      else await takeHighPort(mapping, host, wanted.eniId, port);
    }
  };

  const placementOf = ({ connectionId, ports }: Interface): Placement => {
    const mapping = mappings.get(connectionId) ?? new Map<number, string>();
    const listeners = ports.flatMap((port): Listener[] => {
      const address = mapping.get(port);
      return address === undefined ? [] : [{ port, address }];
    });
    if (listeners.length < ports.length) return { waitsFor: 'a free address of the loopback network' };
    const binds = listeners.map(
      ({ port, address }) => [port, [{ host: hostOf(address), port: portOf(address), namespace: null }]] as const,
    );
    return { listeners, binds: new Map(binds), targetNamespace: null };
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

/** Of what was told, what is a place on the loopback network. */
const readListeners = (listeners: readonly Listener[]): Mapping =>
  new Map(
    listeners
      .filter(({ address }) => isIPv4(hostOf(address)) && address.startsWith('127.') && isPort(portOf(address)))
      .map(({ port, address }) => [port, address]),
  );

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));
const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;

const hash = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();

const formatIPv4 = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
