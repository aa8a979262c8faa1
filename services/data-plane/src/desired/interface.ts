import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type Forwarding, ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import type { Listener } from '@privatelink/proto/broker/v1/connection';
import type { ServiceResource } from '@privatelink/proto/provider/v1/endpoint_service';
import { isId } from '@privatelink/shared/grpc/validate';
import { type Ingress, isIngressRule } from './ingress.ts';

/** What is accepted on a port of an interface goes to one of these; of a reverse one, the port is the target's number. */
export type Way = Readonly<{ port: number; targets: readonly Target[] }>;
type Target = Readonly<{ ip: string; port: number }>;

/** A network interface as it is to be on this machine. All of it has been checked: it goes into commands and files. */
export type Interface = Readonly<{
  connectionId: string;
  eniId: string;
  vpcId: string;
  /** IPv4, then IPv6 if it has one. */
  addresses: readonly string[];
  /** Where connections go, by the port on which it accepts them: nowhere while it is closed. */
  ways: readonly Way[];
  /** What serves it; null while it is closed. */
  resource: ServiceResource | null;
  /** Of a reverse interface: where the provider's side is accepted; the interface's own address is where it goes on from. */
  egress: Readonly<{ host: string; vpcId: string }> | null;
  /** What comes in; null: whatever comes. */
  ingress: Ingress | null;
  /** How much it may carry in each direction, in Mbit/s; 0: there is no limit. */
  limitMbps: number;
  /** Where it accepted connections when it was last ready. */
  listeners: readonly Listener[];
}>;

/** The interface, or what is wrong with what was told of it. */
export const readInterface = (forwarding: Forwarding): Interface | string => {
  const { connectionId, eniId, vpcId, ipv4Address, ipv6Address, listeners, bandwidth } = forwarding;
  const ingress = forwarding.ingress?.rules ?? null;
  if (!isId(connectionId, 'ep')) return 'its connection id is none';
  if (!isId(vpcId, 'vpc')) return 'its VPC id is none';
  if (!isIPv4(ipv4Address)) return 'its IPv4 address is none';
  if (ipv6Address !== '' && !isPlainIPv6(ipv6Address)) return 'its IPv6 address is none';
  if (ingress && !ingress.every(isIngressRule)) return 'a rule about what is let in is none';
  const addresses = ipv6Address === '' ? [ipv4Address] : [ipv4Address, canonicalIPv6(ipv6Address)];
  const limitMbps = bandwidth?.limitMbps ?? 0;
  const closed = {
    connectionId,
    eniId,
    vpcId,
    addresses,
    ingress,
    limitMbps,
    listeners,
    ways: [],
    resource: null,
    egress: null,
  };
  if (forwarding.state !== ForwardingState.READY) return closed;
  const { resource } = forwarding;
  if (!resource || resource.targets.length === 0) return 'no resource serves it';
  if (resource.vpcId !== '' && !isId(resource.vpcId, 'vpc')) return "its resource's VPC id is none";
  if (forwarding.reverse) return readReverse(forwarding, { ...closed, resource });
  if (!resource.targets.every(isTarget)) return 'a target of its resource is none';
  const ports = [...new Set(resource.targets.map(({ port }) => port))].sort((a, b) => a - b);
  const ways = ports.map((port) => ({ port, targets: resource.targets.filter((target) => target.port === port) }));
  return { ...closed, ways, resource };
};

/** The provider starts connections: to what is allowed, each target by its number. */
const readReverse = ({ resource, targets }: Forwarding, closed: Interface): Interface | string => {
  const host = resource?.targets[0]?.ip ?? '';
  if (!isIPv4(host)) return 'the address of its egress source is none';
  if (!targets.every(isTarget)) return 'a target of its is none';
  const ways = targets.flatMap(({ ip, port, allowed }, index) =>
    allowed ? [{ port: index + 1, targets: [{ ip, port }] }] : [],
  );
  return { ...closed, ways, egress: { host, vpcId: resource?.vpcId ?? '' } };
};

const isTarget = ({ ip, port }: Target): boolean =>
  isIP(ip) !== 0 && !ip.includes('%') && Number.isInteger(port) && port >= 1 && port <= 65_535;

/** A scope (`%eth0`) names a device of some machine: no part of an address. */
const isPlainIPv6 = (text: string): boolean => isIPv6(text) && !text.includes('%');

/** As the kernel writes it, so that it can be found in what the kernel says. */
const canonicalIPv6 = (text: string): string => new URL(`http://[${text}]`).hostname.slice(1, -1);
