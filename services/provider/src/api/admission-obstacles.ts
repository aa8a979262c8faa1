import { Obstacle, ObstacleReason } from '@privatelink/proto/common/v1/obstacle';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import type { AdmissionObstacle } from '../endpoint-service/admission.ts';
import type { EndpointService } from '../endpoint-service/endpoint-service.ts';

type Found = Readonly<{
  reason: AdmissionObstacle['reason'] | 'QUOTA_EXCEEDED' | 'AWAITING_ACCEPTANCE' | 'MAX_CONNECTIONS_REACHED';
  facts: Readonly<Record<string, string>>;
}>;

/** What stands in the way, as it is told: of several zones, each by itself. */
export const toObstacles = (service: EndpointService, accountId: string, found: Found): readonly Obstacle[] => {
  const { serviceId, securityLock } = service;
  const { reason, facts } = found;
  const { field: _, service_id: _id, zones = '', offered = '', ...told } = facts;
  const obstacle = Obstacle.create({ subject: serviceId, facts: told });
  switch (reason) {
    case 'ENDPOINT_SERVICE_NOT_FOUND':
      return [{ ...obstacle, reason: ObstacleReason.SERVICE_NOT_FOUND }];
    case 'SERVICE_LOCKED': {
      const placed = { since: timestamp(securityLock?.at ?? ''), message: securityLock?.message ?? '' };
      return [{ ...obstacle, ...placed, reason: ObstacleReason.SERVICE_SECURITY_LOCK }];
    }
    case 'ZONE_NOT_OFFERED': {
      const offeredZoneIds = offered.split(',');
      return zones
        .split(',')
        .map((zoneId) => ({ ...obstacle, reason: ObstacleReason[reason], zoneId, offeredZoneIds }));
    }
    case 'NOT_WHITELISTED':
      return [{ ...obstacle, reason: ObstacleReason[reason], subject: accountId }];
    default:
      return [{ ...obstacle, reason: ObstacleReason[reason] }];
  }
};
