import { createHash } from 'node:crypto';
import type { Step } from './plan.ts';
import type { Call } from './things.ts';

/**
 * Follows from what is asked for, and of what: whoever was interrupted asks the same again, and meets his own.
 *
 * @param basis which time it is that this is asked for: how often the thing was created, or its revision before
 */
export const requestIdOf = (
  set: string,
  { kind, name, account, id }: Pick<Step, 'kind' | 'name' | 'account' | 'id'>,
  { rpc, request }: Call,
  basis: string,
): string => {
  const content = JSON.stringify([set, account, kind, name, id, rpc, request, basis]);
  return `apply-${createHash('sha256').update(content).digest('hex').slice(0, 48)}`;
};
