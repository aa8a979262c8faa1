import type { DescField, DescMethod } from '@bufbuild/protobuf';
import { accessOf } from '@privatelink/shared/grpc/access';
import { registry } from '@privatelink/shared/grpc/json-call';

export const serviceNames = ['provider', 'consumer', 'broker', 'dns', 'ops'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** An RPC as a command: `plctl <noun> <verb>`. */
export type Rpc = Readonly<{
  noun: string;
  verb: string;
  /** Who serves it; where there are several, the caller says whose is meant. */
  servedBy: readonly ServiceName[];
  method: DescMethod;
  /** What the contract says of it. */
  about: string;
}>;

const SERVED: Readonly<Record<string, readonly ServiceName[]>> = {
  'privatelink.provider.v1.ProviderService': ['provider'],
  'privatelink.consumer.v1.ConsumerService': ['consumer'],
  'privatelink.broker.v1.BrokerService': ['broker'],
  'privatelink.dns.v1.DnsService': ['dns'],
  // It has no events of its own.
  'privatelink.events.v1.EventsService': serviceNames.filter((name) => name !== 'ops'),
  'privatelink.operations.v1.OperationsService': serviceNames,
};

/** What only services and agents may call. */
const isInternal = ({ parent, name }: DescMethod): boolean =>
  accessOf(`${parent.typeName}/${name}`)?.roles.every((role) => role === 'service') ?? true;

/** `ListEndpointServices` is `endpoint-service list`. */
const nameOf = (rpc: string): Readonly<{ noun: string; verb: string }> => {
  const [verb = '', ...words] = rpc.split(/(?<=[a-z])(?=[A-Z])/).map((word) => word.toLowerCase());
  const noun = words.join('-');
  return { verb, noun: verb === 'list' || verb === 'watch' ? noun.replace(/s$/, '') : noun };
};

/** Field numbers of descriptors: messages and services of a file, fields and methods of those. */
const [MESSAGES, SERVICES, MEMBERS] = [4, 6, 2];

/** What the contract says of a method or a field, as one paragraph. */
export const commentOf = (desc: DescMethod | DescField): string => {
  const path =
    desc.kind === 'rpc'
      ? [SERVICES, desc.parent.file.services.indexOf(desc.parent), MEMBERS, desc.parent.methods.indexOf(desc)]
      : [MESSAGES, desc.parent.file.messages.indexOf(desc.parent), MEMBERS, desc.parent.fields.indexOf(desc)];
  const { sourceCodeInfo } = desc.parent.file.proto;
  const found = sourceCodeInfo?.location.find((location) => location.path.join() === path.join());
  return (found?.leadingComments ?? '').replace(/\s+/g, ' ').trim();
};

/** Every RPC that somebody may call, in the order of the contract. */
export const rpcs: readonly Rpc[] = Object.entries(SERVED).flatMap(([name, servedBy]) =>
  (registry.getService(name)?.methods ?? [])
    .map((method) => ({ ...nameOf(method.name), servedBy, method, about: commentOf(method) }))
    .filter(({ method }) => !isInternal(method)),
);

/** The RPC of a command that is more than its call. */
export const rpcNamed = (name: string): Rpc => {
  const found = rpcs.find(({ method }) => method.name === name);
  if (!found) throw new Error(`the contract has no ${name}`);
  return found;
};
