import type { Answer } from '../call.ts';
import type { Json } from '../field-option.ts';
import { short } from './kind.ts';
import type { Call, Fields, KindName } from './things.ts';

const IDS = ['vpc_id', 'vswitch_id', 'security_group_id', 'route_table_id', 'service_id', 'endpoint_id'] as const;

/** Id of what an answer is about: the first one in its message. */
export const idIn = (answer: Answer): string => {
  const message = Object.entries(answer).find(
    ([name, value]) => name !== 'preview' && value !== null && typeof value === 'object',
  )?.[1] as Fields | undefined;
  const field = Object.keys(message ?? {}).find((name) => (IDS as readonly string[]).includes(name));
  return field === undefined ? '' : String(message?.[field]);
};

/** Of what has a status: how it is read, and where that stands in the answer. */
type Getter = Readonly<{ of: (id: string) => Call; message: string }>;

export const getters: Readonly<{ EndpointService: Getter; Endpoint: Getter } & Partial<Record<KindName, Getter>>> = {
  EndpointService: {
    of: (id) => ({ rpc: 'GetEndpointService', request: { service_id: id } }),
    message: 'endpoint_service',
  },
  Endpoint: { of: (id) => ({ rpc: 'GetEndpoint', request: { endpoint_id: id } }), message: 'endpoint' },
};

/** Where a thing of this kind is looked for. */
export const lists: Readonly<Partial<Record<KindName, string>>> = {
  Vpc: 'ListVpcs',
  EndpointService: 'ListEndpointServices',
  Endpoint: 'ListEndpoints',
};

/** `DISCONNECTED (REJECTED)`: the connection of an endpoint, and what holds it. */
export const connectionState = (endpoint: Fields): string => {
  const state = short('CONNECTION_STATUS', endpoint['connection_status']) ?? 'not connected yet';
  const holds = (endpoint['holds'] ?? []) as unknown as readonly Readonly<{ reason: Json }>[];
  const reasons = holds.map(({ reason }) => short('HOLD_REASON', reason)).join(', ');
  return reasons === '' ? state : `${state} (${reasons})`;
};
