import { Resolver } from 'node:dns/promises';

/** What DNS says of the TXT records of a name; `unknown` when it says neither that there are any nor that there are none. */
export type TxtAnswer =
  | Readonly<{ kind: 'found'; texts: readonly string[] }>
  | Readonly<{ kind: 'absent' }>
  | Readonly<{ kind: 'unknown'; why: string }>;

export type TxtRecords = Readonly<{ lookUp: (name: string) => Promise<TxtAnswer> }>;

/** Of each resolver, all asked at once. Callers try again when nothing is known, and a resolver has found it by then. */
const TIMEOUT_MS = 500;
/** The name does not exist, or it does and has no such record. */
const ABSENT = ['ENOTFOUND', 'ENODATA'];

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const ask = async (resolver: Resolver, name: string): Promise<TxtAnswer> => {
  try {
    const records = await resolver.resolveTxt(name);
    return { kind: 'found', texts: records.map((parts) => parts.join('')) };
  } catch (error) {
    if (ABSENT.includes(codeOf(error))) return { kind: 'absent' };
    throw error;
  }
};

/** Asks recursive resolvers, and takes what the first of them knows; this machine's own unless some are named. */
export const txtRecords = (named: readonly string[] | undefined): TxtRecords => ({
  lookUp: async (name) => {
    const resolvers = (named ?? new Resolver().getServers()).map((server) => {
      const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
      resolver.setServers([server]);
      return resolver;
    });
    try {
      return await Promise.any(resolvers.map((resolver) => ask(resolver, name)));
    } catch (error) {
      const [first] = error instanceof AggregateError ? error.errors : [error];
      return { kind: 'unknown', why: codeOf(first) };
    } finally {
      for (const resolver of resolvers) resolver.cancel();
    }
  },
});
