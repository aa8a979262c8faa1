import { isIP } from 'node:net';
import { type Ingress, isIngressRule } from '../desired/ingress.ts';

/** An address that HAProxy listens on. */
export type Bind = Readonly<{
  /** IPv4 or IPv6. */
  host: string;
  port: number;
  /** Network namespace of the address; null: HAProxy's own. */
  namespace: string | null;
}>;

export type Target = Readonly<{ ip: string; port: number }>;

/** What one port of a connection's network interface is forwarded to. */
export type Forward = Readonly<{
  connectionId: string;
  port: number;
  binds: readonly Bind[];
  targets: readonly Target[];
  /** Network namespace that the targets are dialled in; null: HAProxy's own. */
  targetNamespace: string | null;
  /** Address that they are dialled from; null: whichever the network gives. */
  source: string | null;
  /** Tell targets the client's address and the connection's id in a PROXY v2 header. */
  proxyProtocol: boolean;
  /** Which clients are let in; null: all. */
  ingress: Ingress | null;
}>;

/** A forward that HAProxy does not do, or not on all its addresses, until whatever `reason` says is mended. */
export type Refusal = Readonly<{ connectionId: string; port: number; reason: string }>;

/** The name of a forward in HAProxy's configuration. */
export const nameOf = ({ connectionId, port }: Pick<Forward, 'connectionId' | 'port'>): string =>
  `${connectionId}:${port}`;

/** An address and port as HAProxy writes and reads it. */
export const formatEndpoint = (ip: string, port: number): string =>
  isIP(ip) === 6 ? `[${new URL(`http://[${ip}]`).hostname.slice(1, -1)}]:${port}` : `${ip}:${port}`;

/** The name by which HAProxy looks at a target. */
export const checkName = ({ ip, port }: Target, namespace: string | null): string =>
  `${namespace ?? ''}:${formatEndpoint(ip, port).replace(/[[\]]/g, '')}`;

/** Equal for binds that cannot both be. */
export const bindKey = ({ host, port, namespace }: Bind): string => `${namespace ?? ''}/${formatEndpoint(host, port)}`;

/** The network namespaces that must exist for a forward. */
export const namespacesOf = ({ binds, targetNamespace }: Forward): readonly string[] => [
  ...new Set([...binds.map((bind) => bind.namespace), targetNamespace].filter((name) => name !== null)),
];

const CONNECTION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
/** Without a zone (`%eth0`), which `isIP` lets through. */
const isAddress = (ip: string): boolean => isIP(ip) !== 0 && !ip.includes('%');
const isNamespace = (name: string | null): boolean => name === null || NAMESPACE.test(name);

/** Why a forward must not get into a configuration: one of its fields is not a single word of the expected form. */
export const malformation = (forward: Forward): string | null => {
  if (!CONNECTION_ID.test(forward.connectionId)) return 'the connection id is malformed';
  if (!isPort(forward.port)) return 'the port is out of range';
  if (!isNamespace(forward.targetNamespace)) return 'the namespace of the targets is malformed';
  if (forward.source !== null && !isAddress(forward.source)) return 'the address to dial from is malformed';
  for (const { host, port, namespace } of forward.binds) {
    if (!isAddress(host)) return 'an address to listen on is malformed';
    if (!isPort(port)) return 'a port to listen on is out of range';
    if (!isNamespace(namespace)) return 'the namespace of an address is malformed';
  }
  if (forward.ingress && !forward.ingress.every(isIngressRule)) return 'a rule about clients is malformed';
  for (const { ip, port } of forward.targets) {
    if (!isAddress(ip)) return 'the address of a target is malformed';
    if (!isPort(port)) return 'the port of a target is out of range';
  }
  return null;
};
