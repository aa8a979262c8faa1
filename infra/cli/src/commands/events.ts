import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { accessOf } from '@privatelink/shared/grpc/access';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';
import { Command, Option } from 'commander';
import { call, requestFrom, type Target } from '../call.ts';
import { rpcNamed, type ServiceName } from '../contract.ts';
import { type Fact, factMessage, factOf, resourceOf, timeOf } from '../events/facts.ts';
import { merge, type Told } from '../events/merge.ts';
import { UsageError } from '../failure.ts';
import type { Json } from '../field-option.ts';
import { type Format, printEvent, type Screen } from '../output/print.ts';
import { openSession, type SessionOptions } from '../session.ts';

type Options = SessionOptions & Readonly<{ output: Format; timeout: number; from: string; filter?: string }>;

const services: readonly ServiceName[] = ['provider', 'consumer', 'broker', 'dns'];

const RETRY_MS = 1_000;

/** What happens to the account's resources, or to everybody's, as it happens. */
export const eventsCommand = (screen: Screen): Command =>
  new Command('events').description('follow').addCommand(
    new Command('follow')
      .description(
        'Tells what happens, in all services, until you end it: to the resources of --account as it may see them, without one to all. One line each, or a JSON object with -o json.',
      )
      .option('--from <place>', 'start (of everything), now, or a position: begins after it', 'now')
      .addOption(
        new Option(
          '--filter <text>',
          "which of them: resource_type, resource_id, type, account_ids, correlation_id, record_time, as in 'resource_id = ep-... AND type = HoldPlaced'",
        ),
      )
      .action(async (_, self: Command) => {
        const options = self.optsWithGlobals<Options>();
        const first = { ...beginning(options.from), ...(options.filter !== undefined && { filter: options.filter }) };
        const targets = await eventTargets('WatchEvents', options);
        const renewed = () => eventToken('WatchEvents', options);
        for await (const fact of merge(targets.map((target) => follow(target, first, renewed)))) {
          if (options.output === 'table') screen.write(`${lineOf(fact)}\n`);
          else printEvent(options.output, factMessage(), fact, screen);
        }
      }),
  );

const beginning = (from: string): Readonly<Record<string, Json>> => {
  if (from === 'start') return {};
  if (from === 'now') return { only_new: true };
  if (/^\d{1,19}$/.test(from)) return { after_position: from };
  throw new UsageError('--from must be start, now or a position');
};

const eventToken = (rpc: 'ListEvents' | 'WatchEvents', options: SessionOptions): Promise<string> =>
  openSession(options).token(accessOf(`privatelink.events.v1.EventsService/${rpc}`)?.roles ?? []);

/** Where each service answers about its events. */
export const eventTargets = async (
  rpc: 'ListEvents' | 'WatchEvents',
  options: SessionOptions & Readonly<{ timeout: number }>,
): Promise<readonly (Target & Readonly<{ service: ServiceName }>)[]> => {
  const session = openSession(options);
  const token = await eventToken(rpc, options);
  const timeoutMs = options.timeout * 1_000;
  return Promise.all(
    services.map(async (service) => ({ service, address: await session.address(service), token, timeoutMs })),
  );
};

export const eventsRpc = (name: 'ListEvents' | 'WatchEvents') => rpcNamed(name).method;

/** One service's facts, also over its restarts: after each it goes on where it was, with a token of that time. */
async function* follow(
  first: Target,
  asked: Readonly<Record<string, Json>>,
  renewed: () => Promise<string>,
): AsyncIterable<Told<Fact>> {
  const method = eventsRpc('WatchEvents');
  let target = first;
  let request = asked;
  for (;;) {
    try {
      for await (const answer of call(method, requestFrom(method, request), target)) {
        const { filter } = asked;
        request = { resume_token: answer['resume_token'] ?? '', ...(filter !== undefined && { filter }) };
        const fact = answer['event'] as Fact | undefined;
        yield fact ? { kind: 'fact', position: BigInt(fact.position), fact } : { kind: 'synced' };
      }
    } catch (error) {
      const isAway = error instanceof RemoteError && error.code === status.UNAVAILABLE;
      // One that never answered may be the wrong address.
      if (!isAway || request === asked) throw error;
    }
    await delay(RETRY_MS);
    target = { ...target, token: await renewed() };
  }
}

const lineOf = (fact: Fact): string => `${timeOf(fact)}  ${resourceOf(fact)}  ${factOf(fact)} by ${fact.actor}`;
