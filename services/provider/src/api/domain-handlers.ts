import type { ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';
import { resourceId } from '@privatelink/shared/app/event-id';
import { within } from '@privatelink/shared/app/rehearse';
import { startRehearsal } from '@privatelink/shared/eventing/rehearsal';
import type { RpcContext } from '@privatelink/shared/grpc/context';
import { unary } from '@privatelink/shared/grpc/unary';
import { type CustomDomainFailure, customDomainOf } from '../endpoint-service/endpoint-service.ts';
import { type DomainNameProblem, parseDomainName } from './domain-name.ts';
import type { ProviderApiDeps } from './provider-service.ts';
import { checkMutation } from './requests.ts';
import type { ServiceChanges } from './service-changes.ts';

type DomainRpcs = Pick<ProviderServiceServer, 'declareCustomDomain' | 'verifyCustomDomain' | 'removeCustomDomain'>;

const PROBLEMS: Readonly<Record<DomainNameProblem, string>> = {
  SYNTAX: 'must be a domain name, with *. in front for all names below',
  TOO_LONG: 'must have at most 240 characters',
  TOP_LEVEL: 'must have two labels at least',
  IP_ADDRESS: 'must be a name and no address',
  OURS: 'must not be among the names that endpoints get anyway',
};

/** Names of the provider's own. */
export const domainHandlers = (
  { findProof, dnsSuffix }: ProviderApiDeps,
  { change, reply }: ServiceChanges,
): DomainRpcs => {
  const check = (request: Parameters<typeof checkMutation>[0] & Readonly<{ domainName: string }>): string => {
    const parsed = parseDomainName(request.domainName, dnsSuffix);
    checkMutation(request, (v) => {
      if ('problem' in parsed) v.check('domain_name', false, PROBLEMS[parsed.problem]);
    });
    return 'domainName' in parsed ? parsed.domainName : '';
  };

  return {
    declareCustomDomain: unary(async (request, rpc) => {
      const domainName = check(request);
      const token = tokenOf(request.serviceId, domainName);
      return reply(await change(request, { type: 'DeclareCustomDomain', data: { domainName, token } }, rpc));
    }),

    verifyCustomDomain: unary(async (request, rpc) => {
      const domainName = check(request);
      const checked = (failure: CustomDomainFailure | null, asOf: number, as: RpcContext) =>
        change(request, { type: 'RecordCustomDomainCheck', data: { domainName, failure, asOf } }, as);
      // What is refused anyway asks nobody. As of before everything nothing comes of it: this is how things stand.
      const command = within(startRehearsal(), rpc.command);
      const before = await checked(null, 0, { ...rpc, command });
      if (before.repeated) return reply(before);
      const { version } = before.state;
      const failure = await findProof(domainName, customDomainOf(before.state, domainName)?.token ?? '');
      return reply(await checked(failure, version, rpc));
    }),

    removeCustomDomain: unary(async (request, rpc) => {
      const domainName = check(request);
      return reply(await change(request, { type: 'RemoveCustomDomain', data: { domainName } }, rpc));
    }),
  };
};

/** Follows from service and name, so that it stays the same also when the name is removed and declared again. */
const tokenOf = (serviceId: string, domainName: string): string =>
  `privatelink-verification=${resourceId('txt', serviceId, domainName).slice('txt-'.length)}`;
