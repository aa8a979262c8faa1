import { Forwarding, ForwardingState, type ReportTrafficRequest } from '@privatelink/proto/broker/v1/broker_service';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { recordedLog } from '@privatelink/shared/grpc/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createZoneState } from './desired/zone-state.ts';
import type { Counters } from './haproxy/cli.ts';
import { createTrafficReports } from './traffic.ts';

const CONNECTIONS = ['ep-1', 'ep-2'] as const;

const zoneOf = (...ids: readonly string[]) => {
  const zone = createZoneState();
  for (const connectionId of ids) {
    const value = Forwarding.fromPartial({ connectionId, generation: 1n, state: ForwardingState.READY });
    zone.tell({ told: { $case: 'forwarding', value }, position: 1n });
  }
  return zone;
};

/** Flows alone, which stand for everything that is counted. */
const flows = (count: bigint): Counters => ({
  ...{ receivedBytes: 2n * count, sentBytes: 3n * count, flows: count, openFlows: 0n, failedFlows: 0n },
});

/** A HAProxy whose workers are replaced and end, as one engine after another sees it. */
const createHaproxy = () => {
  let workers: { id: string; counted: Map<string, bigint> }[] = [];
  let made = 0;
  const start = (): void => void workers.unshift({ id: `run-${++made}`, counted: new Map() });
  start();
  return {
    count: (connectionId: string, worker: number): void => {
      const counted = workers[worker % workers.length]?.counted;
      counted?.set(connectionId, (counted.get(connectionId) ?? 0n) + 1n);
    },
    reload: start,
    /** The oldest one that was replaced has no flow any more. */
    end: (): void => void (workers.length > 1 && workers.pop()),
    kill: (): void => {
      workers = [];
      start();
    },
    createMeter: () => {
      const known = new Map<string, { id: string; isOver: boolean; counters: ReadonlyMap<string, Counters> }>();
      return {
        id: async () => 'meter',
        look: async () => {
          for (const [id, run] of known) known.set(id, { ...run, isOver: true });
          for (const { id, counted } of workers) {
            const counters = new Map([...counted].map(([key, count]) => [key, flows(count)] as const));
            known.set(id, { id, isOver: false, counters });
          }
          return [...known.values()];
        },
        forget: (ids: ReadonlySet<string>) => {
          for (const id of ids) known.delete(id);
        },
      };
    },
  };
};

/** As the real one keeps it: a report follows on the last one or changes nothing, and what is over is added up. */
const createBroker = () => {
  let number = 0n;
  const readings = new Map<string, Map<string, bigint>>();
  const past = new Map<string, bigint>();
  const add = (to: Map<string, bigint>, key: string, count: bigint) => to.set(key, (to.get(key) ?? 0n) + count);
  const take = (request: ReportTrafficRequest) => {
    if (request.after !== number) throw outOfTurn(number);
    number++;
    for (const { run, connectionId, flows: count } of request.readings) {
      const ofRun = readings.get(run) ?? new Map<string, bigint>();
      readings.set(run, ofRun.set(connectionId, count));
    }
    for (const [run, counted] of readings) {
      if (request.runs.includes(run)) continue;
      for (const [connectionId, count] of counted) add(past, connectionId, count);
      readings.delete(run);
    }
    return { number };
  };
  return {
    take,
    lose: () => {
      number = 0n;
      readings.clear();
      past.clear();
    },
    total: (connectionId: string): bigint =>
      [...readings.values()].reduce(
        (sum, counted) => sum + (counted.get(connectionId) ?? 0n),
        past.get(connectionId) ?? 0n,
      ),
  };
};

const outOfTurn = (number: bigint) =>
  new RemoteError({
    ...{ code: 10, message: 'out of turn', reason: 'REPORT_OUT_OF_TURN', facts: { number: String(number) } },
    ...{ violations: [], retryAfterMs: undefined, status: undefined, cause: undefined },
  });

type Fate = 'taken' | 'lost' | 'reply lost' | 'late';

/** A way to the broker on which requests and replies are lost, and requests come late. */
const createWay = ({ take }: Pick<ReturnType<typeof createBroker>, 'take'>) => {
  const late: ReportTrafficRequest[] = [];
  let fate: Fate = 'taken';
  return {
    next: (is: Fate): void => {
      fate = is;
    },
    arrive: (): void => {
      for (const request of late.splice(0)) {
        try {
          take(request);
        } catch {
          // Its sender waits no longer.
        }
      }
    },
    broker: {
      reportTraffic: async (request: ReportTrafficRequest) => {
        const is = fate;
        fate = 'taken';
        if (is === 'late') late.push(request);
        const answer = is === 'lost' || is === 'late' ? null : take(request);
        if (is !== 'taken' || !answer) throw new Error('unavailable');
        return answer;
      },
    },
  };
};

const agentOf = (
  broker: object,
  meter: ReturnType<ReturnType<typeof createHaproxy>['createMeter']>,
  ids: readonly string[] = CONNECTIONS,
) => {
  const { log, lines } = recordedLog();
  const { signal } = new AbortController();
  const deps = { broker, zoneId: 'h', zone: zoneOf(...ids), meter, log, signal };
  return { ...createTrafficReports(deps as unknown as Parameters<typeof createTrafficReports>[0]), lines };
};

const connection = fc.constantFrom(...CONNECTIONS);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('count' as const), connection, worker: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('look' as const),
      fate: fc.constantFrom<Fate>('taken', 'lost', 'reply lost', 'late'),
    }),
  },
  fc.record({
    is: fc.constantFrom('reload' as const, 'end' as const, 'kill' as const, 'agent' as const, 'arrive' as const),
  }),
);

describe('what has gone through', () => {
  it('is told in the end, once, whatever is lost, repeated or late, and never counts back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const haproxy = createHaproxy();
        const broker = createBroker();
        const way = createWay(broker);
        let meter = haproxy.createMeter();
        let agent = agentOf(way.broker, meter);
        const sent = new Map<string, bigint>();
        const shown = new Map<string, bigint>();
        for (const one of steps) {
          if (one.is === 'count') {
            haproxy.count(one.connection, one.worker);
            sent.set(one.connection, (sent.get(one.connection) ?? 0n) + 1n);
          } else if (one.is === 'look') {
            way.next(one.fate);
            await agent.look();
          } else if (one.is === 'arrive') way.arrive();
          else if (one.is === 'agent') {
            // What an agent has read is taken before it is killed: only then is nothing lost of what has ended.
            await agent.look();
            await agent.look();
            meter = haproxy.createMeter();
            agent = agentOf(way.broker, meter);
          } else {
            // A worker does not end before it was looked at, unless it is killed: then what it counted since is lost.
            await meter.look();
            haproxy[one.is]();
          }
          for (const id of CONNECTIONS) {
            expect(broker.total(id)).toBeGreaterThanOrEqual(shown.get(id) ?? 0n);
            expect(broker.total(id)).toBeLessThanOrEqual(sent.get(id) ?? 0n);
            shown.set(id, broker.total(id));
          }
        }
        way.next('taken');
        for (let looks = 0; looks < 3; looks++) await agent.look();
        way.arrive();
        for (const id of CONNECTIONS) expect(broker.total(id)).toBe(sent.get(id) ?? 0n);
      }),
      { numRuns: 300 },
    );
  });

  it('is told in full to a broker that has lost what it was told', async () => {
    const haproxy = createHaproxy();
    const broker = createBroker();
    const agent = agentOf(createWay(broker).broker, haproxy.createMeter());
    haproxy.count('ep-1', 0);
    await agent.look();
    broker.lose();
    await agent.look();
    expect(broker.total('ep-1')).toBe(1n);
  });

  it('is told by thousands', async () => {
    const haproxy = createHaproxy();
    const broker = createBroker();
    const requests: ReportTrafficRequest[] = [];
    const take = (request: ReportTrafficRequest) => {
      requests.push(request);
      return broker.take(request);
    };
    const ids = Array.from({ length: 2_500 }, (_, index) => `ep-${index}`);
    for (const id of ids) haproxy.count(id, 0);
    const agent = agentOf(createWay({ take }).broker, haproxy.createMeter(), ids);
    await agent.look();
    await agent.look();
    expect(requests.map(({ readings }) => readings.length)).toEqual([1_000, 1_000, 500, 0]);
    expect(ids.every((id) => broker.total(id) === 1n)).toBe(true);
  });

  it('is not told of what is no interface of the zone any more, and trouble is said once', async () => {
    const haproxy = createHaproxy();
    const broker = createBroker();
    const way = createWay(broker);
    const agent = agentOf(way.broker, haproxy.createMeter(), ['ep-2']);
    haproxy.count('ep-1', 0);
    for (const fate of ['lost', 'lost', 'taken'] as const) {
      way.next(fate);
      await agent.look();
    }
    expect(broker.total('ep-1')).toBe(0n);
    expect(agent.lines).toHaveLength(1);
  });
});
