import { Unavailable } from '@privatelink/shared/app/errors';
import type { TxtRecords } from '../dispatch/txt-records.ts';
import type { CustomDomainFailure } from '../endpoint-service/endpoint-service.ts';
import { txtRecordName } from './domain-name.ts';

/** What stands against a name's being the provider's own; null: its TXT record says the token. */
export type FindProof = (domainName: string, token: string) => Promise<CustomDomainFailure | null>;

export const domainProof =
  (txtRecords: TxtRecords): FindProof =>
  async (domainName, token) => {
    const name = txtRecordName(domainName);
    const answer = await txtRecords.lookUp(name);
    if (answer.kind === 'unknown') {
      const why = `DNS does not say what TXT records ${name} has (${answer.why}): ask again`;
      throw new Unavailable('CUSTOM_DOMAIN_UNCHECKED', why);
    }
    if (answer.kind === 'absent') return 'NO_RECORD';
    return answer.texts.includes(token) ? null : 'OTHER_RECORD';
  };
