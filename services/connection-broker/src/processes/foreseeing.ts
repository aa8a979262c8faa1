import { endpointDomainName, zoneDomainName } from '@privatelink/shared/app/domain-names';
import { foldIn } from '@privatelink/shared/app/rehearse';
import type { Rehearsal } from '@privatelink/shared/eventing/rehearsal';
import { hasNames } from '../connection/connection.ts';
import type { Repositories } from '../repositories.ts';
import type { Telling } from './telling.ts';

/** What a dry run would come to here: the connections that are told what is new, and what of theirs is touched. */
export const foreseeing =
  ({ connections }: Pick<Repositories, 'connections'>, telling: Telling, dnsSuffix: string) =>
  async (rehearsal: Rehearsal): Promise<void> => {
    await telling.foresee(rehearsal);
    const changed = rehearsal.planned.filter(({ resourceType }) => resourceType === 'connection');
    for (const connectionId of new Set(changed.map(({ resourceId }) => resourceId))) {
      const { state } = await foldIn(rehearsal, connections, connectionId);
      rehearsal.connectionIds.add(connectionId);
      for (const { eniId } of Object.values(state.zones)) rehearsal.eniIds.add(eniId);
      if (!hasNames(state)) continue;
      rehearsal.domainNames.add(endpointDomainName(state, dnsSuffix));
      for (const name of state.customDomains) rehearsal.domainNames.add(name);
      for (const zoneId of Object.keys(state.zones))
        rehearsal.domainNames.add(zoneDomainName(state, zoneId, dnsSuffix));
    }
  };
