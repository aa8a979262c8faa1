import { InvalidRequest } from '../app/errors.ts';
import { open, seal } from './opaque-token.ts';

/** A list shows everything that `service` had written up to `position`. */
export type Seen = Readonly<{ service: string; position: bigint }>;

export type ConsistencyTokens = Readonly<{
  issue: (position: bigint) => string;
  /**
   * Undefined when none was given. The token may be another service's.
   *
   * @throws InvalidRequest with reason CONSISTENCY_TOKEN_INVALID for a token of another store, or of nobody
   */
  read: (token: string) => Seen | undefined;
}>;

export type ConsistencyTokenOptions = Readonly<{ secret: Buffer; storeId: string; service: string }>;

export const consistencyTokens = ({ secret, storeId, service }: ConsistencyTokenOptions): ConsistencyTokens => {
  const context = ['consistency', storeId];
  return {
    issue: (position) => seal(secret, context, `${service}/${position}`),
    read: (token) => {
      if (token === '') return undefined;
      const [writer, position] = open(secret, context, token)?.split('/') ?? [];
      if (writer !== undefined && position !== undefined) return { service: writer, position: BigInt(position) };
      const description = 'is not a token of this system';
      throw new InvalidRequest([{ field: 'consistency_token', description }], 'CONSISTENCY_TOKEN_INVALID');
    },
  };
};
