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

/** Says how far the producer's announcements go while there is nothing to announce. */
export const heartbeatSubject = (service: Producer): string => `evt.${service}.v1.heartbeat`;

export const factsOf = (service: Producer): string => `evt.${service}.v1.>`;

export const deadLetterSubject = (service: string, durable: string): string => `dlq.${service}.${durable}`;
