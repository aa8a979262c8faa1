import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { execute } from './execute.ts';
import { StepFailed } from './failures.ts';
import { prospectOf } from './rehearse.ts';
import { modelWorld } from './testing/world.ts';
import type { Declared, DeclaredSet, Fields } from './things.ts';

const SHOP = '1000000000000001';
const WEB = '2000000000000002';
const progress = { done: () => undefined, waiting: () => undefined };

type World = ReturnType<typeof modelWorld>;

const thing = (kind: Declared['kind'], name: string, fields: object, account = WEB): Declared => ({
  ...{ kind, name, account, id: '', fields: fields as Fields },
});

const setOf = (declared: readonly Declared[]): DeclaredSet => ({
  set: 'shop',
  accounts: [SHOP, WEB],
  declared,
});

const apply = async (world: World, set: DeclaredSet): Promise<number> => {
  const { plan, ids } = await prospectOf(set, world.invoke, true);
  await execute(set, plan, ids, { invoke: world.invoke, progress, waitMs: 1_000, pollMs: 1 });
  return plan.steps.length;
};

const planned = async (world: World, set: DeclaredSet) => (await prospectOf(set, world.invoke, true)).plan.steps;

const rule = (port: number) => ({
  ...{ policy: 'ALLOW', protocol: 'tcp', from_port: port, to_port: port, source_cidr: '10.0.0.0/8', priority: 1 },
});
const resource = (id: string, allocated: boolean) => ({
  ...{ resource_id: id, resource_type: 'NLB', zone_id: 'h', targets: [{ ip: '127.0.0.1', port: 80 }] },
  auto_allocated: allocated,
});

/** Sets with the same names, so that one follows on another: what is there, with which zones, users and labels. */
const sets: fc.Arbitrary<DeclaredSet> = fc
  .record({
    zones: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    groups: fc.subarray(['g1', 'g2'], { minLength: 1 }),
    users: fc.subarray([WEB, '3000000000000003', '*'], { minLength: 0 }),
    most: fc.option(fc.nat(3), { nil: undefined }),
    resources: fc.subarray(['r1', 'r2', 'r3'], { minLength: 1 }),
    allocated: fc.boolean(),
    domains: fc.subarray(['a.example', '*.b.example']),
    regions: fc.subarray(['shanghai', 'beijing']),
    described: fc.option(fc.constantFrom('', 'one', 'two'), { nil: undefined }),
    tags: fc.option(fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('', 'v')), { nil: undefined }),
    autoAccept: fc.option(fc.boolean(), { nil: undefined }),
    endpoints: fc.subarray(['e1', 'e2']),
    routed: fc.boolean(),
    decided: fc.option(fc.constantFrom('ACCEPTED', 'REJECTED'), { nil: undefined }),
  })
  .map((made) => {
    const description = made.described === undefined ? {} : { description: made.described };
    const tags = made.tags === undefined ? {} : { tags: made.tags };
    const term = made.most === undefined ? {} : { max_connections: made.most };
    const switches = made.zones.map((name, at) =>
      thing('VSwitch', name, {
        vpc_id: 'ref:net',
        zone_id: name,
        ipv4_cidr: `10.0.${'abc'.indexOf(name)}.0/24`,
        ...(at < 0 && {}),
      }),
    );
    const [first = ''] = made.endpoints;
    return setOf([
      // What refers comes before what it refers to: the order in a file says nothing.
      ...(first && made.decided
        ? [thing('Acceptance', 'decision', { connection_id: `ref:${first}`, decision: made.decided }, SHOP)]
        : []),
      ...made.endpoints.map((name) =>
        thing('Endpoint', name, {
          ...{ service: 'ref:orders', vpc_id: 'ref:net', ...description, ...tags },
          zones: made.zones.map((zone) => ({ vswitch_id: `ref:${zone}`, zone_id: zone })),
          security_group_ids: made.groups.map((group) => `ref:${group}`),
        }),
      ),
      ...(first && made.routed
        ? [
            thing('RouteTable', 'table', {
              vpc_id: 'ref:net',
              routes: [{ destination_cidr: '0.0.0.0/0', next_hop: `ref:${first}` }],
            }),
          ]
        : [thing('RouteTable', 'table', { vpc_id: 'ref:net', routes: [] })]),
      ...switches,
      ...made.groups.map((name, at) => thing('SecurityGroup', name, { vpc_id: 'ref:net', rules: [rule(80 + at * 0)] })),
      thing('Vpc', 'net', { ipv4_cidr: '10.0.0.0/16' }),
      thing(
        'EndpointService',
        'orders',
        {
          ...description,
          ...tags,
          ...(made.autoAccept === undefined ? {} : { auto_accept: made.autoAccept }),
          resources: made.resources.map((id) => resource(id, made.allocated)),
          users: made.users.map((account) => ({ account_id: account, ...term })),
          custom_domains: made.domains,
          supported_regions: made.regions,
        },
        SHOP,
      ),
    ]);
  });

const RUNS = { numRuns: 100 };

describe('what is applied', () => {
  it('is there: the next plan is empty, also before the lists know', async () => {
    await fc.assert(
      fc.asyncProperty(sets, sets, fc.boolean(), async (one, other, settled) => {
        const world = modelWorld();
        for (const set of [one, other, one]) {
          await apply(world, set);
          if (settled) world.settle();
          expect(await planned(world, set)).toEqual([]);
          world.settle();
        }
      }),
      RUNS,
    );
  });

  it('is there after any interruption and another run, and nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(sets, sets, fc.integer({ min: 1, max: 25 }), fc.boolean(), async (one, other, at, after) => {
        const world = modelWorld();
        for (const set of [one, other]) {
          world.interrupt(at, after);
          const failure = await apply(world, set).catch((error: unknown) => error);
          if (failure instanceof Error) expect(failure).toBeInstanceOf(StepFailed);
          world.interrupt(Number.POSITIVE_INFINITY, false);
          await apply(world, set);
          expect(await planned(world, set)).toEqual([]);
          const made = set.declared.filter(({ kind }) => kind !== 'Acceptance');
          expect(world.rows.size).toBe(made.length);
          world.settle();
        }
      }),
      RUNS,
    );
  });

  it('is made again where somebody deleted it by hand, how often ever', async () => {
    await fc.assert(
      fc.asyncProperty(sets, fc.nat(10), async (set, which) => {
        const world = modelWorld();
        await apply(world, set);
        for (let time = 0; time < 3; time++) {
          world.settle();
          const [...ids] = world.rows.keys();
          const endpoint = ids.filter((id) => id.startsWith('ep-'))[which % 2];
          if (endpoint === undefined) return;
          world.deleteByHand(endpoint);
          expect(await apply(world, set)).toBeGreaterThan(0);
          expect(await planned(world, set)).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it('is all gone when nothing is declared any more and it is pruned', async () => {
    await fc.assert(
      fc.asyncProperty(sets, async (set) => {
        const world = modelWorld();
        await apply(world, set);
        world.settle();
        const kept = await prospectOf({ ...set, declared: [] }, world.invoke, false);
        expect(kept.plan.steps).toEqual([]);
        expect(kept.plan.orphans).toHaveLength(world.rows.size);
        await apply(world, { ...set, declared: [] });
        expect(world.rows.size).toBe(0);
      }),
      RUNS,
    );
  });
});
