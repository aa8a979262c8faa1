import type { Connection } from '@privatelink/proto/broker/v1/connection';
import { expect, onTestFinished } from 'vitest';
import type { FollowedConnection } from '../../support/follow-connection.ts';
import {
  acceptRequest,
  type Cast,
  createEndpoint,
  endpointRequest,
  publishService,
  registerNetwork,
  untilAnswered,
} from '../../support/scenario.ts';
import type { Stage } from '../../support/stage.ts';
import { type Backend, startBackend } from '../../support/traffic/backend.ts';
import { describeOutcome, type Flow, localClient } from '../../support/traffic/client.ts';
import { CALL, requestId } from '../../support/world.ts';

export const ZONES = ['cn-hangzhou-h', 'cn-hangzhou-i'] as const;

/** What closes does so within a second, as the benchmark measures; here others may have the machine as well. */
export const CLOSES_WITHIN_MS = 4_000;

export const SOON = { timeout: 20_000, interval: 10 };

/** An endpoint in front of a backend in each zone. */
export type Connected = Readonly<{
  cast: Cast;
  backends: readonly Backend[];
  endpointId: string;
  connection: FollowedConnection;
  /** Where the interface of each zone accepted connections when it was last looked at. */
  addresses: ReadonlyMap<string, string>;
  /** The connection as its consumer sees it now. */
  get: () => Promise<Connection>;
  /** Looks where its interfaces are, and opens a flow through each, which the right backend answers. */
  openFlows: () => Promise<readonly Flow[]>;
  expectToGoOn: (flows: readonly Flow[]) => Promise<void>;
  accept: () => Promise<unknown>;
  reject: () => Promise<unknown>;
  remove: () => Promise<void>;
}>;

/** All of them, in the order of their creation. */
export const created: Connected[] = [];

export const createConnected = async (
  { log, cast: openCast, follow }: Stage,
  { autoAccept = true, host = '127.0.0.1' }: Readonly<{ autoAccept?: boolean; host?: string }> = {},
): Promise<Connected> => {
  const backends = await Promise.all(ZONES.map((zone) => startBackend({ zone, host })));
  onTestFinished(async () => {
    for (const backend of backends) await backend.close();
  });
  const cast = await openCast();
  const { provider, consumer } = cast;
  const service = await publishService(provider, log, { autoAccept, backends, users: [consumer.account] });
  const { endpointId } = await createEndpoint(consumer, endpointRequest(service, await registerNetwork(consumer)));
  const connection = follow(consumer, endpointId);
  const addresses = new Map<string, string>();
  const decide = () => acceptRequest(endpointId);
  const get = async (): Promise<Connection> => {
    const { connection: found } = await consumer.broker.getConnection({ connectionId: endpointId }, CALL);
    if (!found) throw new Error(`there is no connection ${endpointId}`);
    return found;
  };
  let removing: Promise<void> | undefined;
  const remove = async (): Promise<void> => {
    await untilAnswered(() =>
      consumer.consumer.deleteEndpoint({ requestId: requestId(), endpointId, force: false }, CALL),
    );
    await connection.reaches('GONE');
  };
  const answerOf = (zone: string): string => `${zone} ${endpointId}`;
  if (autoAccept) await connection.reaches('CONNECTED');
  const self: Connected = {
    ...{ cast, backends, endpointId, connection, addresses, get },
    openFlows: async () => {
      for (const { zoneId, listeners } of (await get()).zones) addresses.set(zoneId, listeners[0]?.address ?? '');
      expect([...addresses.keys()]).toEqual(ZONES);
      const flows = await Promise.all([...addresses.values()].map(localClient.open));
      expect(flows.map(({ first }) => describeOutcome(first))).toEqual(ZONES.map(answerOf));
      return flows;
    },
    expectToGoOn: async (flows) => {
      const answers = await Promise.all(flows.map((flow) => flow.ask()));
      expect(answers.map(describeOutcome)).toEqual(ZONES.map(answerOf));
    },
    accept: () => untilAnswered(() => provider.broker.acceptConnection(decide(), CALL)),
    reject: () => untilAnswered(() => provider.broker.rejectConnection(decide(), CALL)),
    // Once: whoever has removed it need not tell who removes all.
    remove: () => (removing ??= remove()),
  };
  created.push(self);
  return self;
};

/** How long after its status last moved the flows of a connection were cut, and connections refused. */
export const closingTimes = async (
  { addresses, connection }: Connected,
  status: 'DISCONNECTING' | 'DELETING',
  flows: readonly Flow[],
): Promise<readonly number[]> => {
  const [{ statusTime }, ...times] = await Promise.all([
    connection.reaches(status).then((state) => state ?? { statusTime: undefined }),
    ...flows.map((flow) => flow.cut),
    ...[...addresses.values()].map(refusedAt),
  ]);
  const { seconds = 0n, nanos = 0 } = statusTime ?? {};
  return times.map((time) => time - (Number(seconds) * 1_000 + nanos / 1_000_000));
};

const refusedAt = async (address: string): Promise<number> => {
  for (;;) {
    if (describeOutcome(await localClient.request(address)) === 'ECONNREFUSED') return Date.now();
  }
};
