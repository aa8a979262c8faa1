import { assertNever } from '@privatelink/shared/eventing/never';
import { notActive, reject, requireChangeable } from './endpoint-service.rejections.ts';
import type { EndpointService, EndpointServiceCommand, EndpointServiceEvent } from './endpoint-service.ts';
import { changeMove } from './endpoint-service-status.ts';
import { type SupportedRegionStatus, supportedRegionMove } from './supported-region-status.ts';

type RegionCommand = Extract<
  EndpointServiceCommand,
  Readonly<{
    type:
      | 'AddSupportedRegion'
      | 'RecordRegionOpened'
      | 'RecordRegionFailed'
      | 'StartRegionRemoval'
      | 'RefuseRegionRemoval';
  }>
>;

export type SupportedRegion = Readonly<{
  status: SupportedRegionStatus;
  /** The service's, by which its status last changed: an answer to an earlier removal does not end a later one. */
  version: number;
  /** Of a removal. */
  force: boolean;
  actor: string;
  createdAt: string;
  statusAt: string;
}>;

export type RegionRefusal = Readonly<{
  regionId: string;
  version: number;
  /** Version of the start that was refused. */
  started: number;
  blockers: readonly Readonly<{ connectionId: string; status: string }>[];
  blockerCount: number;
}>;

type Supporting = Pick<EndpointService, 'supportedRegions'>;

const statusOf = ({ supportedRegions }: Supporting, regionId: string): SupportedRegionStatus | null =>
  Object.hasOwn(supportedRegions, regionId) ? (supportedRegions[regionId]?.status ?? null) : null;

/** Regions with one of these statuses, sorted. */
export const regionsIn = ({ supportedRegions }: Supporting, ...statuses: SupportedRegionStatus[]): readonly string[] =>
  Object.keys(supportedRegions)
    .filter((regionId) => statuses.includes(supportedRegions[regionId]?.status ?? 'CLOSED'))
    .sort();

/** Other regions, from which endpoints may connect. */
export const decideRegions = (
  command: RegionCommand,
  service: EndpointService,
  at: string,
): readonly EndpointServiceEvent[] => {
  const { regionId } = command.data;
  const status = statusOf(service, regionId);
  switch (command.type) {
    case 'AddSupportedRegion': {
      requireChangeable(service);
      if (service.serviceType !== 'INTERFACE') {
        throw reject('SERVICE_TYPE_MISMATCH', { required: 'INTERFACE', service_type: service.serviceType });
      }
      if (status === 'PENDING' || status === 'AVAILABLE') return [];
      if (status === 'DELETING') throw reject('SUPPORTED_REGION_DELETING', { region: regionId, field: 'region_id' });
      const regionMove = supportedRegionMove(status, 'added', 'PENDING');
      return [{ type: 'SupportedRegionAdded', data: { regionId, regionMove, at, move: changeMove(service) } }];
    }

    case 'RecordRegionOpened': {
      if (status !== 'PENDING') return [];
      const regionMove = supportedRegionMove(status, 'opened', 'AVAILABLE');
      return [{ type: 'SupportedRegionOpened', data: { regionId, regionMove, at } }];
    }

    case 'RecordRegionFailed': {
      if (status !== 'PENDING') return [];
      const regionMove = supportedRegionMove(status, 'failed', 'FAILED');
      return [{ type: 'SupportedRegionFailed', data: { regionId, regionMove, at } }];
    }

    case 'StartRegionRemoval': {
      requireChangeable(service);
      // What starts here must end before the service is ACTIVE.
      if (service.status === 'CREATING') throw notActive(service);
      if (status === null || status === 'CLOSED' || status === 'DELETING') return [];
      const regionMove = supportedRegionMove(status, 'removalStarted', 'DELETING');
      const data = { ...command.data, regionMove, at, move: changeMove(service) };
      return [{ type: 'SupportedRegionRemovalStarted', data }];
    }

    case 'RefuseRegionRemoval': {
      const { version, ...refusal } = command.data;
      if (status !== 'DELETING' || service.supportedRegions[regionId]?.version !== version) return [];
      const regionMove = supportedRegionMove(status, 'removalRefused', 'AVAILABLE');
      return [{ type: 'SupportedRegionRemovalRefused', data: { ...refusal, regionMove, at } }];
    }

    default:
      return assertNever(command);
  }
};

/** The end of a removal; none when it is not that which the broker has carried out. */
export const removedRegion = (
  service: EndpointService,
  { version, connectionCount }: Readonly<{ version: number; connectionCount: number }>,
  at: string,
): readonly EndpointServiceEvent[] => {
  const regionId = regionsIn(service, 'DELETING').find((id) => service.supportedRegions[id]?.version === version);
  if (regionId === undefined) return [];
  const regionMove = supportedRegionMove('DELETING', 'teardownConfirmed', 'CLOSED');
  return [{ type: 'SupportedRegionRemoved', data: { regionId, connectionCount, regionMove, at } }];
};
