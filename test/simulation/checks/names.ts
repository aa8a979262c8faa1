import { endpointDomainName, zoneDomainName } from '@privatelink/shared/app/domain-names';
import type { Connection, Zone } from '../../../services/connection-broker/src/connection/connection.ts';
import { isServing } from '../../../services/connection-broker/src/connection/forwarding.ts';
import { createAsk } from '../../../services/dns/src/server/ask.ts';
import { ALL_ZONES, type Answers } from '../world/programs.ts';
import type { Ending } from './aggregates.ts';

const SUFFIX = 'privatelink.internal';

/** Where clients are: in any zone, or in one of them. */
const PLACES = ['', ...ALL_ZONES];

/** Every DNS server answers with the addresses of what is connected, the near one where that is wanted, and nothing else. */
export const wrongNames = (ending: Ending, servers: readonly Answers[]): readonly string[] =>
  servers.flatMap(({ everybody, inside }, server) =>
    [...ending.connection].flatMap(([id, { state }]) => {
      if (state.serviceId === '') return [];
      const hasNames = state.endpointType === 'INTERFACE';
      const rcode = state.status === 'GONE' || !hasNames ? 'NXDOMAIN' : 'NOERROR';
      return PLACES.flatMap((place) => {
        const ask = createAsk(place === '' ? everybody : inside(state.vpcId, place));
        const zones = Object.values(state.zones);
        const names: [string, readonly Zone[]][] = [
          [endpointDomainName(state, SUFFIX), servingIn(place, state, ending)],
          ...zones.map((zone): [string, Zone[]] => [
            zoneDomainName(state, zone.zoneId, SUFFIX),
            [zone].filter(isServing),
          ]),
        ];
        return names.flatMap(([name, serving]) => {
          const addresses = serving.flatMap(addressesOf).sort();
          const wanted = `${rcode} ${hasNames && state.status === 'CONNECTED' ? addresses : ''}`;
          const given = [ask(name, 'A'), ask(name, 'AAAA')] as const;
          const got = `${given[0].rcode} ${given.flatMap(({ records }) => records).sort()}`;
          return got === wanted
            ? []
            : [`dns#${server} answers ${got} in [${place}] for ${name} of ${id} (${state.status}), not ${wanted}`];
        });
      });
    }),
  );

/**
 * Those that clients at a place are answered with: of those that answer, or all if none does, the near one, where the
 * endpoint itself says so.
 */
const servingIn = (place: string, { endpointId, zones }: Connection, ending: Ending): readonly Zone[] => {
  const all = Object.values(zones).filter(isServing);
  const healthy = all.filter((zone) => zone.healthy);
  const serving = healthy.length > 0 ? healthy : all;
  const near = serving.filter(({ zoneId }) => zoneId === place);
  return ending.endpoint.get(endpointId)?.state.zoneAffinity && near.length > 0 ? near : serving;
};

const addressesOf = ({ ipv4, ipv6 }: Readonly<{ ipv4: string; ipv6: string }>): readonly string[] =>
  ipv6 === '' ? [ipv4] : [ipv4, ipv6];

/** What clients ask for in each VPC: a name, a name that only a wildcard covers, and one of another domain. */
const ASKED = ['db.example.com', 'any.example.com', 'example.org'];
const NOWHERE = { vpcId: null, place: '' };

/** A custom domain leads to the endpoint of the VPC that has it, the most specific one, and to nobody elsewhere. */
export const wrongCustomNames = (ending: Ending, servers: readonly Answers[]): readonly string[] => {
  const living = [...ending.connection.values()].map(({ state }) => state).filter(({ status }) => status !== 'GONE');
  const vpcs = new Set([...ending.connection.values()].map(({ state }) => state.vpcId).filter((vpcId) => vpcId !== ''));
  return servers.flatMap(({ everybody, inside }, server) =>
    [...[...vpcs].flatMap((vpcId) => PLACES.map((place) => ({ vpcId, place }))), NOWHERE].flatMap(
      ({ vpcId, place }) => {
        const ask = createAsk(vpcId === null ? everybody : inside(vpcId, place));
        const there = living.filter((connection) => connection.vpcId === vpcId);
        return ASKED.flatMap((name) => {
          const holders = holdersOf(there, name);
          const given = ask(name, 'A');
          const got = `${given.rcode} ${[...given.records].sort()}`;
          const wanted = answerOf(holders[0], place, ending);
          const where = `dns#${server} in ${vpcId ?? 'no VPC'} [${place}]`;
          return [
            ...(holders.length > 1 ? [`${name} is wanted of ${holders.length} endpoints in ${vpcId}`] : []),
            ...(got === wanted ? [] : [`${where} answers ${got} for ${name}, not ${wanted}`]),
          ];
        });
      },
    ),
  );
};

/** The ledger keeps for each endpoint the custom domains and the IPv6 addresses that it has, and no others. */
export const partsOfNobody = (ending: Ending): readonly string[] =>
  [...ending.vpc].flatMap(([vpcId, { state }]) =>
    Object.entries(state.reservations).flatMap(([id, { customDomains, ipv6 }]) => {
      const reserved = [...Object.keys(customDomains), ...Object.keys(ipv6)].join();
      const endpoint = ending.endpoint.get(id)?.state;
      const parts = [endpoint?.customDomains?.reservationId ?? '', endpoint?.ipv6ReservationId ?? ''];
      const has = parts.filter((part) => part !== '').join();
      return reserved === has ? [] : [`${vpcId} keeps [${reserved}] for ${id}, which has [${has}]`];
    }),
  );

const holdersOf = (connections: readonly Connection[], name: string): readonly Connection[] => {
  const having = (own: string) => connections.filter(({ customDomains }) => customDomains.includes(own));
  const exact = having(name);
  return exact.length > 0 ? exact : having(name.replace(/^[^.]+/, '*'));
};

const answerOf = (holder: Connection | undefined, place: string, ending: Ending): string => {
  if (!holder) return 'REFUSED ';
  const addresses = servingIn(place, holder, ending);
  return `NOERROR ${holder.status === 'CONNECTED' ? addresses.map(({ ipv4 }) => ipv4).sort() : ''}`;
};
