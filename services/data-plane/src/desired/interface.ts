import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type Forwarding, ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import type { Listener } from '@privatelink/proto/broker/v1/connection';
import type { ServiceResource } from '@privatelink/proto/provider/v1/endpoint_service';
import { isId } from '@privatelink/shared/grpc/validate';

/** A network interface as it is to be on this machine. All of it has been checked: it goes into commands and files. */
export type Interface = Readonly<{
  connectionId: string;
  eniId: string;
  vpcId: string;
  /** IPv4, then IPv6 if it has one. */
  addresses: readonly string[];
  /** On which it accepts connections: none while it is closed. */
  ports: readonly number[];
  /** Where connections go; null while it is closed. */
  resource: ServiceResource | null;
  /** Where it accepted connections when it was last ready. */
  listeners: readonly Listener[];
}>;

/** The interface, or what is wrong with what was told of it. */
export const readInterface = (forwarding: Forwarding): Interface | string => {
  const { connectionId, eniId, vpcId, ipv4Address, ipv6Address, listeners } = forwarding;
  if (!isId(connectionId, 'ep')) return 'its connection id is none';
  if (!isId(vpcId, 'vpc')) return 'its VPC id is none';
  if (!isIPv4(ipv4Address)) return 'its IPv4 address is none';
  if (ipv6Address !== '' && !isPlainIPv6(ipv6Address)) return 'its IPv6 address is none';
  const addresses = ipv6Address === '' ? [ipv4Address] : [ipv4Address, canonicalIPv6(ipv6Address)];
  const closed = { connectionId, eniId, vpcId, addresses, listeners, ports: [], resource: null };
  if (forwarding.state !== ForwardingState.READY) return closed;
  const { resource } = forwarding;
  if (!resource || resource.targets.length === 0) return 'no resource serves it';
  if (resource.vpcId !== '' && !isId(resource.vpcId, 'vpc')) return "its resource's VPC id is none";
  if (!resource.targets.every(isTarget)) return 'a target of its resource is none';
  const ports = [...new Set(resource.targets.map(({ port }) => port))].sort((a, b) => a - b);
  return { ...closed, ports, resource };
};

const isTarget = ({ ip, port }: ServiceResource['targets'][number]): boolean =>
  isIP(ip) !== 0 && !ip.includes('%') && Number.isInteger(port) && port >= 1 && port <= 65_535;

/** A scope (`%eth0`) names a device of some machine: no part of an address. */
const isPlainIPv6 = (text: string): boolean => isIPv6(text) && !text.includes('%');

/** As the kernel writes it, so that it can be found in what the kernel says. */
const canonicalIPv6 = (text: string): string => new URL(`http://[${text}]`).hostname.slice(1, -1);
