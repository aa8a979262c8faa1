import { CANCELLED, Resolver, TIMEOUT } from 'node:dns/promises';

/** What DNS says of the TXT records of a name; `unknown` when it says neither that there are any nor that there are none. */
export type TxtAnswer =
  | Readonly<{ kind: 'found'; texts: readonly string[] }>
  | Readonly<{ kind: 'absent' }>
  | Readonly<{ kind: 'unknown'; why: string }>;

export type TxtRecords = Readonly<{ lookUp: (name: string) => Promise<TxtAnswer> }>;

/** Of each resolver. Callers try again when nothing is known, so that what a resolver found late is there by then. */
const TIMEOUT_MS = 400;
/** For all resolvers together: callers who try four times have an answer before they give up. */
const PATIENCE_MS = 800;
const TRIES = 1;
/** The name does not exist, or it does and has no such record. */
const ABSENT = ['ENOTFOUND', 'ENODATA'];

/** Asks recursive resolvers; this machine's own unless some are named. */
export const txtRecords = (resolvers: readonly string[] | undefined): TxtRecords => ({
  lookUp: async (name) => {
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
    if (resolvers) resolver.setServers(resolvers);
    const timer = setTimeout(() => resolver.cancel(), PATIENCE_MS);
    try {
      const records = await resolver.resolveTxt(name);
      return { kind: 'found', texts: records.map((parts) => parts.join('')) };
    } catch (error) {
      const told = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      const code = told === CANCELLED ? TIMEOUT : told;
      return ABSENT.includes(code) ? { kind: 'absent' } : { kind: 'unknown', why: code };
    } finally {
      clearTimeout(timer);
    }
  },
});
