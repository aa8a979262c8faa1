import type {
  ConnectionEvent as ConnectionEventMessage,
  Connection as ConnectionMessage,
} from '@privatelink/proto/broker/v1/connection';
import type { Preview as PreviewMessage } from '@privatelink/proto/common/v1/common';
import type { Obstacle as ObstacleMessage } from '@privatelink/proto/common/v1/obstacle';
import type { Endpoint as EndpointMessage } from '@privatelink/proto/consumer/v1/endpoint';
import type { ReadModel as ReadModelMessage } from '@privatelink/proto/operations/v1/operations_service';
import type {
  EndpointService as EndpointServiceMessage,
  ServiceUser as ServiceUserMessage,
} from '@privatelink/proto/provider/v1/endpoint_service';
import type { Json } from './json.ts';

export type Connection = Json<ConnectionMessage>;
export type ConnectionEvent = Json<ConnectionEventMessage>;
export type Endpoint = Json<EndpointMessage>;
export type EndpointService = Json<EndpointServiceMessage>;
export type ServiceUser = Json<ServiceUserMessage>;
export type ReadModel = Json<ReadModelMessage>;
export type Obstacle = Json<ObstacleMessage>;
export type Preview = Json<PreviewMessage>;

export type Session = Readonly<{
  subject: string;
  accountId: string;
  roles: readonly string[];
  region: string;
  zones: readonly string[];
}>;

export type Count = Readonly<{ name: string; count: number }>;
export type Overview = Readonly<{
  connections: readonly Count[];
  endpoints: readonly Count[];
  endpointServices: readonly Count[];
  holds: readonly Count[];
  largestServices: readonly Count[];
  overdue: readonly Count[];
  zones: readonly (Count & Readonly<{ degraded: number }>)[];
  stuck: number;
  degraded: number;
  sources: readonly Readonly<{ source: string; position: string; heardAt: string; recordTime: string | null }>[];
}>;

export type TopologyNode = Readonly<{
  id: string;
  kind: 'consumer' | 'vpc' | 'endpoint' | 'service' | 'provider';
  /** Empty where it stands for all others of its kind. */
  resourceId: string;
  count: number;
  name: string;
  status: string;
  businessStatus: string;
  connections: readonly Count[];
}>;
export type Topology = Readonly<{
  detail: 'endpoints' | 'vpcs' | 'services' | 'accounts';
  nodes: readonly TopologyNode[];
  edges: readonly Readonly<{ from: string; to: string; connections: readonly Count[] }>[];
}>;

export type Change = Readonly<{ minute: string; from: string; to: string; because: string; count: number }>;

export type Fact = Readonly<{
  id: string;
  eventId: string;
  type: string;
  resourceType: string;
  resourceId: string;
  serviceId: string;
  accountIds: readonly string[];
  actor: string;
  transition: Readonly<{ from: string; to: string; because: string }> | null;
  recordTime: string;
  source: string;
  sourceRevision: string;
  position: string;
}>;

/** `next` is where older ones begin, `latest` where the live feed goes on. */
export type FactPage = Readonly<{ items: readonly Fact[]; next: string; latest: string }>;

export type ListName = 'connections' | 'endpoints' | 'endpoint-services';
export type Page<Item> = Readonly<{ items: readonly Item[]; nextPageToken: string }>;
export type Machine = Readonly<{
  title: string;
  rows: readonly Readonly<{ from: readonly (string | null)[]; on: string; to: string; because: string }>[];
}>;

/** What the service said no with. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const fail = async (reply: Response): Promise<never> => {
  const body = (await reply.json().catch(() => null)) as { error?: { reason: string; message: string } } | null;
  throw new ApiError(reply.status, body?.error?.reason ?? '', body?.error?.message ?? reply.statusText);
};

const read = async <T>(reply: Response): Promise<T> => {
  if (!reply.ok) return fail(reply);
  return (reply.status === 204 ? null : await reply.json()) as T;
};

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export const queryText = (query: Query): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '' && value !== false);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
};

export const get = async <T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> =>
  read(await fetch(`${path}${queryText(query)}`, signal ? { signal } : {}));

export const signIn = async (token: string): Promise<Session> =>
  read(await fetch('/api/session', { method: 'POST', headers: { authorization: `Bearer ${token}` } }));

export const signOut = async (): Promise<null> => read(await fetch('/api/session', { method: 'DELETE' }));

export type ServiceName = 'provider' | 'consumer' | 'broker' | 'dns' | 'ops';

const SERVICES: Readonly<Record<ServiceName, string>> = {
  provider: 'privatelink.provider.v1.ProviderService',
  consumer: 'privatelink.consumer.v1.ConsumerService',
  broker: 'privatelink.broker.v1.BrokerService',
  dns: 'privatelink.dns.v1.DnsService',
  ops: 'privatelink.operations.v1.OperationsService',
};

const post = (service: ServiceName, rpc: string, body: object): Promise<Response> =>
  fetch(`/api/rpc/${service}/${rpc}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Calls an RPC of a service, as whoever is signed in; one that all services have by its full name. */
export const rpc = async <T>(service: ServiceName, method: string, body: object): Promise<T> =>
  read(await post(service, method.includes('.') ? method : `${SERVICES[service]}.${method}`, body));

export const listReadModels = (service: ServiceName): Promise<Readonly<{ readModels: readonly ReadModel[] }>> =>
  rpc(service, 'privatelink.operations.v1.OperationsService.ListReadModels', {});

/** How far a rebuild is, and at last its proof. */
export type Rebuilt = Readonly<{
  progress?: Readonly<{ position: string; targetPosition: string }>;
  report?: Readonly<{ rowCount: string; differenceCount: string; differingKeys: readonly string[] }>;
}>;

/** Projects a read model anew; each line that comes is told, the last one is the proof. */
export const rebuildReadModel = async (
  service: ServiceName,
  readModel: string,
  onLine: (line: Rebuilt) => void,
): Promise<void> => {
  const reply = await post(service, 'privatelink.operations.v1.OperationsService.RebuildReadModel', { readModel });
  if (!reply.ok || !reply.body) return fail(reply);
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const lines = (rest + next.value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(JSON.parse(line) as Rebuilt);
  }
};
