import type { CommandContext } from '../eventing/command-context.ts';
import { idOfStream, streamName } from '../eventing/decider.ts';
import type { AnyEvent } from '../eventing/message.ts';
import type { Planned, Rehearsal } from '../eventing/rehearsal.ts';
import type { Folded } from './fold.ts';

/** An aggregate as a rehearsal has left it, or as `load` says. */
export const foldedIn = async <S>(
  rehearsal: Rehearsal | undefined,
  stream: string,
  load: () => Promise<Folded<S>>,
): Promise<Folded<S>> => (rehearsal?.folded.get(stream) as Folded<S> | undefined) ?? load();

type Readable<S> = Readonly<{ category: string; fold: (id: string) => Promise<Folded<S>> }>;

/** Folds an aggregate: in a rehearsal, as it would be by now. */
export const foldIn = <S>(rehearsal: Rehearsal | undefined, aggregates: Readable<S>, id: string): Promise<Folded<S>> =>
  foldedIn(rehearsal, streamName(aggregates.category, id), () => aggregates.fold(id));

export const rehearsed = (
  rehearsal: Rehearsal,
  stream: string,
  events: readonly AnyEvent[],
  after: Folded<unknown>,
): void => {
  rehearsal.folded.set(stream, after);
  rehearsal.planned.push(...events.map((event) => planned(stream, event)));
};

/** Ids of the aggregates of a category that a rehearsal has changed. */
export const idsIn = ({ folded }: Rehearsal, category: string): readonly string[] =>
  [...folded.keys()].filter((stream) => stream.startsWith(`${category}-`)).map(idOfStream);

/** The same command as a part of a rehearsal, or for good. */
export const within = (rehearsal: Rehearsal | undefined, context: CommandContext): CommandContext => ({
  ...context,
  rehearsal,
});

type Move = Readonly<{ from: string | null; to: string; because: string }>;

const planned = (stream: string, { type, data }: AnyEvent): Planned => {
  const { move = null } = data as { move?: Move | null };
  return {
    resourceType: stream.slice(0, stream.indexOf('-')),
    resourceId: idOfStream(stream),
    type,
    transition: move && { from: move.from ?? '', to: move.to, because: move.because },
  };
};
