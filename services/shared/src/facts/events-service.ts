import type { EventsServiceServer, WatchEventsRequest } from '@privatelink/proto/events/v1/events_service';
import type { Fact } from '@privatelink/proto/events/v1/fact';
import type { RpcContext } from '../grpc/context.ts';
import { type ListDeps, listPage } from '../grpc/list-page.ts';
import { readListQuery } from '../grpc/list-query.ts';
import type { ResumeTokens } from '../grpc/resume-token.ts';
import { serverStream, unary } from '../grpc/unary.ts';
import { violations } from '../grpc/validate.ts';
import { eventFields } from './events.ts';
import { type FollowFactsDeps, followFacts } from './follow-facts.ts';
import type { PublicFact } from './public-fact.ts';
import { recordedFacts } from './recorded-facts.ts';

export type EventsServiceDeps = FollowFactsDeps & Readonly<{ lists: ListDeps; resumeTokens: ResumeTokens }>;

/** What happened to a service's resources, to whom it concerns. */
export const eventsService = (deps: EventsServiceDeps): EventsServiceServer => {
  const { store, events, lists, openPast, resumeTokens } = deps;

  /** After which position to begin. */
  const beginning = async (request: WatchEventsRequest, { accountId }: RpcContext['caller']): Promise<bigint> => {
    const { resumeToken, afterPosition, onlyNew } = request;
    const ways = [resumeToken !== '', afterPosition !== undefined, onlyNew].filter(Boolean).length;
    const v = violations();
    v.check('resume_token', ways <= 1, 'must not come with another way to begin');
    if (afterPosition !== undefined)
      v.check('after_position', afterPosition <= (await store.tail()), 'must not be beyond the last event');
    v.throwIfAny();
    if (resumeToken !== '') return resumeTokens.read(accountId, resumeToken);
    return onlyNew ? store.tail() : (afterPosition ?? 0n);
  };

  return {
    watchEvents: serverStream(async function* (request, rpc) {
      const { condition } = readListQuery(eventFields, { filter: request.filter });
      const after = await beginning(request, rpc.caller);
      const accountId = seer(rpc);
      for await (const told of followFacts(deps, { accountId, condition, after, signal: rpc.signal })) {
        const resumeToken = resumeTokens.issue(rpc.caller.accountId, told.position);
        yield told.kind === 'fact'
          ? { told: { $case: 'event' as const, value: seen(told.fact, rpc, accountId) }, resumeToken }
          : { told: { $case: 'synced' as const, value: { position: told.position } }, resumeToken };
      }
    }),

    listEvents: unary(async (request, rpc) => {
      const accountId = seer(rpc);
      const where = accountId === null ? {} : { account_ids: accountId };
      const { rows, ...page } = await listPage(lists, events, request, rpc, where, { fields: eventFields });
      const facts = await recordedFacts(store, openPast(), rows);
      return { ...page, events: facts.map((fact) => fact.seenBy(accountId)) };
    }),
  };
};

/** Services are told what is announced to them. */
const seen = (fact: PublicFact, { caller }: RpcContext, accountId: string | null): Fact =>
  caller.roles.includes('service') ? fact.whole() : fact.seenBy(accountId);

/** Through whose eyes the caller sees; null for everything. */
const seer = (rpc: RpcContext): string | null => (rpc.allows() ? null : rpc.caller.accountId);
