import { type Connection, ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import { Payer } from '@privatelink/proto/common/v1/common';
import { createEndpoints } from '../support/many-endpoints.ts';
import { type Actor, openActor, publishService, reportPayment } from '../support/scenario.ts';
import { apiFor, CALL, requestId } from '../support/world.ts';
import { expectEqual, type Stage, type Story } from './story.ts';

const ZONE = 'cn-hangzhou-h';
const PAGE = 1_000;

const WAYS = {
  created: ['ConnectionRequested', 'ConnectionEstablished'],
  overdue: ['HoldPlaced', 'DisconnectingStarted', 'ConnectionDisconnected'],
  settled: ['HoldLifted', 'ConnectingStarted', 'ConnectionEstablished'],
};
/** What is counted: facts that move a connection, or place or lift a hold of it. */
const COUNTED = new Set(Object.values(WAYS).flat());

/** Who pays is whose bill counts: of many connections exactly those go down, each once, and come back. */
export const overdue: Story = {
  name: 'overdue',
  about: 'unpaid bills of two accounts: of 1,000 connections those that each pays for go down and come back',
  forwarding: 'none',
  play: async (stage) => {
    const { run, feed, narrator, use, connections: count } = stage;
    const { act, checked } = narrator;
    const facts = countFacts(stage);
    const provider = use(await openActor(run, 'provider'));
    const consumer = use(await openActor(run, 'consumer'));
    const billing = use(await apiFor(run, { account: '', roles: ['billing'], subject: 'billing' }));
    narrator.title('Two services: the consumer pays for one, the provider for the other');
    const publish = async (payer: Payer) => {
      act(`provider publishes a service with payer ${payer.replace('PAYER_', '')}`);
      return publishService(provider, feed, {
        ...{ payer, autoAccept: true, zones: [ZONE], users: [consumer.account] },
      });
    };
    const services = [await publish(Payer.ENDPOINT), await publish(Payer.ENDPOINT_SERVICE)] as const;
    act(`consumer creates ${count} endpoints, half of them on each`);
    const created = await createEndpoints(consumer, services, { count, zone: ZONE });
    const [ofConsumer, ofProvider] = services.map(({ serviceId }) =>
      [...created].flatMap(([id, service]) => (service.serviceId === serviceId ? [id] : [])),
    ) as [string[], string[]];
    const all = [...ofConsumer, ...ofProvider];
    const listed = (down: Readonly<Record<string, readonly string[]>>) =>
      expectListed(consumer, { all, down, latest: facts.latest() });

    await facts.areExactly(WAYS.created, all);
    await listed({});
    checked(`${all.length} connections are CONNECTED`);

    /** What a bill does to some connections, each exactly once, and to no others; and what the list says then. */
    const bill = async (
      what: 'overdue' | 'settled',
      { of, concerned, down }: Readonly<{ of: Actor; concerned: string[]; down: Record<string, readonly string[]> }>,
    ) => {
      act(`billing reports the account of the ${of === consumer ? 'consumer' : 'provider'} ${what}`);
      await reportPayment(billing, what, of.account);
      await facts.areExactly(WAYS[what], concerned);
      await listed(down);
      const held = Object.values(down).flat().length;
      checked(`${concerned.length} of ${all.length} connections: ${WAYS[what].join(', ')}, each once; no others`);
      checked(`the list has ${all.length}: ${all.length - held} CONNECTED, ${held} DISCONNECTED`);
    };
    const ENDPOINT_PAYMENT_OVERDUE = ofConsumer;
    const SERVICE_PAYMENT_OVERDUE = ofProvider;

    narrator.title('Neither account pays');
    const first = { of: consumer, concerned: ofConsumer };
    const second = { of: provider, concerned: ofProvider };
    await bill('overdue', { ...first, down: { ENDPOINT_PAYMENT_OVERDUE } });
    await bill('overdue', { ...second, down: { ENDPOINT_PAYMENT_OVERDUE, SERVICE_PAYMENT_OVERDUE } });

    narrator.title('One pays, then the other');
    await bill('settled', { ...first, down: { SERVICE_PAYMENT_OVERDUE } });
    await bill('settled', { ...second, down: {} });
  },
};

/** The facts of each connection that count, in the order of their recording. */
const countFacts = ({ feed }: Stage) => {
  let counted = new Map<string, Map<bigint, string>>();
  let latest = { connectionId: '', position: -1n };
  feed.onFact(({ fact, resourceId }) => {
    if (fact.resource?.$case !== 'connection') return;
    if (fact.position > latest.position) latest = { connectionId: resourceId, position: fact.position };
    if (!COUNTED.has(fact.type)) return;
    // Announced again it is still the same fact.
    counted.set(resourceId, (counted.get(resourceId) ?? new Map()).set(fact.sourceRevision, fact.type));
  });
  const factsOf = (id: string): string =>
    [...(counted.get(id) ?? [])]
      .sort(([a], [b]) => Number(a - b))
      .map(([, type]) => type)
      .join(', ');

  return {
    /** The connection that was changed last. */
    latest: (): string => latest.connectionId,
    /** Waits until some connections have the last of these, and compares what all have had since it was called before. */
    areExactly: async (types: readonly string[], connectionIds: readonly string[]): Promise<void> => {
      const last = types.at(-1) ?? '';
      const arrived = () => connectionIds.filter((id) => [...(counted.get(id)?.values() ?? [])].includes(last)).length;
      // Each wait is for a part of them, so that patience ends where nothing happens.
      for (let part = 1; part <= PARTS; part++) {
        const enough = Math.ceil((connectionIds.length * part) / PARTS);
        await feed.next(() => arrived() >= enough, `${last} of ${enough} of ${connectionIds.length} connections`);
      }
      for (const id of connectionIds) expectEqual(`facts of ${id}`, factsOf(id), types.join(', '));
      expectEqual('connections that facts were recorded of', counted.size, connectionIds.length);
      counted = new Map();
    },
  };
};

const PARTS = 10;

/** All that a consumer has is listed once, and each is CONNECTED but for those that a reason holds. */
const expectListed = async (
  consumer: Actor,
  { all, down, latest }: Readonly<{ all: readonly string[]; down: Record<string, readonly string[]>; latest: string }>,
): Promise<void> => {
  // Nobody paused it, so nothing changes; the token is of its last event.
  const named = { requestId: requestId(), connectionId: latest };
  const { consistencyToken } = await consumer.broker.resumeConnection(named, CALL);
  const rows: Connection[] = [];
  const filter = { statuses: [], serviceId: '', stuck: false, consistencyToken };
  for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
    const page = await consumer.broker.listConnections({ ...filter, pageSize: PAGE, pageToken }, CALL);
    rows.push(...page.connections);
    pageToken = page.nextPageToken || undefined;
  }
  const reasonOf = new Map(Object.entries(down).flatMap(([reason, ids]) => ids.map((id) => [id, reason] as const)));
  const line = (id: string, status: string, holds: readonly string[]) => [id, status, ...holds].join(' ');
  const expected = all.map((id) => {
    const reason = reasonOf.get(id);
    const status = reason ? ConnectionStatus.DISCONNECTED : ConnectionStatus.CONNECTED;
    return line(id, status, reason ? [`HOLD_REASON_${reason}`] : []);
  });
  const found = rows.map(({ connectionId, status, holds }) =>
    line(
      connectionId,
      status,
      holds.map(({ reason }) => reason),
    ),
  );
  expectEqual('connections listed', found.sort(), expected.sort());
};
