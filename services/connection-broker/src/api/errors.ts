import { status } from '@grpc/grpc-js';
import type { MomentRejection } from '@privatelink/shared/app/moment';
import { momentErrors } from '@privatelink/shared/grpc/as-of';
import type { ErrorCatalogue } from '@privatelink/shared/grpc/status';
import type { AllocationRejection } from '../allocation/allocation.ts';
import type { ConnectionRejection } from '../connection/connection.decide.ts';
import type { TrafficRejection } from './traffic-handlers.ts';

type Rejection = ConnectionRejection | AllocationRejection | MomentRejection | TrafficRejection | 'RESOURCE_NOT_FOUND';

/** Every reason of this service. Reasons, codes and messages are public API. */
export const errors = {
  ...momentErrors,
  CONNECTION_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: () => 'there is no such connection',
  },
  CONNECTION_STATUS_CONFLICT: {
    code: status.FAILED_PRECONDITION,
    message: ({ command, status: is, holds, legal }) =>
      `cannot ${command} a connection that is ${is}${holds ? ` (${holds})` : ''}; legal now: ${legal}`,
  },
  EXPIRE_TIME_PASSED: {
    code: status.INVALID_ARGUMENT,
    message: ({ expire_time: time }) => `an acceptance cannot run out at ${time}, which has passed`,
  },
  ZONE_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ zone_id: zone, zones }) => `the connection has no zone ${zone}; it has ${zones}`,
  },
  RESOURCE_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ resource_id: id, zone_id: zone }) => `the service has no resource ${id} in ${zone}`,
  },
  BANDWIDTH_UNSUPPORTED: {
    code: status.FAILED_PRECONDITION,
    message: ({ traffic_control_modes: modes, min_mbps: min, max_mbps: max }) =>
      modes === ''
        ? 'the bandwidth of this connection cannot be set'
        : `this connection takes ${modes}${max === '0' ? '' : ` of ${min} to ${max} Mbit/s`}`,
  },
  ZONE_PLACEMENT_ABANDONED: {
    code: status.ABORTED,
    message: ({ zone_id: zone }) => `the place claimed in ${zone} was given back meanwhile; ask again`,
  },
  ZONE_MIGRATING: {
    code: status.FAILED_PRECONDITION,
    message: ({ resource_id: id }) => `the zone is on its way to ${id}, and does not forward there yet`,
  },
  ZONE_NOT_PLACED: {
    code: status.FAILED_PRECONDITION,
    message: ({ endpoint_id: id }) => `${id} has no resource in the zone yet; ask again`,
  },
  LAST_ENABLED_ZONE: {
    code: status.FAILED_PRECONDITION,
    message: ({ zone_id: zone }) => `${zone} is the last zone that is on: pause or reject the connection instead`,
  },
  NO_AVAILABLE_RESOURCE: {
    code: status.FAILED_PRECONDITION,
    message: ({ endpoint_id: id }) => `no resource of the service can take ${id}`,
  },
  REPORT_OUT_OF_TURN: {
    code: status.ABORTED,
    message: ({ number }) => `the meter's last report was number ${number}`,
  },
} satisfies Record<Rejection, ErrorCatalogue[string]>;
