import { failpoint } from '@privatelink/shared/app/failpoint';
import type { Folded } from '@privatelink/shared/app/fold';
import { processContext } from '@privatelink/shared/app/process-context';
import type { Reactor } from '@privatelink/shared/app/run-reactor';
import type { CommandContext } from '@privatelink/shared/eventing/command-context';
import { idOfStream } from '@privatelink/shared/eventing/decider';
import type { StoredEvent } from '@privatelink/shared/eventing/message';
import type { Clock } from '@privatelink/shared/eventing/ports';
import type { ProviderPort } from '../dispatch/provider.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { GatewayEndpoint } from '../gateway-endpoint/gateway-endpoint.ts';
import type { Repositories } from '../repositories.ts';
import { entryOf, reservationOf, type Vpc, type VpcEvent } from '../vpc/vpc.ts';

/**
 * What is reserved for an endpoint or a gateway endpoint that was never created is released, and so is a part that was
 * never added to its endpoint, or that came of a deletion that was never recorded. First the creation, the addition or
 * the deletion is fenced off on its own stream: of the fence and one that is still under way, exactly one comes first
 * there, and the other one loses.
 */
type Deps = Pick<Repositories, 'endpoints' | 'gateways' | 'vpcs'> &
  Readonly<{ provider: ProviderPort; clock: Clock; abandonAfterMs: number }>;

/** A creation with the same request id may since have reserved elsewhere. */
type Fenced = 'MADE' | 'MADE_ELSEWHERE' | 'UNMADE';

type Reserved = Readonly<{
  since: string;
  fence: (context: CommandContext) => Promise<Fenced>;
  /** Of what was not made here. */
  release: (context: CommandContext, fenced: Fenced) => Promise<unknown>;
}>;

export const reservationCleanup = (deps: Deps): Reactor => {
  const { vpcs, endpoints, gateways, provider, clock, abandonAfterMs } = deps;

  const endpointIn = ({ state: ledger, cause }: Folded<Vpc>, endpointId: string): Reserved | null => {
    const reservation = reservationOf(ledger, endpointId);
    if (!reservation) return null;
    const { vpcId } = ledger;
    const { serviceId, at: since } = reservation;
    const fence = { type: 'AbandonCreation', data: { endpointId, vpcId, serviceId } } as const;
    return {
      since,
      fence: async (context) => made(vpcId, (await endpoints.execute(endpointId, fence, context)).latest.state),
      release: async (context, fenced) => {
        await vpcs.execute(vpcId, { type: 'ReleaseReservation', data: { endpointId } }, context);
        if (fenced === 'UNMADE') await provider.releaseAdmission(serviceId, endpointId, cause);
      },
    };
  };

  const gatewayIn = ({ state: ledger }: Folded<Vpc>, gatewayEndpointId: string): Reserved | null => {
    const since = entryOf(ledger.gatewayEndpoints, gatewayEndpointId);
    if (since === undefined) return null;
    const { vpcId } = ledger;
    const fence = { type: 'AbandonCreation', data: { gatewayEndpointId, vpcId } } as const;
    const release = { type: 'ReleaseGatewayEndpoint', data: { gatewayEndpointId } } as const;
    return {
      since,
      fence: async (context) => made(vpcId, (await gateways.execute(gatewayEndpointId, fence, context)).latest.state),
      release: (context) => vpcs.execute(vpcId, release, context),
    };
  };

  const partIn = ({ state: ledger }: Folded<Vpc>, endpointId: string, partId: string): Reserved | null => {
    const since = reservationOf(ledger, endpointId)?.additions[partId];
    if (since === undefined) return null;
    const fence = { type: 'AbandonPart', data: { partId } } as const;
    const release = { type: 'ReleaseParts', data: { endpointId, partIds: [partId] } } as const;
    return {
      since,
      fence: async (context) => {
        const { latest } = await endpoints.execute(endpointId, fence, context);
        return latest.state.abandoned.includes(partId) ? 'UNMADE' : 'MADE';
      },
      release: (context) => vpcs.execute(ledger.vpcId, release, context),
    };
  };

  return {
    name: 'reservationCleanup',
    prefixes: ['vpc-'],
    key: reservedBy,
    work: async (key) => {
      const [vpcId = '', id = '', partId] = key.split('/');
      const ledger = await vpcs.fold(vpcId);
      const whole = () => endpointIn(ledger, id) ?? gatewayIn(ledger, id);
      const reserved = partId === undefined ? whole() : partIn(ledger, id, partId);
      if (!reserved) return 'settled';
      const againMs = Date.parse(reserved.since) + abandonAfterMs - clock.now().getTime();
      if (againMs > 0) return { againMs };
      const context = (step: string) => processContext(`${step}/${key}`, ledger, clock.now(), { service: 'consumer' });
      await failpoint('reservationCleanup:before-fence');
      const fenced = await reserved.fence(context('abandon'));
      if (fenced !== 'MADE') await reserved.release(context('release'), fenced);
      return 'settled';
    },
  };
};

const made = (vpcId: string, { status, vpcId: home }: Endpoint | GatewayEndpoint): Fenced => {
  if (status === 'ABANDONED' || status === 'GONE') return 'UNMADE';
  return home === vpcId ? 'MADE' : 'MADE_ELSEWHERE';
};

/** VPC and endpoint, or gateway endpoint; and the part, where it came later. */
const reservedBy = ({ stream, type, data }: StoredEvent): string | null => {
  const vpcId = idOfStream(stream);
  const [name] = type.split('.');
  switch (name) {
    case 'EndpointReserved':
      return `${vpcId}/${(data as Data<typeof name>).endpointId}`;
    case 'GatewayEndpointReserved':
      return `${vpcId}/${(data as Data<typeof name>).gatewayEndpointId}`;
    case 'ZoneReserved': {
      const { endpointId, zone } = data as Data<typeof name>;
      return `${vpcId}/${endpointId}/${zone.eniId}`;
    }
    case 'SecurityGroupReserved': {
      const { endpointId, attachmentId } = data as Data<typeof name>;
      return `${vpcId}/${endpointId}/${attachmentId}`;
    }
    case 'NextHopClosed': {
      const { endpointId, closingId } = data as Data<typeof name>;
      return `${vpcId}/${endpointId}/${closingId}`;
    }
    case 'CustomDomainsReserved':
    case 'Ipv6Reserved': {
      const { endpointId, reservationId } = data as Data<typeof name>;
      return `${vpcId}/${endpointId}/${reservationId}`;
    }
    default:
      return null;
  }
};

type Data<T extends VpcEvent['type']> = Extract<VpcEvent, { type: T }>['data'];
