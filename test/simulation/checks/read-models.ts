import type { AnyEvent, StoredEvent } from '@privatelink/shared/eventing/message';
import type { Db } from '@privatelink/shared/postgres/connect';
import { getForeign } from '@privatelink/shared/postgres/foreign-table';
import type { ReadModel } from '@privatelink/shared/postgres/read-model';
import { readPosition } from '@privatelink/shared/postgres/read-position';
import { queryRows } from '@privatelink/shared/postgres/row-table';
import { connectionHistory } from '../../../services/connection-broker/src/read-models/connection-history.ts';
import { connections } from '../../../services/connection-broker/src/read-models/connections.ts';
import { brokerConnections, readConnection } from '../../../services/consumer/src/read-models/broker-connections.ts';
import { endpoints } from '../../../services/consumer/src/read-models/endpoints.ts';
import { gatewayEndpoints } from '../../../services/consumer/src/read-models/gateway-endpoints.ts';
import { vpcs } from '../../../services/consumer/src/read-models/vpcs.ts';
import { endpointServices } from '../../../services/provider/src/read-models/endpoint-services.ts';
import type { Ending } from './aggregates.ts';

type Databases = Readonly<Record<'provider' | 'consumer' | 'broker', Db>>;

const ALL = 1_000_000;

/** Each table shows what its streams say, all of it and nothing else. */
export const wrongReadModels = async (history: readonly StoredEvent[], of: Databases): Promise<readonly string[]> => [
  ...(await differences(of.broker, connections, history)),
  ...(await differences(of.broker, connectionHistory, history)),
  ...(await differences(of.consumer, endpoints, history)),
  ...(await differences(of.consumer, vpcs, history)),
  ...(await differences(of.consumer, gatewayEndpoints, history)),
  ...(await differences(of.provider, endpointServices, history)),
];

const differences = async <E extends AnyEvent, R, C extends string>(
  db: Db,
  model: ReadModel<E, R, C>,
  history: readonly StoredEvent[],
): Promise<readonly string[]> => {
  const wanted = new Map<string, { state: R; revision: bigint }>();
  let last = 0n;
  for (const stored of history) {
    if (!model.prefixes.some((prefix) => stored.stream.startsWith(prefix))) continue;
    last = stored.position;
    const event = await model.decode(stored);
    if (!event) continue;
    const key = model.key(event);
    const state = model.evolve(wanted.get(key)?.state ?? model.initial, event);
    if (state === null) wanted.delete(key);
    else wanted.set(key, { state, revision: stored.revision });
  }
  const rows = await queryRows(db, model, { limit: ALL });
  const position = (await readPosition(db, model)) ?? -1n;
  const shown = new Map(rows.map(({ key, state, revision }) => [key, { state, revision }]));
  const keys = [...new Set([...wanted.keys(), ...shown.keys()])];
  const wrong = keys.filter((key) => canonical(wanted.get(key)) !== canonical(shown.get(key)));
  return [
    ...(position < last ? [`${model.table} is at ${position} of ${last}`] : []),
    ...wrong.map(
      (key) =>
        `${model.table} shows ${key} otherwise than its stream: ${canonical(shown.get(key))}, not ${canonical(wanted.get(key))}`,
    ),
  ];
};

/** What the consumer service knows of connections is how they are. */
export const wrongForeignRows = async (ending: Ending, { consumer }: Databases): Promise<readonly string[]> => {
  const wrong: string[] = [];
  for (const [id, { state, revision }] of ending.connection) {
    const row = await getForeign(consumer, brokerConnections, id);
    const shown = row && readConnection(row.state);
    if (row?.revision !== revision)
      wrong.push(`consumer knows connection ${id} at ${row?.revision}, not at ${revision}`);
    else if (Number(shown?.generation) !== state.generation) wrong.push(`consumer knows another generation of ${id}`);
  }
  return wrong;
};

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, held: unknown) => {
    if (typeof held === 'bigint') return String(held);
    if (typeof held !== 'object' || held === null || Array.isArray(held)) return held;
    return Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
