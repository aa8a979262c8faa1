import { ForwardingState, type ReportForwardingRequest } from '@privatelink/proto/broker/v1/broker_service';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import type { Connection } from '../../../services/connection-broker/src/connection/connection.ts';
import { isServing } from '../../../services/connection-broker/src/connection/forwarding.ts';
import { boundTargets, ingressOf } from '../../../services/consumer/src/vpc/security-groups.ts';
import type { Ingress } from '../../../services/data-plane/src/desired/ingress.ts';
import { typeOf } from '../../support/event-log.ts';
import type { Plan } from '../plan.ts';
import type { ZoneMachine } from '../world/zone-machine.ts';
import type { Ending } from './aggregates.ts';

/** Each zone forwards what is connected there, from whom it lets in to the targets of its resource, and nothing else. */
export const wrongForwarding = (ending: Ending, machines: readonly ZoneMachine[]): readonly string[] =>
  machines.flatMap(({ zoneId, forwards }) => {
    const wantedOf = (...statuses: readonly string[]) =>
      [...ending.connection].flatMap(([id, { state }]) => {
        const zone = state.zones[zoneId];
        if (!statuses.includes(state.status ?? '') || !zone || !isServing(zone)) return [];
        const ways: readonly Way[] =
          state.endpointType === 'REVERSE' ? waysOf(state, ending) : (zone.resource?.targets ?? []);
        const addresses = [zone.ipv4, zone.ipv6].filter((address) => address !== '');
        return addresses.flatMap((host) =>
          ways.map(({ ip, port, number = port }) => `${id} ${letIn(state, ending)} ${host}:${number} -> ${ip}:${port}`),
        );
      });
    // One zone may be ready while another still waits for a resource.
    const allowed = wantedOf('CONNECTED', 'CONNECTING');
    const done = forwards().flatMap(({ connectionId, ingress, binds, targets }) =>
      binds.flatMap(({ host, port }) =>
        targets.map((to) => `${connectionId} ${textOf(ingress)} ${host}:${port} -> ${to.ip}:${to.port}`),
      ),
    );
    return [
      ...wantedOf('CONNECTED')
        .filter((one) => !done.includes(one))
        .map((one) => `${zoneId} does not forward ${one}`),
      ...done.filter((one) => !allowed.includes(one)).map((one) => `${zoneId} forwards ${one}, which nobody wants`),
    ];
  });

/** What a connection may carry is shared by its zones, and each keeps its share; what is limited by nobody is not. */
export const wrongLimits = (ending: Ending, machines: readonly ZoneMachine[]): readonly string[] =>
  machines.flatMap(({ zoneId, limits }) =>
    [...ending.connection].flatMap(([id, { state }]) => {
      const zone = state.zones[zoneId];
      if (state.status !== 'CONNECTED' || !zone || !isServing(zone)) return [];
      const zones = Object.values(state.zones).filter(isServing).length;
      const share = Math.ceil((state.bandwidth?.limitMbps ?? 0) / zones);
      const kept = limits().get(id) ?? 0;
      return kept === share ? [] : [`${zoneId} limits ${id} to ${kept} Mbit/s instead of ${share}`];
    }),
  );

/** What is recorded of the health of each connected zone is what its targets do. */
export const wrongHealth = (ending: Ending, machines: readonly ZoneMachine[]): readonly string[] =>
  machines.flatMap(({ zoneId, isAnswering }) =>
    [...ending.connection].flatMap(([id, { state }]) => {
      const zone = state.zones[zoneId];
      if (state.status !== 'CONNECTED' || !zone || !isServing(zone) || zone.healthy === isAnswering()) return [];
      return [`${zoneId} of ${id} is recorded as ${zone.healthy ? '' : 'not '}healthy, and is not so`];
    }),
  );

/** Of an endpoint and its VPC, whatever the broker was told of them. */
const ownWord = ({ endpointId, vpcId }: Connection, ending: Ending) => {
  const endpoint = ending.endpoint.get(endpointId)?.state;
  const ledger = ending.vpc.get(vpcId)?.state;
  return endpoint && ledger && { endpoint, ledger };
};

/** Whom its security groups let in. */
const letIn = (state: Connection, ending: Ending): string => {
  const word = state.endpointType === 'INTERFACE' ? ownWord(state, ending) : undefined;
  return textOf(word ? ingressOf(word.ledger, word.endpoint.securityGroupIds) : null);
};

const textOf = (ingress: Ingress | null): string =>
  ingress?.map(({ allowed, sourceCidr }) => `${allowed ? 'from' : 'not from'} ${sourceCidr}`).join(', ') ?? 'from all';

/** To what its security groups let a provider, by numbers. */
const waysOf = (state: Connection, ending: Ending): readonly Way[] => {
  const word = ownWord(state, ending);
  if (!word) return [];
  const { endpoint, ledger } = word;
  return boundTargets(ledger, endpoint.securityGroupIds, endpoint.targets).flatMap(({ ip, port, allowed }, index) =>
    allowed ? [{ ip, port, number: index + 1 }] : [],
  );
};
type Way = Readonly<{ ip: string; port: number; number?: number }>;

/**
 * Is told each request as it is made, and each event as it is recorded. What is confirmed of a zone is so at that moment,
 * and an agent said so of that very generation; and an address that is released is forwarded by nobody.
 */
export const watchForwarding = ({ forwarding, faults }: Plan, machines: readonly ZoneMachine[]) => {
  const wrong: string[] = [];
  const reported = new Set<string>();
  const forwards = (zoneId: string, endpointId: string): boolean =>
    machines.some((one) => one.zoneId === zoneId && one.forwards().some((to) => to.connectionId === endpointId));
  // A proxy may die after it was asked.
  const isReliable = faults.every(({ fault }) => fault !== 'killProxy');
  return {
    wrong,
    hear: (rpc: string, request: object): void => {
      if (rpc !== 'ReportForwarding') return;
      const { connectionId, zoneId, generation, state } = request as ReportForwardingRequest;
      reported.add(reportOf(connectionId, zoneId, generation, state));
    },
    see: (stream: string, event: Pick<StoredEvent, 'type' | 'data'>): void => {
      if (forwarding === 'none') return;
      const data = event.data as { endpointId?: string; zoneId?: string; generation?: number };
      const { endpointId = idOfStream(stream), zoneId = '', generation = 0 } = data;
      const type = typeOf(event);
      const confirmed = CONFIRMED[type];
      if (confirmed && !reported.has(reportOf(endpointId, zoneId, BigInt(generation), confirmed)))
        wrong.push(`${type} of ${endpointId} in ${zoneId} at generation ${generation}, which no agent reported`);
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

const CONFIRMED: Readonly<Record<string, ForwardingState>> = {
  ZoneConnected: ForwardingState.READY,
  ZoneDisconnected: ForwardingState.CLOSED,
};

const reportOf = (connectionId: string, zoneId: string, generation: bigint, state: ForwardingState): string =>
  [connectionId, zoneId, generation, state].join(' ');
