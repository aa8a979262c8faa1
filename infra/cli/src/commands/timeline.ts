import { Command } from 'commander';
import { call, requestFrom } from '../call.ts';
import { type Json, shortValue } from '../field-option.ts';
import { openCall } from '../open-call.ts';
import { type Format, print, type Screen } from '../output/print.ts';
import type { SessionOptions } from '../session.ts';

type Event = Readonly<{
  revision: string;
  record_time: string;
  type: string;
  actor: string;
  transition?: Readonly<{ from: string; to: string; because: string }>;
  holds?: readonly string[];
}>;

const PAGE_SIZE = 500;
/** Where the facts of the lines begin. */
const INDENT = 25;

/** What became of a connection, from its first event to its last. */
export const timelineCommand = (screen: Screen): Command =>
  new Command('timeline')
    .description('What became of a connection, from its first event on: when, who, what, why.')
    .argument('<connection-id>', 'the id of its endpoint')
    .action(async (connectionId: string, _, self: Command) => {
      const options = self.optsWithGlobals<SessionOptions & { output: Format; timeout: number }>();
      const { method, target } = await openCall('broker', 'ListConnectionEvents', options);
      const all: Json[] = [];
      let pageToken = '';
      do {
        const request = { connection_id: connectionId, page_size: PAGE_SIZE, page_token: pageToken };
        for await (const page of call(method, requestFrom(method, request), target)) {
          const events = page['events'] as unknown as readonly Event[];
          if (options.output === 'table')
            screen.write(events.map((event) => `${linesOf(event, screen.width).join('\n')}\n`).join(''));
          else all.push(...(page['events'] as readonly Json[]));
          pageToken = String(page['next_page_token'] ?? '');
        }
      } while (pageToken !== '');
      if (options.output !== 'table') print(options.output, method.output, { events: all }, screen);
    });

/** On one line where that fits; else who did it stands below. */
const linesOf = (event: Event, width: number): readonly string[] => {
  const line = lineOf(event);
  const at = line.lastIndexOf(' by ');
  return line.length <= width ? [line] : [line.slice(0, at), `${' '.repeat(INDENT)}${line.slice(at + 1)}`];
};

const lineOf = ({ revision, record_time, type, actor, transition, holds = [] }: Event): string => {
  const time = record_time.replace('T', ' ').slice(0, 19);
  const moved = transition && transition.from !== transition.to ? ` -> ${transition.to}` : '';
  const held =
    holds.length > 0
      ? ` (${holds.map((hold) => shortValue('HoldReason', hold).replaceAll('-', '_').toUpperCase()).join(', ')})`
      : '';
  return `${time} #${revision.padEnd(3)} ${type}${moved}${held} by ${actor}`;
};
