import { absent, nobody, noField, ownersToRead, type Rows, services } from './row.ts';
import { accounts, type Scene } from './scene.ts';

/** Names are no secret: DNS answers them to everybody. */
const everybody = Object.fromEntries(Object.keys(nobody).map((caller) => [caller, 'OK'])) as typeof nobody;

const ofNobody = ({ endpointId, networks }: Scene) => ({
  ...{ endpointId, vpcId: networks.C.vpcId, accountId: accounts.C },
  ...{ generation: 0n, state: 'NAME_STATE_WITHDRAWN', names: [] },
});

export const dnsRows: Rows = {
  'dns.lookupDomain': [
    noField(() => ({ domainName: 'ns1.privatelink.internal', recordType: 'A' }), everybody),
    {
      field: 'vpcId',
      say: (_scene, vpcId) => ({ domainName: 'ns1.privatelink.internal', recordType: 'A', vpcId }),
      real: ({ networks }) => networks.C.vpcId,
      absent: absent.vpc,
      // Whose VPC it is decides what is in the answer, not whether there is one.
      expected: everybody,
    },
  ],
  'dns.listVpcResolvers': [
    {
      field: 'vpcId',
      say: (_scene, vpcId) => ({ vpcId }),
      real: ({ networks }) => networks.C.vpcId,
      absent: absent.vpc,
      // The counterpart is whose VPC it is.
      expected: { ...ownersToRead, owner: 'NOT_FOUND', counterpart: 'OK' },
    },
  ],
  // An older generation than any: nothing changes.
  'dns.putNames': (['endpointId', 'vpcId', 'accountId'] as const).map((field) => ({
    field,
    say: (scene: Scene, id: string) => ({ ...ofNobody(scene), [field]: id }),
    real: (scene: Scene) => ofNobody(scene)[field],
    absent: { endpointId: absent.endpoint, vpcId: absent.vpc, accountId: absent.account }[field],
    expected: services('OK'),
  })),
};
