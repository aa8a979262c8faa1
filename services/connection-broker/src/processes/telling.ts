import type { Folded } from '@privatelink/shared/app/fold';
import { forEachLimit } from '@privatelink/shared/app/for-each-limit';
import { processContext } from '@privatelink/shared/app/process-context';
import { foldIn, idsIn, within } from '@privatelink/shared/app/rehearse';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { Rehearsal } from '@privatelink/shared/eventing/rehearsal';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { ConnectionsQuery } from '../read-models/connections.ts';
import type { Repositories } from '../repositories.ts';
import { factsForConnection } from '../scope-facts/facts-for-connection.ts';
import type { ScopeFacts, ScopeFactsCommand } from '../scope-facts/scope-facts.ts';

/**
 * Tells the connections of a scope what became known of it.
 *
 * Each version of a scope's facts is told to every connection that was requested before it, page by page; the later
 * ones ask for themselves. When a service, or a region of it, was closed and all have torn down, the provider service is told, once.
 */
export type TellingDeps = Repositories &
  Readonly<{ connectionRows: ConnectionsQuery; provider: ProviderPort; clock: Clock }>;

const PAGE = 500;
const CONCURRENCY = 32;
const LOOK_AGAIN_MS = 250;

export type Telling = Readonly<{
  reactor: Reactor;
  /** Rehearses what the connections of a rehearsal's scopes would make of its facts. */
  foresee: (rehearsal: Rehearsal) => Promise<void>;
}>;

export const telling = (deps: TellingDeps): Telling => {
  const { connections, scopes, fanOuts, connectionRows, provider, clock } = deps;

  const inform = (
    rows: Awaited<ReturnType<ConnectionsQuery['ofScope']>>,
    scope: string,
    facts: ScopeFacts,
    context: (step: string) => CommandContext,
  ): Promise<void> =>
    forEachLimit(rows, CONCURRENCY, async ({ key, state }) => {
      const command = { type: 'ApplyFacts', data: { facts: factsForConnection(state, scope, facts) } } as const;
      await connections.execute(key, command, context(`tell/${key}`));
    });

  const tell = async (scope: string, facts: Folded<ScopeFacts>): Promise<void> => {
    const { version } = facts.state;
    const context = (step: string) => processContext(`${step}/${scope}`, facts, clock.now(), { service: 'broker' });
    const start = { type: 'StartFanOut', data: { factsVersion: version, position: String(facts.position) } } as const;
    let run = (await fanOuts.execute(scope, start, context('startFanOut'))).latest.state;
    await connectionRows.waitFor(BigInt(run.position));
    while (!run.completed && run.factsVersion === version) {
      const rows = await connectionRows.ofScope(scope, run.cursor, PAGE);
      await inform(rows, scope, facts.state, context);
      const last = rows.at(-1);
      if (last) {
        const data = { factsVersion: version, cursor: last.key, told: run.told + rows.length };
        const page = context(`page/${last.key}`);
        run = (await fanOuts.execute(scope, { type: 'RecordPage', data }, page)).latest.state;
      }
      if (rows.length < PAGE) {
        const complete = { type: 'CompleteFanOut', data: { factsVersion: version } } as const;
        run = (await fanOuts.execute(scope, complete, context('completeFanOut'))).latest.state;
      }
    }
  };

  const foresee = async (rehearsal: Rehearsal): Promise<void> => {
    for (const scope of idsIn(rehearsal, scopes.category)) {
      const facts = await foldIn(rehearsal, scopes, scope);
      const rows = await connectionRows.ofScope(scope, '', PAGE);
      await inform(rows, scope, facts.state, (step) =>
        within(rehearsal, processContext(`${step}/${scope}`, facts, clock.now(), { service: 'broker' })),
      );
      if (rows.length === PAGE) rehearsal.truncated.value = true;
    }
  };

  /** True when nothing that was closed is left to wait for. */
  const confirmTeardown = async (serviceId: string, facts: Folded<ScopeFacts>): Promise<boolean> => {
    const { closing, regionClosings } = facts.state;
    let isComplete = true;
    for (const [regionId, { status, revision }] of [
      ...(closing ? [[null, closing] as const] : []),
      ...Object.entries(regionClosings),
    ]) {
      if (status !== 'CLOSED') continue;
      const { pending, total } = await connectionRows.teardownOf(serviceId, regionId);
      if (pending > 0) isComplete = false;
      else await completeTeardown(serviceId, { regionId, revision, connectionCount: total }, facts);
    }
    return isComplete;
  };

  const completeTeardown = async (
    serviceId: string,
    data: Extract<ScopeFactsCommand, { type: 'CompleteServiceTeardown' }>['data'],
    facts: Folded<ScopeFacts>,
  ): Promise<void> => {
    const { regionId, revision, connectionCount } = data;
    await provider.confirmServiceTeardown(serviceId, revision, connectionCount, facts.cause);
    const step = `completeTeardown/${serviceId}/${regionId ?? ''}`;
    const context = processContext(step, facts, clock.now(), { service: 'broker' });
    await scopes.execute(serviceId, { type: 'CompleteServiceTeardown', data }, context);
  };

  return {
    foresee,
    reactor: {
      name: 'telling',
      prefixes: ['facts-', 'connection-'],
      key: scopeConcerned,
      work: async (scope) => {
        const facts = await scopes.fold(scope);
        if (facts.revision === null) return 'settled';
        await tell(scope, facts);
        return (await confirmTeardown(scope, facts)) ? 'settled' : { againMs: LOOK_AGAIN_MS };
      },
    },
  };
};

/** A scope's own facts; and the end of a connection, for the service that may wait for it. */
const scopeConcerned = (event: StoredEvent): string | null => {
  if (event.stream.startsWith('facts-')) return idOfStream(event.stream);
  const ended = event.type.startsWith('TeardownConfirmed.') || event.type.startsWith('ConnectionDeleted.');
  return ended ? (event.data as { serviceId: string }).serviceId || null : null;
};
