import type { Random } from './random.ts';

/** What may go wrong by itself, each with a probability per occasion. What is done to hosts is in the plan's faults. */
export const TROUBLES = [
  'requestDropped',
  'requestLost',
  'replyDropped',
  'requestDuplicated',
  'slowNetwork',
  'appendLost',
  'appendReplyLost',
  'storeUnavailable',
  'streamBroken',
  'proxyRefuses',
  'proxySlow',
  'subscriptionSlow',
  'subscriptionBroken',
  'subscriptionStalled',
  'databaseBroken',
  'databaseReplyLost',
  'publishLost',
  'publishReplyLost',
  'acknowledgementLost',
  'crashAfterAppend',
  'crashAfterCall',
  'crashAfterEffect',
  'resolverFails',
] as const;

export type TroubleKind = (typeof TROUBLES)[number];

export type Rates = Readonly<Record<TroubleKind, number>>;

export const NO_TROUBLE = Object.fromEntries(TROUBLES.map((kind) => [kind, 0])) as Rates;

export type Trouble = Readonly<{
  strikes: (kind: TroubleKind) => boolean;
  /** Until here nothing goes wrong. */
  begin: () => void;
  /** From here on nothing goes wrong. */
  heal: () => void;
  counts: Readonly<Partial<Record<TroubleKind, number>>>;
}>;

export const createTrouble = (given: Rates, random: Random): Trouble => {
  let rates = NO_TROUBLE;
  const counts: Partial<Record<TroubleKind, number>> = {};
  return {
    counts,
    strikes: (kind) => {
      if (!random.chance(rates[kind])) return false;
      counts[kind] = (counts[kind] ?? 0) + 1;
      return true;
    },
    begin: () => {
      rates = given;
    },
    heal: () => {
      rates = NO_TROUBLE;
    },
  };
};
