/** An event that would be appended. */
export type Planned = Readonly<{
  /** Category and id of its stream. */
  resourceType: string;
  resourceId: string;
  type: string;
  transition: Readonly<{ from: string; to: string; because: string }> | null;
}>;

/**
 * A dry run: commands are decided as ever, each on what those before it would have led to, and nothing is appended.
 * What other services would do of it is rehearsed there, and joins.
 */
export type Rehearsal = Readonly<{
  /** Folded aggregates by stream, as they would be. */
  folded: Map<string, unknown>;
  planned: Planned[];
  /** Ids of aggregates whose processes have been rehearsed. */
  foreseen: Set<string>;
  connectionIds: Set<string>;
  eniIds: Set<string>;
  domainNames: Set<string>;
  /** Whether more would happen than was looked at. */
  truncated: { value: boolean };
}>;

export const startRehearsal = (): Rehearsal => ({
  folded: new Map(),
  planned: [],
  foreseen: new Set(),
  connectionIds: new Set(),
  eniIds: new Set(),
  domainNames: new Set(),
  truncated: { value: false },
});
