import type { Connection } from '../../../services/connection-broker/src/connection/connection.ts';
import { typeOf } from '../../support/event-log.ts';
import type { Ended } from './registry.ts';

/** A weakness that is known and not mended yet; its entry goes with the fix. */
export type Known = Readonly<{ what: string; explains: (violation: string, ended: Ended) => boolean }>;

const idIn = (violation: string): string => /\bep-[0-9a-z]{20}\b/.exec(violation)?.[0] ?? '';

export const KNOWN: readonly Known[] = [
  {
    what: 'a service has no resource any more in a zone of an endpoint: the connection waits until it has one',
    explains: (violation, { ending }) => {
      const connection = ending.connection.get(idIn(violation))?.state;
      return /CONNECTING/.test(violation) && connection !== undefined && hasNoResource(connection, ending);
    },
  },
  {
    what: 'of two tries of one creation, the refused one gives back the slot that the other one goes on with',
    explains: (violation, { ending, history }) => {
      const endpointId = idIn(violation);
      const status = ending.endpoint.get(endpointId)?.state.status;
      const released = history.findLast(
        (event) =>
          typeOf(event) === 'AdmissionReleased' && (event.data as { endpointId: string }).endpointId === endpointId,
      );
      const byTry = /AdmitEndpoint|ReleaseAdmission/.test(released?.metadata['requestId'] ?? '');
      return /has a slot and does not exist/.test(violation) && byTry && (status === 'ACTIVE' || status === 'CREATING');
    },
  },
];

const hasNoResource = ({ status, serviceId, zones }: Connection, { endpointService }: Ended['ending']): boolean => {
  const offered = endpointService.get(serviceId)?.state.resources ?? [];
  const isServed = (zoneId: string) => offered.some((one) => one.zoneId === zoneId && one.autoAllocated);
  return status === 'CONNECTING' && Object.values(zones).some((zone) => !zone.resource && !isServed(zone.zoneId));
};
