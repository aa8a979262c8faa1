import { status } from '@grpc/grpc-js';
import type { MomentRejection } from '@privatelink/shared/app/moment';
import { momentErrors } from '@privatelink/shared/grpc/as-of';
import type { ErrorCatalogue } from '@privatelink/shared/grpc/status';
import type { AccountServicesRejection } from '../account-services/account-services.ts';
import type { AdmissionRejection } from '../endpoint-service/admission.ts';
import type { EndpointServiceRejection } from '../endpoint-service/endpoint-service.rejections.ts';
import type { ServiceAdmissionsRejection } from '../service-admissions/service-admissions.ts';

export type ApiRejection =
  | 'ENDPOINT_SERVICE_IN_USE'
  | 'RESOURCE_IN_USE'
  | 'SUPPORTED_REGION_IN_USE'
  | 'PROVIDER_ACCOUNT_NOT_FOUND';

type Rejection =
  | EndpointServiceRejection
  | AccountServicesRejection
  | ServiceAdmissionsRejection
  | AdmissionRejection
  | MomentRejection
  | ApiRejection;

/** Every reason of this service. Reasons, codes and messages are public API. */
export const errors = {
  ...momentErrors,
  ENDPOINT_SERVICE_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: () => 'there is no such endpoint service',
  },
  ENDPOINT_SERVICE_CREATION_ABANDONED: {
    code: status.ABORTED,
    message: () => 'the creation took too long and was undone: ask again with another request id',
  },
  SERVICE_NOT_ACTIVE: {
    code: status.FAILED_PRECONDITION,
    message: ({ status: is }) => `the endpoint service is ${is}`,
  },
  SERVICE_LOCKED: {
    code: status.FAILED_PRECONDITION,
    message: ({ business_status: status }) =>
      status === 'FINANCIAL_LOCKED'
        ? 'a payment for the endpoint service is overdue: until it is settled it can be read and deleted, nothing else'
        : 'an operator has locked the endpoint service: it can be read and deleted, nothing else',
  },
  ENDPOINT_SERVICE_OWNER_REQUIRED: {
    code: status.FAILED_PRECONDITION,
    message: () => "the owner's account stays on the whitelist",
  },
  PROVIDER_ACCOUNT_NOT_FOUND: { code: status.NOT_FOUND, message: () => 'there is no such account' },
  ENDPOINT_SERVICE_IN_USE: {
    code: status.FAILED_PRECONDITION,
    message: ({ connection_count: count, connections }) =>
      `${count} connections are up: ${connections}; delete with force to end them`,
  },
  RESOURCE_IN_USE: {
    code: status.FAILED_PRECONDITION,
    message: ({ resource_id: id, endpoint_count: count, endpoints }) => `${id} serves ${count} endpoints: ${endpoints}`,
  },
  SUPPORTED_REGION_IN_USE: {
    code: status.FAILED_PRECONDITION,
    message: ({ region, connection_count: count, connections }) =>
      `${count} connections of endpoints in ${region} are up: ${connections}; remove it with force to end them`,
  },
  SUPPORTED_REGION_DELETING: {
    code: status.FAILED_PRECONDITION,
    message: ({ region }) => `${region} is being removed: add it again once it is gone`,
  },
  SERVICE_REGION_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    message: ({ required, given }) =>
      `the service is in the region ${required}, not ${given}: say so as service_region`,
  },
  REGION_NOT_SUPPORTED: {
    code: status.FAILED_PRECONDITION,
    message: ({ region, supported_regions: supported }) =>
      `the service takes no endpoints of ${region}; besides its own region it supports ${supported || 'none'}`,
  },
  RESOURCE_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ resource_id: id, zone_id: zone }) => `no resource ${id} is attached in ${zone}`,
  },
  LAST_AUTO_ALLOCATED_RESOURCE: {
    code: status.FAILED_PRECONDITION,
    message: ({ resource_id: id, zone_id: zone }) => `${id} is the last resource of ${zone} that takes new endpoints`,
  },
  RESOURCE_TYPE_MISMATCH: {
    code: status.INVALID_ARGUMENT,
    message: ({ resource_type: type, required }) => `a resource of type ${type} does not fit: ${required} is required`,
  },
  RESOURCE_ALREADY_ATTACHED: {
    code: status.ALREADY_EXISTS,
    message: ({ resource_id: id, zone_id: zone }) => `${id} is attached in ${zone} already, with other targets`,
  },
  RESOURCE_DETACHING: {
    code: status.FAILED_PRECONDITION,
    message: ({ resource_id: id }) => `${id} is being detached`,
  },
  ENDPOINT_TYPE_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    message: ({ required, given }) => `the service takes endpoints of type ${required}, not ${given}`,
  },
  DUAL_STACK_UNAVAILABLE: {
    code: status.FAILED_PRECONDITION,
    message: ({ missing, resource_id: id, required }) =>
      missing === 'RESOURCE' ? `${id} has no IPv6: only ${required} has` : 'the service has no IPv6',
  },
  BANDWIDTH_UNSUPPORTED: {
    code: status.FAILED_PRECONDITION,
    message: ({ resource_type: type, traffic_control_modes: modes, min_mbps: min, max_mbps: max }) =>
      `connections to ${type} take ${modes}${max === '0' ? '' : ` of ${min} to ${max} Mbit/s`}`,
  },
  ADDRESS_TYPE_IRREVERSIBLE: {
    code: status.FAILED_PRECONDITION,
    message: () => 'what is DUAL_STACK stays so: endpoints may have IPv6 addresses since',
  },
  NO_AVAILABLE_RESOURCE: {
    code: status.FAILED_PRECONDITION,
    message: () => 'the service offers no zone: no resource is attached',
  },
  ZONE_NOT_OFFERED: {
    code: status.FAILED_PRECONDITION,
    message: ({ zones, offered }) => `the service does not offer ${zones}; it offers ${offered}`,
  },
  SERVICE_TYPE_MISMATCH: {
    code: status.FAILED_PRECONDITION,
    message: ({ service_type: type, required }) => `this needs a service of type ${required}, not ${type}`,
  },
  CUSTOM_DOMAIN_NOT_FOUND: {
    code: status.NOT_FOUND,
    message: ({ domain_name: name }) => `the custom domain ${name} is not declared`,
  },
  PLATFORM_ACCOUNT_REQUIRED: {
    code: status.FAILED_PRECONDITION,
    message: ({ service_type: type }) => `a ${type} service is for accounts that an operator has flagged as platform`,
  },
  QUOTA_EXCEEDED: {
    code: status.RESOURCE_EXHAUSTED,
    message: ({ quota, limit, current }) => `the quota of ${quota} is ${limit}, and it is at ${current}`,
  },
} satisfies Record<Rejection, ErrorCatalogue[string]>;
