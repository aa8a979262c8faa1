import { InvalidRequest } from '../app/errors.ts';
import { open, seal } from './opaque-token.ts';

/** Where a stream of facts goes on: each is of one account, service and store. */
export type ResumeTokens = Readonly<{
  issue: (accountId: string, position: bigint) => string;
  /** @throws InvalidRequest with reason RESUME_TOKEN_INVALID for a token of another account, service or store, or of nobody */
  read: (accountId: string, token: string) => bigint;
}>;

export type ResumeTokenOptions = Readonly<{ secret: Buffer; storeId: string; service: string }>;

export const resumeTokens = ({ secret, storeId, service }: ResumeTokenOptions): ResumeTokens => {
  const contextOf = (accountId: string): string[] => ['resume', storeId, service, accountId];
  return {
    issue: (accountId, position) => seal(secret, contextOf(accountId), String(position)),
    read: (accountId, token) => {
      const position = open(secret, contextOf(accountId), token);
      if (position !== undefined) return BigInt(position);
      const description = 'is not a token of this stream; begin after a position, or anew';
      throw new InvalidRequest([{ field: 'resume_token', description }], 'RESUME_TOKEN_INVALID');
    },
  };
};
