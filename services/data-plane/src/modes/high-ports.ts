import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Listener } from '@privatelink/proto/broker/v1/connection';

/** For each port of an interface the `host:port` that stands for it. */
export type Mapping = Map<number, string>;

/** Below what systems give to outgoing connections. */
const FIRST_HIGH_PORT = 10_240;
const HIGH_PORTS = 22_528;
const PORT_ATTEMPTS = 64;

/** Ports to try for one of an interface, by hash: mostly the same on every machine. */
export const highPorts = (eniId: string, port: number): readonly number[] =>
  Array.from(
    { length: PORT_ATTEMPTS },
    (_, attempt) => FIRST_HIGH_PORT + (hash(`${eniId}/${port}/${attempt}`) % HIGH_PORTS),
  );

/** Of what was told, what is a place that `isOurs` accepts. */
export const readListeners = (listeners: readonly Listener[], isOurs: (host: string) => boolean): Mapping =>
  new Map(
    listeners
      .filter(({ address }) => isIPv4(hostOf(address)) && isOurs(hostOf(address)) && isPort(portOf(address)))
      .map(({ port, address }) => [port, address]),
  );

export const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));
export const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;

export const hash = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();
