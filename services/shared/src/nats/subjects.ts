import { kebab, type PublicFact } from '../facts/public-fact.ts';

/** Services that announce facts. */
export type Producer = 'provider' | 'consumer' | 'broker' | 'dns';

/** `evt.<service>.v1.<entity>.<fact>.<account>`: the account comes last, so that one can follow an account over all. */
export const factSubject = ({
  service,
  resourceType,
  type,
  accountId,
}: Pick<PublicFact, 'service' | 'resourceType' | 'type' | 'accountId'>): string => {
  const subject = `evt.${service}.v1.${resourceType}.${kebab(type)}.${accountId || '-'}`;
  if (!/^[a-z0-9-]+(\.[A-Za-z0-9_+-]+){5}$/.test(subject)) throw new Error(`not a subject: ${subject}`);
  return subject;
};

/** Kinds of resources whose facts a service tells to accounts. */
const resourceTypes: Readonly<Record<Producer, readonly string[]>> = {
  provider: ['endpoint-service'],
  consumer: ['endpoint', 'gateway-endpoint'],
  broker: ['connection', 'payments'],
  dns: ['endpoint-names'],
};

/** `privatelink.v1.<account>.<resource type>.<resource id>.<fact>`: all that an account may read begins with its id. */
export const tenantSubject = (
  { resourceType, resourceId, type }: Pick<PublicFact, 'resourceType' | 'resourceId' | 'type'>,
  accountId: string,
): string => {
  const subject = `privatelink.v1.${accountId}.${resourceType}.${resourceId}.${kebab(type)}`;
  if (!/^privatelink\.v1\.\d{16}(\.[a-z0-9-]+){3}$/.test(subject)) throw new Error(`not a subject: ${subject}`);
  return subject;
};

export const tenantSubjectsOf = (service: Producer): readonly string[] =>
  resourceTypes[service].map((resourceType) => `privatelink.v1.*.${resourceType}.>`);

/** Says how far the producer's announcements go while there is nothing to announce. */
export const heartbeatSubject = (service: Producer): string => `evt.${service}.v1.heartbeat`;

export const factsOf = (service: Producer): string => `evt.${service}.v1.>`;

/** Of a message that a consumer could not handle; `*` for any of either. */
export const deadLetterSubject = (service: string, consumer: string, id: string): string =>
  `dlq.${service}.${consumer}.${id}`;

/** Of how such a letter was ended. */
export const endedLetterSubject = (service: string, consumer: string, id: string): string =>
  `${deadLetterSubject(service, consumer, id)}.ended`;
