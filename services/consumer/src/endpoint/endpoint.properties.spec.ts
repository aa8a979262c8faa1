import { Rejected } from '@privatelink/shared/eventing/rejected';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint } from './endpoint.decide.ts';
import {
  attachmentOf,
  type Endpoint,
  type EndpointCommand,
  type EndpointEvent,
  endpointTransitions,
} from './endpoint.ts';
import {
  abandon,
  abandonPart,
  activate,
  addZone,
  at,
  attach,
  CAROL,
  complete,
  confirm,
  create,
  DAVE,
  detach,
  domains,
  inform,
  ipv6,
  lock,
  releasedParts,
  remove,
  removeZone,
  setPolicy,
  unlock,
  update,
} from './testing/fixtures.ts';

const letter = fc.constantFrom('a', 'b', 'c');
const version = fc.integer({ min: 0, max: 30 });
const life = fc.constantFrom(create, abandon, activate, remove(CAROL), remove(DAVE), complete);
const change: fc.Arbitrary<EndpointCommand> = fc.oneof(
  fc.tuple(letter, fc.constantFrom('1', '2')).map(([zone, eni]) => addZone(zone, { eni: `eni-${zone}${eni}` })),
  letter.map((zone) => removeZone(`zone-${zone}`)),
  fc.tuple(fc.constantFrom('sg-1', 'sg-2'), letter).map(([id, part]) => attach(id, `sga-${id}-${part}`)),
  fc.constantFrom(detach('sg-1'), detach('sg-2'), setPolicy(''), setPolicy('{}')),
  fc.constantFrom('cdr-1', 'cdr-2').map((id) => update({ customDomains: domains(id, 'db.example.com') })),
  fc.constant(update({ customDomains: 'off' })),
  fc
    .tuple(fc.constantFrom('ip6-1', 'ip6-2'), fc.subarray(['a', 'a1', 'b1', 'c2']))
    .map(([id, zones]) => update({ addressType: ipv6(id, ...zones) })),
  fc.constantFrom(lock(), lock('more'), unlock, update({ protected: true }), update({ protected: false })),
  version.map(confirm),
  version.map(inform),
  fc.constantFrom('eni-a1', 'eni-b2', 'sg-1', 'sga-sg-1-a').map((id) => releasedParts(id)),
  fc.constantFrom('eni-a2', 'eni-b1', 'sga-sg-2-b', 'ip6-2').map(abandonPart),
);
const commands = fc.array(fc.oneof({ weight: 1, arbitrary: life }, { weight: 4, arbitrary: change }), {
  maxLength: 30,
});
const livings = fc.tuple(fc.boolean(), commands).map(([isBorn, rest]) => (isBorn ? [create, activate, ...rest] : rest));

type Step = Readonly<{ before: Endpoint; command: EndpointCommand; events: readonly EndpointEvent[]; after: Endpoint }>;

const play = (given: readonly EndpointCommand[]): Step[] => {
  let before = endpoint.initial;
  return given.map((command) => {
    let events: readonly EndpointEvent[] = [];
    try {
      events = endpoint.decide(command, before, at);
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
    }
    const after = events.reduce(endpoint.evolve, before);
    const step = { before, command, events, after };
    before = after;
    return step;
  });
};
const eventsOf = (given: readonly EndpointCommand[]) => play(given).flatMap(({ events }) => events);
const moveOf = ({ data }: EndpointEvent) => ('move' in data ? data.move : null);

describe('whatever comes', () => {
  it('exactly one of creation and its abandoning is the first event', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const types = eventsOf(given).map(({ type }) => type);
        const first = types.filter((type) => type === 'EndpointCreated' || type === 'EndpointCreationAbandoned');
        expect(first).toEqual(types.slice(0, 1));
      }),
    );
  });

  it('the transition table is never left, each of its rows is reached, and one append makes one move at most', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(livings, (given) => {
        let status: string | null = null;
        for (const { events, after } of play(given)) {
          const moves = events.flatMap((event) => moveOf(event) ?? []);
          expect(moves.length).toBeLessThanOrEqual(1);
          for (const { from, to, because } of moves) {
            expect(from).toBe(status);
            const row = endpointTransitions.find((each) => each.on === because && each.to === to);
            expect(row?.from).toContain(from);
            reached.add(`${from} ${because} ${to}`);
            status = to;
          }
          expect(after.status).toBe(status);
        }
      }),
      { numRuns: 2_000 },
    );
    const rows = endpointTransitions.flatMap(({ from, on, to }) => from.map((each) => `${each} ${on} ${to}`));
    expect([...reached].sort()).toEqual(rows.sort());
  });

  it('a repeated command changes nothing', () => {
    fc.assert(
      fc.property(livings, (given) => {
        for (const { command, after } of play(given)) {
          let again: readonly EndpointEvent[] = [];
          try {
            again = endpoint.decide(command, after, at);
          } catch (error) {
            if (!(error instanceof Rejected)) throw error;
          }
          expect(again).toEqual([]);
        }
      }),
    );
  });

  it('it has a zone and a security group, each zone once, and the state stays JSON', () => {
    fc.assert(
      fc.property(livings, (given) => {
        let count = 0;
        for (const { events, after } of play(given)) {
          count += events.length;
          expect(after.version).toBe(count);
          expect(JSON.parse(JSON.stringify(after))).toEqual(after);
          if (after.createdAt === '') continue;
          expect(after.zones.length).toBeGreaterThan(0);
          expect(after.securityGroupIds.length).toBeGreaterThan(0);
          const places = [...after.zones, ...after.removing].map(({ zoneId }) => zoneId);
          expect(new Set(places).size).toBe(places.length);
        }
      }),
    );
  });

  it('while it is locked its owner changes nothing', () => {
    fc.assert(
      fc.property(livings, (given) => {
        for (const { before, after } of play(given)) {
          if (!before.lock) continue;
          const own = ({
            zones,
            addressType,
            securityGroupIds,
            policy,
            description,
            tags,
            customDomains,
          }: Endpoint) => [
            ...[zones, addressType, securityGroupIds, policy, description, tags, customDomains, before.protected],
          ];
          expect(own(after)).toEqual(own(before));
        }
      }),
    );
  });

  it('what is reserved for it is needed, or being released, or was never added: never two of these', () => {
    fc.assert(
      fc.property(livings, (given) => {
        for (const { after } of play(given)) {
          const needed = [
            ...[...after.zones, ...after.removing].map(({ eniId }) => eniId),
            ...after.securityGroupIds.map((id) => attachmentOf(after, id)),
            ...(after.customDomains ? [after.customDomains.reservationId] : []),
            ...after.retiring,
            ...(after.ipv6ReservationId === '' ? [] : [after.ipv6ReservationId]),
          ];
          const parts = [...needed, ...after.unreleased, ...after.abandoned];
          expect(new Set(parts).size).toBe(parts.length);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('a change ends once the connection has its newest zones', () => {
    fc.assert(
      fc.property(livings, (given) => {
        const end = play(given).at(-1)?.after ?? endpoint.initial;
        if (end.status !== 'CHANGING') return;
        const [event] = endpoint.decide(confirm(end.unconfirmed ?? end.version), end, at);
        expect(event?.type).toBe('ChangeCompleted');
      }),
    );
  });
});
