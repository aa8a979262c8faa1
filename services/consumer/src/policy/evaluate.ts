import { conditionHolds, type RequestContext } from './conditions.ts';
import type { Policy, Selection, Statement } from './policy.ts';
import { matchesPattern } from './wildcard.ts';

export type PolicyRequest = Readonly<{
  action: string;
  resource: string;
  /** Empty: nobody in particular. */
  principal: string;
  context: RequestContext;
}>;

export type Evaluation = Readonly<{
  decision: 'ALLOWED' | 'EXPLICITLY_DENIED' | 'DENIED_BY_DEFAULT';
  /** Index of the statement that decided. */
  statement: number | undefined;
}>;

/** A statement that denies wins over all that allow; what no statement allows is denied. */
export const evaluate = (policy: Policy, request: PolicyRequest): Evaluation => {
  const first = (effect: Statement['effect']): number =>
    policy.findIndex((statement) => statement.effect === effect && applies(statement, request));
  const denied = first('Deny');
  if (denied >= 0) return { decision: 'EXPLICITLY_DENIED', statement: denied };
  const allowed = first('Allow');
  if (allowed >= 0) return { decision: 'ALLOWED', statement: allowed };
  return { decision: 'DENIED_BY_DEFAULT', statement: undefined };
};

const applies = ({ actions, resources, principals, conditions }: Statement, request: PolicyRequest): boolean =>
  // The names of actions differ in more than their case.
  isSelected(actions, (pattern) => matchesPattern(pattern.toLowerCase(), request.action.toLowerCase())) &&
  isSelected(resources, (pattern) => matchesPattern(pattern, request.resource)) &&
  (principals?.some((pattern) => matchesPattern(pattern, request.principal)) ?? true) &&
  conditions.every((condition) => conditionHolds(condition, request.context));

const isSelected = ({ patterns, isNegated }: Selection, matches: (pattern: string) => boolean): boolean =>
  patterns.some(matches) !== isNegated;
