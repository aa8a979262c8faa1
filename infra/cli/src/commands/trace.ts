import { Command } from 'commander';
import { call, requestFrom } from '../call.ts';
import type { ServiceName } from '../contract.ts';
import { type Fact, factOf, resourceOf, timeOf } from '../events/facts.ts';
import { UsageError } from '../failure.ts';
import type { Json } from '../field-option.ts';
import { type Format, print, type Screen } from '../output/print.ts';
import type { SessionOptions } from '../session.ts';
import { eventsRpc, eventTargets } from './events.ts';

type Traced = Readonly<{ service: ServiceName; fact: Fact }>;

const PAGE_SIZE = 500;

/** Everything that one request has caused, in all services. */
export const traceCommand = (screen: Screen): Command =>
  new Command('trace')
    .description(
      'What one request has caused, in all services, in order: when, where, what, by whom and because of what.',
    )
    .argument('<correlation-id>', 'as events name it, or as it was sent in x-correlation-id')
    .action(async (correlationId: string, _, self: Command) => {
      if (!/^[A-Za-z0-9._:/+@-]{1,128}$/.test(correlationId))
        throw new UsageError(`${correlationId} is no correlation id`);
      const options = self.optsWithGlobals<SessionOptions & { output: Format; timeout: number }>();
      const method = eventsRpc('ListEvents');
      const filter = `correlation_id = "${correlationId}"`;
      const traced: Traced[] = [];
      for (const { service, ...target } of await eventTargets('ListEvents', options)) {
        let pageToken = '';
        do {
          const request = { page_size: PAGE_SIZE, page_token: pageToken, filter };
          for await (const page of call(method, requestFrom(method, request), target)) {
            for (const fact of page['events'] as unknown as readonly Fact[]) traced.push({ service, fact });
            pageToken = String(page['next_page_token'] ?? '');
          }
        } while (pageToken !== '');
      }
      traced.sort((a, b) => (BigInt(a.fact.position) < BigInt(b.fact.position) ? -1 : 1));
      if (options.output === 'table') for (const line of story(traced)) screen.write(`${line}\n`);
      else print(options.output, method.output, { events: traced.map(({ fact }) => fact as Json) }, screen);
    });

/** A line for each fact, under headings. */
const story = (traced: readonly Traced[]): readonly string[] => {
  if (traced.length === 0) return ['(none)'];
  const typeOf = new Map(traced.map(({ fact }) => [fact.event_id, fact.type]));
  const rows = [
    ['TIME', 'SERVICE', 'RESOURCE', 'FACT', 'ACTOR', 'CAUSE'],
    ...traced.map(({ service, fact }) => [
      ...[timeOf(fact), service, resourceOf(fact), factOf(fact), fact.actor],
      typeOf.get(fact.causation_id) ?? fact.causation_id,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};
