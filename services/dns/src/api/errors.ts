import { status } from '@grpc/grpc-js';
import type { ErrorCatalogue } from '@privatelink/shared/grpc/status';

type Rejection = 'VPC_NOT_FOUND';

/** Every reason of this service. Reasons, codes and messages are public API. */
export const errors = {
  VPC_NOT_FOUND: { code: status.NOT_FOUND, message: () => 'there is no such VPC, or no endpoint in it has names yet' },
} satisfies Record<Rejection, ErrorCatalogue[string]>;
