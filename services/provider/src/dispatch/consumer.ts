import type { ConsumerServiceService } from '@privatelink/proto/consumer/v1/consumer_service';
import type { CallContext, RemoteService } from '@privatelink/shared/grpc/client';

/** What the provider service asks of the consumer service. */
export type ConsumerPort = Readonly<{
  /** Whether the endpoint was created; if not, it never will be. */
  settleEndpointCreation: (endpointId: string, context: CallContext) => Promise<boolean>;
}>;

export const consumerPort = (consumer: RemoteService<typeof ConsumerServiceService>): ConsumerPort => ({
  settleEndpointCreation: async (endpointId, context) =>
    (await consumer.settleEndpointCreation({ endpointId }, context)).created,
});
