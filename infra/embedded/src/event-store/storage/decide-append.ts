import { any, noStream, streamExists, tombstoneRevision } from './records.ts';

/** What the decision needs to know of a stream. The two functions are only called when the ids matter. */
export type StreamFacts = {
  /** The last revision, -1 if the stream never had events. */
  readonly last: number;
  readonly softDeleted: boolean;
  readonly hasMetadata: boolean;
  /** The revision of an event written lately; bounded memory, so an old id may be unknown. */
  readonly recentRevision: (id: string) => number | undefined;
  readonly storedId: (revision: number) => string | undefined;
};

export type AppendDecision =
  | { readonly outcome: 'append' }
  | { readonly outcome: 'alreadyAppended'; readonly last: number }
  | { readonly outcome: 'wrongVersion' }
  | { readonly outcome: 'streamDeleted' };

const append: AppendDecision = { outcome: 'append' };
const wrongVersion: AppendDecision = { outcome: 'wrongVersion' };

/** An append without exact revision: a repetition is recognised by the ids written lately. */
function decideByRecentIds(facts: StreamFacts, ids: readonly string[]): AppendDecision {
  let last: number | undefined;
  for (const id of ids) {
    const revision = facts.recentRevision(id);
    if (revision === undefined) return last === undefined ? append : wrongVersion;
    last = revision;
  }
  return last === undefined ? append : { outcome: 'alreadyAppended', last };
}

/** An append behind the end of the stream: a success only if exactly these events follow the expected revision. */
function decideBehindEnd(facts: StreamFacts, expected: number, ids: readonly string[]): AppendDecision {
  const written = ids.findIndex((id, index) => facts.storedId(expected + 1 + index) !== id);
  if (written === -1 && ids.length > 0) return { outcome: 'alreadyAppended', last: expected + ids.length };
  return written <= 0 && expected === noStream && facts.softDeleted ? append : wrongVersion;
}

/** The append decision of KurrentDB (`IndexWriter.CheckCommit`), for a stream, an expectation and the event ids. */
export function decideAppend(facts: StreamFacts, expected: number, ids: readonly string[]): AppendDecision {
  if (facts.last === tombstoneRevision) return { outcome: 'streamDeleted' };
  if (expected === streamExists) {
    const exists = facts.last >= 0 || facts.hasMetadata;
    return exists && !facts.softDeleted ? decideByRecentIds(facts, ids) : wrongVersion;
  }
  if (expected === any) return decideByRecentIds(facts, ids);
  if (expected > facts.last) return wrongVersion;
  return expected === facts.last ? append : decideBehindEnd(facts, expected, ids);
}
