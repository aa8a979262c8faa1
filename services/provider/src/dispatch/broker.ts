import type { BrokerServiceService } from '@privatelink/proto/broker/v1/broker_service';
import { ConnectionStatus } from '@privatelink/proto/broker/v1/connection';
import type { CallContext, RemoteService } from '@privatelink/shared/grpc/client';
import { enumName } from '@privatelink/shared/grpc/enums';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import { toServiceResource } from '../api/endpoint-service-mapping.ts';
import type { Blocker, Detachment, ServiceFact, ServiceResource } from '../endpoint-service/endpoint-service.ts';

/** What the provider service asks of the broker. Every call may be repeated. */
export type BrokerPort = Readonly<{
  recordServiceFact: (serviceId: string, fact: ServiceFact, context: CallContext) => Promise<void>;
  closeService: (
    serviceId: string,
    version: number,
    force: boolean,
    context: CallContext,
    /** Endpoints of this region alone. */
    regionId?: string,
  ) => Promise<Readonly<{ blockers: readonly Blocker[]; blockerCount: number }>>;
  /** Endpoints that none of the candidates can take; none when it is closed, or will be once nobody moves any more. */
  closeResource: (
    serviceId: string,
    resource: Detachment,
    candidates: readonly ServiceResource[],
    context: CallContext,
  ) => Promise<Readonly<{ endpointIds: readonly string[]; movingCount: number }>>;
}>;

export const brokerPort = (broker: RemoteService<typeof BrokerServiceService>): BrokerPort => ({
  recordServiceFact: async (serviceId, fact, context) => {
    const { version, actor, at } = fact;
    const exceptAccountIds = fact.kind === 'userRemoved' ? [...fact.exceptAccountIds] : [];
    await broker.recordServiceFact(
      {
        serviceId,
        serviceRevision: BigInt(version),
        actor,
        recordTime: timestamp(at),
        exceptAccountIds,
        message: fact.kind === 'securityLocked' ? fact.message : '',
        fact: toFact(fact),
      },
      { ...context, actor },
    );
  },
  closeService: async (serviceId, version, force, context, regionId) => {
    const actor = context.actor ?? '';
    const request = { serviceId, serviceRevision: BigInt(version), force, actor, ...(regionId && { regionId }) };
    const reply = await broker.closeService(request, context);
    return {
      blockers: reply.blockers.map(({ connectionId, status }) => ({
        connectionId,
        status: enumName(ConnectionStatus, status) ?? '',
      })),
      blockerCount: Number(reply.blockerCount),
    };
  },
  closeResource: async (serviceId, { resourceId, zoneId, version }, candidates, context) => {
    const request = { serviceId, resourceId, zoneId, serviceRevision: BigInt(version) };
    const reply = await broker.closeResource({ ...request, candidates: candidates.map(toServiceResource) }, context);
    return { endpointIds: reply.endpointIds, movingCount: Number(reply.movingCount) };
  },
});

const toFact = (fact: ServiceFact) => {
  switch (fact.kind) {
    case 'userAdded':
      return { $case: 'userAdded', value: fact.accountId } as const;
    case 'userRemoved':
      return { $case: 'userRemoved', value: fact.accountId } as const;
    case 'waitingAccepted':
      return { $case: 'waitingAccepted', value: true } as const;
    case 'securityLocked':
      return { $case: 'securityLocked', value: fact.locked } as const;
  }
};
