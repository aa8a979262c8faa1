import type { Entry, Outcome } from '../world/client.ts';
import type { Step } from './step.ts';

/** A request that was sent once is sent again, while its first try may still be under way. */
export const repeatRequest: Step = async ({ client, random }) => {
  if (client.journal.length > 0) await client.repeat(random.pick(client.journal));
};

/** By request: the last revision that its events have. */
export type Recorded = ReadonlyMap<string, bigint>;

/** What a request that changed something answers again is what it answered first. Null: it is. */
export const differenceOf = (entry: Entry, again: Outcome, recorded: Recorded): string | null => {
  const first = entry.outcome;
  // One whose effect held already has left no trace: it is decided anew.
  if (first.kind !== 'done' || recorded.get(recordedAs(entry)) !== revisionOf(first.reply)) return null;
  const what = `${entry.service}.${entry.rpc} ${JSON.stringify(entry.request, asText)}`;
  if (again.kind === 'done') {
    const [before, after] = [revisionOf(first.reply), revisionOf(again.reply)];
    return before === after ? null : `${what} answered revision ${before}, and its repetition ${after}`;
  }
  const reason = again.kind === 'refused' ? again.reason : '';
  // What is gone is not there for any request but that which ended it, however often it is repeated.
  if (reason.endsWith('_NOT_FOUND') && !entry.rpc.startsWith('delete')) return null;
  // While the broker was away, a request was answered before it was decided.
  if (reason === 'ENDPOINT_SERVICE_IN_USE' || reason === 'RESOURCE_IN_USE') return null;
  if (reason === 'SUPPORTED_REGION_IN_USE') return null;
  return `${what} succeeded, and its repetition is ${JSON.stringify(again)}`;
};

/** The request's id as its events keep it. */
const recordedAs = ({ who, service, rpc, request }: Entry): string => {
  const Service = `${service.charAt(0).toUpperCase()}${service.slice(1)}Service`;
  const method = `privatelink.${service}.v1.${Service}/${rpc.charAt(0).toUpperCase()}${rpc.slice(1)}`;
  return `${who.account || `user:${who.role}`}/${method}/${(request as { requestId?: string }).requestId}`;
};

const revisionOf = (reply: object): bigint => ('revision' in reply ? BigInt(reply.revision as bigint) : -1n);

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
