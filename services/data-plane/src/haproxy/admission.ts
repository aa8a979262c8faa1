import {
  type Bind,
  bindKey,
  type Forward,
  formatEndpoint,
  malformation,
  nameOf,
  namespacesOf,
  type Refusal,
} from './forward.ts';
import { identifyNamespaces } from './namespaces.ts';
import { bindsOf } from './render.ts';

export type Admission = Readonly<{
  /** With those of their binds that can be. */
  admitted: readonly Forward[];
  refused: readonly Refusal[];
  /** What identifies the namespaces that they need. */
  namespaces: ReadonlyMap<string, string>;
  /** Keys of binds that HAProxy holds in a namespace that is no more, but whose name another has. */
  stale: ReadonlySet<string>;
}>;

/** Which binds cannot be, by their keys, and why. */
export type Probe = (binds: readonly Bind[]) => Promise<ReadonlyMap<string, string>>;

type Holder = Readonly<{ name: string; generation: string | null }>;

/**
 * Which of the forwards HAProxy can do. What it holds already (the sections that it runs) is not asked for again, and
 * goes to nobody else.
 */
export const admitForwards = async (
  forwards: readonly Forward[],
  running: ReadonlyMap<string, string>,
  probe: Probe,
): Promise<Admission> => {
  const refused: Refusal[] = [];
  const refuse = ({ connectionId, port }: Forward, reason: string) => refused.push({ connectionId, port, reason });

  const wellFormed = new Map<string, Forward>();
  for (const forward of forwards) {
    const problem = malformation(forward) ?? (wellFormed.has(nameOf(forward)) ? 'it is there twice' : null);
    if (problem) refuse(forward, problem);
    else wellFormed.set(nameOf(forward), forward);
  }
  const namespaces = await identifyNamespaces([...wellFormed.values()].flatMap(namespacesOf));
  const held = holdersOf(running);
  const owners = ownersOf(wellFormed, held);

  const wanted = new Map<string, Bind>();
  const stale = new Set<string>();
  for (const [key, { bind }] of owners) {
    if (bind.namespace !== null && !namespaces.has(bind.namespace)) continue;
    const holder = held.get(key);
    const generation = bind.namespace === null ? null : namespaces.get(bind.namespace);
    if (holder?.generation === generation) continue;
    wanted.set(key, bind);
    if (holder) stale.add(key);
  }
  const failures = await probe([...wanted.values()]);

  const admitted = [...wellFormed].map(([name, forward]): Forward => {
    const noNamespace = (namespace: string | null) =>
      namespace === null || namespaces.has(namespace) ? null : `there is no namespace ${namespace}`;
    const problemOf = (bind: Bind): string | null => {
      const key = bindKey(bind);
      const owner = owners.get(key)?.name ?? name;
      const problem = owner === name ? failures.get(key) : `${owner} listens there`;
      return noNamespace(bind.namespace) ?? (problem === undefined ? null : `${describe(bind)}: ${problem}`);
    };
    const untargeted = noNamespace(forward.targetNamespace);
    const problem = untargeted ?? forward.binds.map(problemOf).find((one) => one !== null);
    if (problem) refuse(forward, problem);
    const binds = new Map(forward.binds.map((bind) => [bindKey(bind), bind]));
    return { ...forward, binds: untargeted ? [] : [...binds.values()].filter((bind) => problemOf(bind) === null) };
  });
  return { admitted, refused, namespaces, stale };
};

const describe = ({ host, port, namespace }: Bind): string =>
  `${formatEndpoint(host, port)}${namespace === null ? '' : ` in ${namespace}`}`;

/** Whose the addresses are that HAProxy listens on, by the keys of the binds. */
const holdersOf = (running: ReadonlyMap<string, string>): ReadonlyMap<string, Holder> =>
  new Map(
    [...running].flatMap(([name, section]) =>
      bindsOf(section).map(
        ({ address, namespace, generation }) => [`${namespace ?? ''}/${address}`, { name, generation }] as const,
      ),
    ),
  );

/** Who of those that want an address gets it: who has it already, else the first. */
const ownersOf = (
  forwards: ReadonlyMap<string, Forward>,
  held: ReadonlyMap<string, Holder>,
): ReadonlyMap<string, Readonly<{ name: string; bind: Bind }>> => {
  const owners = new Map<string, Readonly<{ name: string; bind: Bind }>>();
  for (const [name, { binds }] of forwards) {
    for (const bind of binds) {
      const key = bindKey(bind);
      if (!owners.has(key) || held.get(key)?.name === name) owners.set(key, { name, bind });
    }
  }
  return owners;
};
