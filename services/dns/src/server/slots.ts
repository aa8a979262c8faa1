/** Whose a slot is: a VPC, and the account that owns it. `zoneIds`: those that its region has. */
export type Holder = Readonly<{ vpcId: string; accountId: string; zoneIds: readonly string[] }>;

export type Slots = Readonly<{
  /** Wants one for a VPC, and says whether it has one now; otherwise it waits for one to become free. */
  take: (holder: Holder) => boolean;
  give: (vpcId: string) => void;
  /** By slot, the VPC that has it. */
  held: ReadonlyMap<number, Holder>;
}>;

/**
 * A VPC gets the lowest slot that is free, and whoever came first when there is none; no account has more than so many.
 * The same takes and gives in the same order always end in the same.
 */
export const createSlots = ({ count, perAccount }: Readonly<{ count: number; perAccount: number }>): Slots => {
  const held = new Map<number, Holder>();
  const waiting = new Map<string, Holder>();

  const free = (): number | undefined => {
    for (let slot = 0; slot < count; slot++) if (!held.has(slot)) return slot;
    return undefined;
  };
  const heldBy = (accountId: string): number =>
    [...held.values()].filter((holder) => holder.accountId === accountId).length;

  const tryFor = (holder: Holder): boolean => {
    const slot = heldBy(holder.accountId) < perAccount ? free() : undefined;
    if (slot === undefined) return false;
    held.set(slot, holder);
    waiting.delete(holder.vpcId);
    return true;
  };

  return {
    held,
    take: (holder) => {
      waiting.set(holder.vpcId, holder);
      return tryFor(holder);
    },
    give: (vpcId) => {
      waiting.delete(vpcId);
      for (const [slot, holder] of held) if (holder.vpcId === vpcId) held.delete(slot);
      for (const holder of [...waiting.values()]) tryFor(holder);
    },
  };
};
