import { createHash } from 'node:crypto';
import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import type { Logger } from 'pino';
import { listNamespaces } from '../haproxy/namespaces.ts';
import type { Limit, Limits } from './limits.ts';
import { complaintOf, nft } from './nft.ts';
import { changes, type Rules, replacement, rulesOf } from './ruleset.ts';

export type NftablesOptions = Readonly<{ zoneId: string; directory: string; log: Logger }>;

const PARALLEL = 4;

/** What is in place in a namespace, and how its chain was listed then. */
type Known = Readonly<{ rules: Rules; listing: string }>;

/**
 * Limits are kept by the kernel, in a table of the zone and the directory in each network namespace that has any: also while
 * no agent runs, and over all of HAProxy's processes. Nothing else in nftables is touched.
 */
export const nftablesLimits = ({ zoneId, directory, log }: NftablesOptions): Limits => {
  const table = `privatelink-${createHash('sha256').update(`${zoneId} ${directory}`).digest('hex').slice(0, 16)}`;
  const known = new Map<string | null, Known>();
  /** Whether agents before this one have left nothing elsewhere. */
  let isSwept = false;
  /** Whether the program is there, and the right to use it. */
  let isAble = false;
  let complaint = '';

  /** @returns why nothing can be kept on this machine */
  const findObstacle = async (): Promise<string | null> => {
    if (isAble) return null;
    const obstacle = await nft(null, ['list', 'tables']).then(() => null, complaintOf);
    isAble = obstacle === null;
    return obstacle;
  };

  const list = (namespace: string | null): Promise<string> => nft(namespace, ['list', 'chain', 'inet', table, 'input']);

  const put = async (namespace: string | null, rules: Rules): Promise<void> => {
    const before = known.get(namespace);
    const text = before && rules.size > 0 ? changes(table, before.rules, rules) : replacement(table, rules);
    if (text === '') return;
    known.delete(namespace);
    await nft(namespace, ['-f', '-'], text);
    if (rules.size > 0) known.set(namespace, { rules, listing: before?.listing ?? (await list(namespace)) });
  };

  const complain = (reason: string, message: string): void => {
    if (reason !== '' && reason !== complaint) log.warn({ reason }, message);
    if (reason === '' && complaint !== '') log.info('bandwidth limits are kept after all');
    complaint = reason;
  };

  return {
    apply: async (limits, hurry) => {
      const wanted = Map.groupBy(limits, namespaceOf);
      const why = wanted.size === 0 && known.size === 0 && isSwept ? null : await findObstacle();
      if (why !== null) {
        complain(limits.length > 0 ? why : complaint, 'bandwidth limits are not kept here');
        return { connectionIds: new Set(limits.map(({ connectionId }) => connectionId)), again: false };
      }
      const existing = new Set([null, ...(await listNamespaces())]);
      const concerned = new Set([...wanted.keys(), ...known.keys(), ...(isSwept ? [] : existing)]);
      const unkept = new Set<string>();
      let problem = '';
      await forEachLimit([...concerned], PARALLEL, async (namespace) => {
        if (hurry.aborted) return;
        const mine = wanted.get(namespace) ?? [];
        try {
          if (existing.has(namespace)) return await put(namespace, rulesOf(mine));
          known.delete(namespace);
        } catch (error) {
          // One that has gone meanwhile has nothing left.
          if (mine.length > 0 || (await listNamespaces()).includes(namespace ?? ''))
            problem = complaintOf(error as Error);
        }
        for (const { connectionId } of mine) unkept.add(connectionId);
      });
      // What could not be taken away is looked for everywhere.
      isSwept = problem === '' && (isSwept || !hurry.aborted);
      complain(problem, 'a bandwidth limit is not kept; it is tried again');
      return { connectionIds: unkept, again: problem !== '' || unkept.size > 0 };
    },
    check: async (hurry) => {
      let isUndone = false;
      await forEachLimit([...known], PARALLEL, async ([namespace, { listing }]) => {
        if (hurry.aborted || (await list(namespace).catch(() => '')) === listing) return;
        known.delete(namespace);
        isUndone = true;
        log.warn({ namespace, table }, 'bandwidth limits were taken away by somebody; they are put in place again');
      });
      return isUndone;
    },
  };
};

/** All places of an interface are in one. */
const namespaceOf = ({ binds }: Limit): string | null => binds[0]?.namespace ?? null;
