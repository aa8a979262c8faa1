import { DnsServiceService } from '@privatelink/proto/dns/v1/dns_service';
import { allRegions } from '@privatelink/shared/app/regions';
import { factReader } from '@privatelink/shared/facts/fact-reader';
import { portsPerVpc } from '@privatelink/shared/runtime/config';
import { defineService, runMain } from '@privatelink/shared/runtime/service-main';
import { StartupError } from '@privatelink/shared/runtime/startup-error';
import { dnsService } from './api/dns-service.ts';
import { errors } from './api/errors.ts';
import { nameSetCodec } from './name-set/name-set.codec.ts';
import { nameSet } from './name-set/name-set.ts';
import { nameSetFacts } from './publish/name-set-facts.ts';
import { type Answer, createAnswer } from './server/answer.ts';
import { createAsk } from './server/ask.ts';
import { count } from './server/count.ts';
import { type DnsServer, type DnsServerOptions, startDnsServer } from './server/dns-server.ts';
import { createVpcResolvers } from './server/vpc-resolvers.ts';
import { createZoneFeed } from './zone/zone-feed.ts';
import type { Lookup } from './zone/zone-table.ts';
import { createZoneViews } from './zone/zone-views.ts';

type OpenServer = (
  options: DnsServerOptions,
  /** How clients in a zone of a VPC are answered; in any zone when empty. */
  answerInside: (vpcId: string, zoneId: string) => Answer,
) => Promise<Pick<DnsServer, 'close'>>;

/** `openServer`: what answers everybody's queries on a socket. */
export const dns = (openServer: OpenServer) =>
  defineService({ name: 'dns', categories: [nameSet.category] }, async (config, foundation, service) => {
    const { dnsListen, dnsVpcListen, dnsVpcs, dnsVpcsPerAccount, dnsSuffix } = config;
    const regions = allRegions(config);
    const most = Math.max(...regions.map(({ zoneIds }) => zoneIds.length));
    if (!dnsListen) throw new StartupError('configuration: PRIVATELINK_DNS_LISTEN is required', { exitCode: 78 });
    if (dnsVpcListen && (most >= portsPerVpc || dnsVpcListen.port + dnsVpcs * portsPerVpc > 65_536)) {
      const room = `${portsPerVpc - 1} zones of a region, and ${portsPerVpc} ports for each of PRIVATELINK_DNS_VPCS`;
      throw new StartupError(`configuration: PRIVATELINK_DNS_VPC_LISTEN has room for ${room}`, { exitCode: 78 });
    }
    const { deps, store } = foundation;

    const views = createZoneViews(dnsSuffix);
    let rotation = 0;
    const answerBy = (table: Lookup) => createAnswer({ table, nextRotation: () => rotation++, onAnswered: count });
    const resolvers =
      dnsVpcListen &&
      createVpcResolvers({
        ...{ listen: dnsVpcListen, portsPerVpc, vpcs: dnsVpcs, vpcsPerAccount: dnsVpcsPerAccount },
        ...{ startServer: startDnsServer, log: service.log },
        answerIn: ({ vpcId, zoneId }) => answerBy(views.inside(vpcId, zoneId)),
      });
    if (resolvers) service.onStop(resolvers.close);
    const zonesAround = (places: readonly Readonly<{ zoneId: string }>[]): readonly string[] =>
      regions.find(({ zoneIds }) => places.some(({ zoneId }) => zoneIds.includes(zoneId)))?.zoneIds ?? [];
    const feed = createZoneFeed(views, ({ vpcId, accountId, endpointId, zones }, isOnlyAnsweredInside) =>
      resolvers?.need({ vpcId, accountId, zoneIds: zonesAround(zones) }, endpointId, isOnlyAnsweredInside),
    );
    foundation.background('zoneFeed', () => feed.run(deps));
    // A table that is not complete would deny names that exist.
    await feed.caughtUp;
    await resolvers?.start();
    const everybody = answerBy(views.everybody);
    const dns = await openServer({ ...dnsListen, answer: everybody, log: service.log }, (vpcId, zoneId) =>
      answerBy(views.inside(vpcId, zoneId)),
    );
    service.onStop(dns.close);

    await foundation.announce({
      nameSet: factReader(store, { decider: nameSet, codec: nameSetCodec }, nameSetFacts),
    });
    await foundation.serve(
      DnsServiceService,
      dnsService({
        nameSets: foundation.repository(nameSet, nameSetCodec),
        feed,
        ask: (view) => createAsk(view === null ? everybody : answerBy(views.inside(view.vpcId, view.zoneId))),
        resolversOf: async (vpcId) => (await resolvers?.of(vpcId)) ?? [],
        suffix: dnsSuffix,
      }),
      errors,
    );
  });

if (import.meta.main) await runMain(dns(startDnsServer));
