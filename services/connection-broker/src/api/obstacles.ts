import { Obstacle, ObstacleReason } from '@privatelink/proto/common/v1/obstacle';
import type { EnumName } from '@privatelink/shared/grpc/enums';
import { enumName } from '@privatelink/shared/grpc/enums';
import { timestamp } from '@privatelink/shared/grpc/timestamp';
import type { ConnectionObstacle } from '../connection/connection.obstacles.ts';
import type { Connection } from '../connection/connection.ts';
import { toHold, type View } from './connection-view.ts';

type Reason = EnumName<typeof ObstacleReason>;

const WHAT_TO_DO: Readonly<Record<Reason, string>> = {
  SERVICE_NOT_FOUND: 'Check the name; if it is right, ask the provider to put the account on the whitelist.',
  NOT_WHITELISTED: 'The provider puts the account on the whitelist with AddServiceUser.',
  SERVICE_NOT_ACTIVE: 'Wait until the service is ACTIVE; one that is being deleted does not come back.',
  ENDPOINT_TYPE_MISMATCH: 'Create an endpoint of the type that the service requires.',
  NO_AVAILABLE_RESOURCE: 'The provider attaches a resource with AttachResource, or lets one take endpoints again.',
  DUAL_STACK_UNAVAILABLE: 'Create an endpoint with IPv4 alone, or the provider publishes a service with both.',
  ZONE_NOT_OFFERED: 'Choose zones that the service offers, or the provider attaches a resource in this one.',
  REGION_NOT_SUPPORTED:
    'Create an endpoint in a region that the service supports, or the provider adds this one with AddSupportedRegion.',
  QUOTA_EXCEEDED: 'Endpoints of the service that nobody needs are deleted, or the quota is raised.',
  MAX_CONNECTIONS_REACHED: "The provider accepts it with AcceptConnection, or raises the account's max_connections.",
  AWAITING_ACCEPTANCE: 'The provider accepts it with AcceptConnection.',
  REJECTED: 'The provider accepts it after all with AcceptConnection.',
  APPROVAL_EXPIRED: 'The provider accepts it again with AcceptConnection.',
  ENDPOINT_PAYMENT_OVERDUE: 'The owner of the endpoint pays; it is connected again when billing reports it settled.',
  SERVICE_PAYMENT_OVERDUE: 'The owner of the service pays; it is connected again when billing reports it settled.',
  ENDPOINT_SECURITY_LOCK: 'An operator unlocks the endpoint with UnlockEndpoint.',
  SERVICE_SECURITY_LOCK: 'An operator unlocks the service with UnlockEndpointService.',
  PAUSED_BY_CONSUMER: 'The owner of the endpoint resumes it with ResumeConnection.',
  PAUSED_BY_PROVIDER: 'The owner of the service resumes it with ResumeConnection.',
  NO_ZONE: 'The owner of the endpoint adds a zone with AddEndpointZone.',
  ENDPOINT_NOT_ACTIVE: 'Wait until the endpoint is ACTIVE; one that is being deleted does not come back.',
  CONNECTION_NOT_REQUESTED: 'Wait: the connection is asked for when the endpoint has been created.',
  CONNECTION_IN_TRANSITION: 'Wait until it rests; what it waits for is listed besides.',
  SERVICE_DELETED: 'Delete the endpoint and create one on another service.',
  ZONE_DISABLED: 'The provider switches the zone on with EnableZoneConnection.',
  ZONE_UNHEALTHY:
    'The provider sees to the targets of the resource in this zone, or replaces it with ReplaceZoneResource.',
  FORWARDING_MISSING: 'Wait for the agent of the zone; if it stays so, an operator sees to the agent.',
  NAMES_MISSING: 'Wait for DNS; if it stays so, an operator sees to the DNS service.',
};

/** Says what to do about it. */
export const withAdvice = (obstacle: Obstacle): Obstacle => {
  const reason = enumName(ObstacleReason, obstacle.reason);
  return { ...obstacle, whatToDo: reason ? WHAT_TO_DO[reason] : '' };
};

export const obstacleOf = (reason: Reason, subject: string, more: Partial<Obstacle> = {}): Obstacle =>
  withAdvice({ ...Obstacle.create({ ...more, subject }), reason: ObstacleReason[reason] });

/** One of a connection, as a side may see it. */
export const toObstacle = (
  connectionId: string,
  connection: Connection,
  { reason, zoneId = '', since = '', hold, facts = {}, partial = false }: ConnectionObstacle,
  view: View,
): Obstacle => {
  const message = hold ? toHold(hold, view).message : '';
  const more = { zoneId, since: timestamp(since), message, partial };
  return obstacleOf(reason, subjectOf(reason, connection) || connectionId, {
    ...more,
    // What serves a zone is the provider's affair.
    facts: view === 'consumer' && OF_RESOURCE.includes(reason) ? {} : facts,
  });
};

const OF_RESOURCE: readonly Reason[] = ['FORWARDING_MISSING', 'ZONE_UNHEALTHY'];

const subjectOf = (reason: Reason, { serviceId, endpointAccountId }: Connection): string => {
  if (reason === 'NOT_WHITELISTED') return endpointAccountId;
  return /^SERVICE_|^NO_AVAILABLE_RESOURCE$/.test(reason) ? serviceId : '';
};
