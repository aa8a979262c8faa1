import type { ReadReq } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type { EventFilter } from '../storage/reader.ts';

/** KurrentDB's default search window. */
const defaultWindow = 32;

export type FilterOptions = {
  readonly matches: EventFilter;
  /** After how many examined events a subscription gets a checkpoint. */
  readonly checkpointInterval: number;
};

function predicate(expression: ReadReq.Options.FilterOptions.Expression): (name: string) => boolean {
  const regex = expression.getRegex();
  if (regex !== '') {
    const pattern = new RegExp(regex);
    return (name) => pattern.test(name);
  }
  const prefixes = expression.getPrefixList();
  return (name) => prefixes.some((prefix) => name.startsWith(prefix));
}

/** Throws on a filter without expression, a bad regular expression or an interval of nothing. */
export function decodeFilter(options: ReadReq.Options): FilterOptions | undefined {
  const filter = options.getFilter();
  if (filter === undefined) return undefined;
  const [byStream, byType] = [filter.getStreamIdentifier(), filter.getEventType()];
  const expression = byStream ?? byType;
  if (expression === undefined) throw new Error('the filter has no expression');
  const multiplier = filter.getCheckpointintervalmultiplier();
  if (multiplier === 0) throw new Error('the checkpoint interval must be greater than 0');
  const test = predicate(expression);
  return {
    matches: byStream === undefined ? ({ type }) => test(type) : ({ stream }) => test(stream),
    checkpointInterval: multiplier * (filter.hasMax() ? filter.getMax() : defaultWindow),
  };
}
