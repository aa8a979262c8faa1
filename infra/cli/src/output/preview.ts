import type { Json } from '../field-option.ts';
import { type Row, wrapped } from './table.ts';

type Event = Readonly<{
  resource_type: string;
  resource_id: string;
  type: string;
  transition?: Readonly<Record<string, string>>;
}>;

/** What a dry run would do, for people. */
export const previewLines = (preview: Row, width: number): readonly string[] => {
  const events = (preview['events'] ?? []) as unknown as readonly Event[];
  const touched = (['connection_ids', 'eni_ids', 'domain_names'] as const).flatMap((field) => {
    const ids = (preview[field] ?? []) as readonly Json[];
    return ids.length > 0
      ? wrapped(
          `touches ${ids.length} ${NAMES[field]}: `,
          `${ids.slice(0, 5).join(' ')}${ids.length > 5 ? ' ...' : ''}`,
          width,
        )
      : [];
  });
  if (events.length === 0) return ['Nothing would change.'];
  const longest = Math.max(...events.map((event) => subject(event).length));
  return [
    'Nothing was changed. It would record, in this order:',
    ...events.map((event) => `+ ${subject(event).padEnd(longest)}  ${event.type}${moved(event)}`),
    ...touched,
    ...(preview['truncated'] === true ? ['and more, which is not shown'] : []),
  ];
};

const NAMES = { connection_ids: 'connections', eni_ids: 'interfaces', domain_names: 'names' } as const;

const subject = ({ resource_type, resource_id }: Event): string => `${resource_type} ${resource_id}`;

const moved = ({ transition }: Event): string =>
  transition && transition['from'] !== transition['to']
    ? `  ${transition['from'] || '(none)'} -> ${transition['to']}`
    : '';
