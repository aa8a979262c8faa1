import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import { isServing } from '../../../services/connection-broker/src/connection/forwarding.ts';
import { typeOf } from '../../support/event-log.ts';
import type { Plan } from '../plan.ts';
import type { ZoneMachine } from '../world/zone-machine.ts';
import type { Ending } from './aggregates.ts';

/** Each zone forwards what is connected there, to the targets of its resource, and nothing else. */
export const wrongForwarding = (ending: Ending, machines: readonly ZoneMachine[]): readonly string[] =>
  machines.flatMap(({ zoneId, forwards }) => {
    const wanted = [...ending.connection].flatMap(([id, { state }]) => {
      const zone = state.zones[zoneId];
      if (state.status !== 'CONNECTED' || !zone || !isServing(zone)) return [];
      const targets = zone.resource?.targets ?? [];
      const addresses = [zone.ipv4, zone.ipv6].filter((address) => address !== '');
      return addresses.flatMap((host) => targets.map(({ ip, port }) => `${id} ${host}:${port} -> ${ip}:${port}`));
    });
    const done = forwards().flatMap(({ connectionId, binds, targets }) =>
      binds.flatMap(({ host, port }) => targets.map((to) => `${connectionId} ${host}:${port} -> ${to.ip}:${to.port}`)),
    );
    return [
      ...wanted.filter((one) => !done.includes(one)).map((one) => `${zoneId} does not forward ${one}`),
      ...done.filter((one) => !wanted.includes(one)).map((one) => `${zoneId} forwards ${one}, which nobody wants`),
    ];
  });

/**
 * Is told each event as it is recorded. What is confirmed of a zone is so at that moment; and an address that is
 * released is forwarded by nobody.
 */
export const watchForwarding = ({ forwarding, faults }: Plan, machines: readonly ZoneMachine[]) => {
  const wrong: string[] = [];
  const forwards = (zoneId: string, endpointId: string): boolean =>
    machines.some((one) => one.zoneId === zoneId && one.forwards().some((to) => to.connectionId === endpointId));
  // A proxy may die after it was asked.
  const isReliable = faults.every(({ fault }) => fault !== 'killProxy');
  return {
    wrong,
    see: (stream: string, event: Pick<StoredEvent, 'type' | 'data'>): void => {
      if (forwarding === 'none') return;
      const data = event.data as { endpointId?: string; zoneId?: string };
      const { endpointId = idOfStream(stream), zoneId = '' } = data;
      const type = typeOf(event);
      if (type === 'ZoneConnected' && isReliable && !forwards(zoneId, endpointId))
        wrong.push(`${zoneId} is connected for ${endpointId} and does not forward it`);
      if (type === 'ZoneDisconnected' && forwards(zoneId, endpointId))
        wrong.push(`${zoneId} is disconnected for ${endpointId} and still forwards it`);
      if (type !== 'ReservationReleased') return;
      for (const machine of machines) {
        if (forwards(machine.zoneId, endpointId))
          wrong.push(`the addresses of ${endpointId} are released while ${machine.zoneId} forwards them`);
      }
    },
  };
};
