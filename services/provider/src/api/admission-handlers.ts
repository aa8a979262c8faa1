import { Payer } from '@privatelink/proto/common/v1/common';
import { ExplainAdmissionResponse, type ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { failpoint } from '@privatelink/shared/app/failpoint';
import { Rejected } from '@privatelink/shared/eventing/rejected';
import { unary } from '@privatelink/shared/grpc/unary';
import {
  checkAccountId,
  checkCount,
  checkEnum,
  checkId,
  checkName,
  checkZoneIds,
  isId,
  type Violations,
  violations,
} from '@privatelink/shared/grpc/validate';
import {
  type AdmissionSnapshot,
  acceptanceOf,
  admit,
  explainAdmission,
  explainWaiting,
  isCrossRegion,
} from '../endpoint-service/admission.ts';
import { bandwidthTerms, crossRegionTerms } from '../endpoint-service/bandwidth.ts';
import { earlierThan, endpointsOf, quotaExceeded } from '../service-admissions/service-admissions.ts';
import { toObstacles } from './admission-obstacles.ts';
import { toAdmission } from './endpoint-service-mapping.ts';
import type { ProviderApiDeps } from './provider-service.ts';
import { toAddressType, toServiceType } from './requests.ts';
import { exists } from './service-changes.ts';
import { stepContext } from './step-context.ts';
import { usersRelations } from './users-relations.ts';

type AdmissionRpcs = Pick<
  ProviderServiceServer,
  'admitEndpoint' | 'explainAdmission' | 'releaseAdmission' | 'confirmServiceTeardown'
>;

const checkRegions = (
  v: Violations,
  request: Readonly<{ regionId?: string | undefined; serviceRegion?: string | undefined }>,
): void => {
  if (request.regionId !== undefined) checkName(v, 'region_id', request.regionId);
  if (request.serviceRegion !== undefined) checkName(v, 'service_region', request.serviceRegion);
};

/** What other services ask of the provider service. */
export const admissionHandlers = ({ services, admissions, quotas }: ProviderApiDeps): AdmissionRpcs => ({
  admitEndpoint: unary(async (request, rpc) => {
    const v = violations();
    checkId(v, 'endpoint_id', request.endpointId, 'ep');
    checkAccountId(v, 'account_id', request.accountId);
    checkEnum(v, 'endpoint_type', request.endpointType);
    checkEnum(v, 'address_type', request.addressType);
    checkRegions(v, request);
    v.throwIfAny();
    const { endpointId, accountId, zoneIds } = request;
    const serviceId = request.service.split('.').at(-1) ?? '';
    if (!isId(serviceId, 'epsrv')) throw new Rejected('ENDPOINT_SERVICE_NOT_FOUND', { service_id: serviceId });
    const addressType = toAddressType(request.addressType);
    const applicant = {
      ...{ serviceId, accountId, endpointType: toServiceType(request.endpointType), addressType, zoneIds },
      regionId: request.regionId ?? null,
    };
    const check = async (): Promise<AdmissionSnapshot> =>
      admit((await services.fold(serviceId)).state, applicant, request.serviceRegion ?? null);
    await check();
    const command = { type: 'AdmitEndpoint', data: { endpointId, accountId } } as const;
    const { latest: ledger, events } = await admissions.execute(serviceId, command, stepContext(rpc.command, 'admit'));
    await failpoint('provider:after-admission');
    // Written before the service is read: a removal, a deletion or a lock meanwhile sees the slot, or is seen here.
    try {
      const snapshot = await check();
      const acceptance = acceptanceOf(snapshot.service, accountId, earlierThan(ledger.state, endpointId));
      const { service } = snapshot;
      const isElsewhere = isCrossRegion(service, applicant);
      const terms = isElsewhere ? crossRegionTerms(service, quotas) : bandwidthTerms(service);
      return { admission: toAdmission(snapshot, acceptance, terms) };
    } catch (refused) {
      // One that has a slot already asks for a zone more: refused or not, it stays.
      if (events.length === 0) throw refused;
      const release = { type: 'ReleaseAdmission', data: { endpointId } } as const;
      await admissions.execute(serviceId, release, stepContext(rpc.command, 'release'));
      throw refused;
    }
  }),

  explainAdmission: unary(async (request) => {
    const v = violations();
    checkAccountId(v, 'account_id', request.accountId);
    checkEnum(v, 'endpoint_type', request.endpointType);
    checkEnum(v, 'address_type', request.addressType);
    checkZoneIds(v, 'zone_ids', request.zoneIds);
    checkRegions(v, request);
    v.throwIfAny();
    const { accountId, zoneIds } = request;
    const serviceId = request.service.split('.').at(-1) ?? '';
    if (!isId(serviceId, 'epsrv')) return ExplainAdmissionResponse.create();
    const [{ state: service }, { state: ledger }] = await Promise.all([
      services.fold(serviceId),
      admissions.fold(serviceId),
    ]);
    if (!exists(service)) return ExplainAdmissionResponse.create();
    const addressType = toAddressType(request.addressType);
    const applicant = {
      ...{ serviceId, accountId, endpointType: toServiceType(request.endpointType), addressType, zoneIds },
      regionId: request.regionId ?? null,
    };
    const quota = quotaExceeded(ledger, quotas);
    const waiting = explainWaiting(service, accountId, endpointsOf(ledger, accountId).length);
    return {
      ...{ serviceId, serviceAccountId: service.accountId, serviceRevision: BigInt(service.version) },
      ...{ payer: Payer[service.payer], listed: usersRelations(service, ledger, accountId).length > 0 },
      obstacles: [
        ...explainAdmission(service, applicant),
        ...(quota ? [{ reason: 'QUOTA_EXCEEDED' as const, facts: quota }] : []),
        ...(waiting ? [waiting] : []),
      ].flatMap((obstacle) => toObstacles(service, accountId, obstacle)),
    };
  }),

  releaseAdmission: unary(async ({ serviceId, endpointId }, rpc) => {
    const v = violations();
    checkId(v, 'service_id', serviceId, 'epsrv');
    checkId(v, 'endpoint_id', endpointId, 'ep');
    v.throwIfAny();
    const command = { type: 'ReleaseAdmission', data: { endpointId } } as const;
    await admissions.execute(serviceId, command, stepContext(rpc.command, 'release'));
    return {};
  }),

  confirmServiceTeardown: unary(async ({ serviceId, serviceRevision, connectionCount }, rpc) => {
    const v = violations();
    checkId(v, 'service_id', serviceId, 'epsrv');
    checkCount(v, 'service_revision', serviceRevision);
    checkCount(v, 'connection_count', connectionCount);
    v.throwIfAny();
    const data = { version: Number(serviceRevision), connectionCount: Number(connectionCount) };
    await services.execute(serviceId, { type: 'ConfirmTeardown', data }, rpc.command);
    return {};
  }),
});
