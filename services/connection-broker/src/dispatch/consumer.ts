import type { ConsumerServiceService } from '@privatelink/proto/consumer/v1/consumer_service';
import type { Endpoint } from '@privatelink/proto/consumer/v1/endpoint';
import type { CallContext, RemoteService } from '@privatelink/shared/grpc/client';
import { RemoteError } from '@privatelink/shared/grpc/remote-error';

/** What the broker tells the consumer service, and asks it. */
export type ConsumerPort = Readonly<{
  confirmConnectionDeleted: (endpointId: string, context: CallContext) => Promise<void>;
  confirmConnectionUpdated: (endpointId: string, revision: number, context: CallContext) => Promise<void>;
  /** Undefined when there is none. */
  getEndpoint: (endpointId: string, context: CallContext) => Promise<Endpoint | undefined>;
}>;

export const consumerPort = (consumer: RemoteService<typeof ConsumerServiceService>): ConsumerPort => ({
  confirmConnectionDeleted: async (endpointId, context) => {
    await unlessAbsent(consumer.confirmConnectionDeleted({ endpointId }, context));
  },
  confirmConnectionUpdated: async (endpointId, revision, context) => {
    const request = { endpointId, endpointRevision: BigInt(revision) };
    await unlessAbsent(consumer.confirmConnectionUpdated(request, context));
  },
  getEndpoint: async (endpointId, context) =>
    (await unlessAbsent(consumer.getEndpoint({ endpointId }, context)))?.endpoint,
});

/** An endpoint that is not there waits for nothing, and is nothing. */
const unlessAbsent = async <T>(call: Promise<T>): Promise<T | undefined> => {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RemoteError && error.is('ENDPOINT_NOT_FOUND')) return undefined;
    throw error;
  }
};
