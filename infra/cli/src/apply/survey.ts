import { status } from '@grpc/grpc-js';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import type { Answer } from '../call.ts';
import { CallFailed } from '../failure.ts';
import type { Json } from '../field-option.ts';
import { connectionThing, endpointServiceThing, endpointThing, vpcThings } from './readings.ts';
import { type Declared, type DeclaredSet, type Fields, type Invoke, SET_MARK, type Thing } from './things.ts';

const PAGE_SIZE = 500;

export const codeOf = (error: unknown): number | null => {
  const cause = error instanceof CallFailed ? error.cause : error;
  return cause instanceof RemoteError ? cause.code : null;
};

/** Null for what is not there. */
const orNull = async <T>(read: Promise<T>): Promise<T | null> => {
  try {
    return await read;
  } catch (error) {
    if (codeOf(error) === status.NOT_FOUND) return null;
    throw error;
  }
};

/** All rows of a list. */
async function* rows(
  invoke: Invoke,
  account: string,
  rpc: string,
  field: string,
  request: Fields,
): AsyncIterable<Answer> {
  let pageToken = '';
  do {
    const page = await invoke(account, { rpc, request: { ...request, page_size: PAGE_SIZE, page_token: pageToken } });
    yield* page[field] as unknown as readonly Answer[];
    pageToken = String(page['next_page_token'] ?? '');
  } while (pageToken !== '');
}

const collect = async <T>(all: AsyncIterable<T>): Promise<readonly T[]> => {
  const list: T[] = [];
  for await (const each of all) list.push(each);
  return list;
};

const present = <T>(all: readonly (T | null)[]): readonly T[] => all.filter((each) => each !== null);

const isGoing = (answer: Json | undefined): boolean => String((answer as Fields)['status']).endsWith('_DELETING');

/** A thing as it is now, as of the last write; null when it is gone, or going. */
export const reader = (invoke: Invoke) => {
  const service = async (account: string, id: string): Promise<Thing | null> => {
    const answer = await orNull(invoke(account, { rpc: 'GetEndpointService', request: { service_id: id } }));
    if (!answer || isGoing(answer['endpoint_service'])) return null;
    const users = await collect(rows(invoke, account, 'ListServiceUsers', 'service_users', { service_id: id }));
    return endpointServiceThing(account, answer, users);
  };
  const endpoint = async (account: string, id: string): Promise<Thing | null> => {
    const answer = await orNull(invoke(account, { rpc: 'GetEndpoint', request: { endpoint_id: id } }));
    return answer && !isGoing(answer['endpoint']) ? endpointThing(account, answer) : null;
  };
  const vpc = async (account: string, id: string): Promise<readonly Thing[]> => {
    const answer = await orNull(invoke(account, { rpc: 'GetVpc', request: { vpc_id: id } }));
    return answer ? vpcThings(account, answer) : [];
  };
  const connection = async (account: string, id: string): Promise<Thing | null> => {
    const answer = await orNull(invoke(account, { rpc: 'GetConnection', request: { connection_id: id } }));
    return answer && connectionThing(account, answer);
  };
  return {
    service,
    endpoint,
    vpc,
    connection,
    /** @param vpcId of what is in a VPC */
    one: async (kind: Declared['kind'], account: string, id: string, vpcId: string): Promise<Thing | null> => {
      if (kind === 'EndpointService') return service(account, id);
      if (kind === 'Endpoint') return endpoint(account, id);
      if (kind === 'Acceptance') return connection(account, id);
      const things = await vpc(account, kind === 'Vpc' ? id : vpcId);
      return things.find((thing) => thing.kind === kind && thing.id === id) ?? null;
    },
  };
};

type Reader = ReturnType<typeof reader>;

/** What an account has: all of it, or what one set made of it and what is declared by its id. */
export const survey = async (
  invoke: Invoke,
  account: string,
  set: string | null,
  declared: readonly Declared[] = [],
): Promise<readonly Thing[]> => {
  const read = reader(invoke);
  const filter = set === null ? '' : `tags.${JSON.stringify(SET_MARK)} = ${JSON.stringify(set)}`;
  const named = (kind: Declared['kind']) => declared.filter((each) => each.kind === kind && each.id !== '');
  const ids = async (rpc: string, field: string, id: string, asked: Fields, kind: Declared['kind']) => {
    const listed = await collect(rows(invoke, account, rpc, field, asked)).catch((error: unknown) => {
      // Whose role it is not has nothing of that kind, unless he declares some.
      if (codeOf(error) === status.PERMISSION_DENIED && !declared.some((each) => each.kind === kind)) return [];
      throw error;
    });
    return [...new Set([...listed.map((row) => String(row[id])), ...named(kind).map((each) => each.id)])];
  };
  const [services, endpoints, vpcs] = await Promise.all([
    ids('ListEndpointServices', 'endpoint_services', 'service_id', { filter }, 'EndpointService'),
    ids('ListEndpoints', 'endpoints', 'endpoint_id', { filter }, 'Endpoint'),
    // What is in a VPC only the VPC says: also of one that the set did not make.
    ids('ListVpcs', 'vpcs', 'vpc_id', {}, 'Vpc'),
  ]);
  const [serviceThings, endpointThings, vpcThingsOfAll] = await Promise.all([
    each(services, (id) => read.service(account, id)),
    each(endpoints, (id) => read.endpoint(account, id)),
    each(vpcs, (id) => read.vpc(account, id)),
  ]);
  return [...present(serviceThings), ...present(endpointThings), ...vpcThingsOfAll.flat()];
};

const AT_ONCE = 16;

const each = async <T, R>(all: readonly T[], read: (one: T) => Promise<R>): Promise<readonly R[]> => {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE)
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(read))));
  return results;
};

/** The connections that a set decides on. */
export const surveyConnections = async (
  read: Reader,
  { declared }: DeclaredSet,
  ids: ReadonlyMap<string, string>,
): Promise<readonly Thing[]> => {
  const wanted = declared.flatMap(({ kind, account, fields }) => {
    const given = String(fields['connection_id'] ?? '').replace(/^ref:/, '');
    const id = ids.get(given) ?? given;
    return kind === 'Acceptance' && id.startsWith('ep-') ? [{ account, id }] : [];
  });
  return present(await each(wanted, ({ account, id }) => read.connection(account, id)));
};
