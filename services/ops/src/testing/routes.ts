import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { text as collect } from 'node:stream/consumers';
import type { Stage } from './stage.ts';

type Parameter = Readonly<{
  name: string;
  in: 'query' | 'path';
  schema: Readonly<{ type?: string; enum?: readonly string[]; anyOf?: unknown }>;
}>;

/** A route as the served document declares it. */
export type Route = Readonly<{
  /** `get /api/connections` */
  name: string;
  method: string;
  path: string;
  parameters: readonly Parameter[];
}>;

type Document = Readonly<{
  paths: Readonly<Record<string, Readonly<Record<string, Readonly<{ parameters?: readonly Parameter[] }>>>>>;
}>;

/** Every route that the API says it has: a new one is here at once. */
export const readRoutes = async (stage: Stage): Promise<readonly Route[]> => {
  const { paths } = (await (await fetch(`${stage.origin()}/api/openapi.json`)).json()) as Document;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]) => ({
      ...{ name: `${method} ${path}`, method: method.toUpperCase(), path, parameters },
    })),
  );
};

/** What stands in for the parameters of a path. */
const IN_PATH: Readonly<Record<string, string>> = {
  service: 'broker',
  rpc: 'privatelink.broker.v1.BrokerService.ListConnections',
};

export const pathOf = ({ path }: Route, change: Readonly<Record<string, string>> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => change[name] ?? IN_PATH[name] ?? '');

export type Answered = Readonly<{ status: number; text: string; headers: IncomingHttpHeaders }>;

type Sent = Readonly<{ method: string; path: string; headers?: OutgoingHttpHeaders; body?: string | undefined }>;

/** What is answered to what is sent as it is, whatever it is; of a stream what it begins with. */
export const send = (stage: Stage, { method, path, headers = {}, body }: Sent): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(stage.origin());
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const length =
      body === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { hostname, port, method, path, agent: false, headers: { ...type, ...length, ...headers } };
    const sent = request(options, (reply) => {
      const { statusCode: status = 0, headers: answered } = reply;
      const isStream = answered['content-type']?.startsWith('text/event-stream') ?? false;
      const done = (text: string) => resolve({ status, text, headers: answered });
      if (!isStream) return collect(reply).then(done, reject);
      reply.destroy();
      return done('');
    });
    sent.on('error', reject).end(body);
  });

/** Asks a route with what is right for it but for what is said. */
export const ask = (stage: Stage, { method }: Pick<Route, 'method'>, path: string, headers: OutgoingHttpHeaders) =>
  send(stage, { method, path, headers, body: method === 'POST' ? '{}' : undefined });

export type Refusal = Readonly<{
  code: string;
  reason: string;
  message: string;
  violations: readonly Readonly<{ field: string; description: string }>[];
}>;

export const refusalIn = ({ text }: Pick<Answered, 'text'>): Refusal => (JSON.parse(text) as { error: Refusal }).error;
