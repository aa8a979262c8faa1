// What a project outside of the workspace does with the packed client, on the machine's own Node. Prints what came of it.
import { readFileSync } from 'node:fs';
import { ConnectionStatus, connect, EndpointType, NotReached, RemoteError } from '@privatelink/client';
import { ResourceType } from '@privatelink/client/proto/provider/v1/endpoint_service';

const { addresses, provider, consumer } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const mine = connect({ addresses, token: { file: provider.tokenFile } });
const theirs = connect({ addresses, token: async () => readFileSync(consumer.tokenFile, 'utf8').trim() });
const resource = { resourceId: 'nlb-1', resourceType: ResourceType.NLB, zoneId: 'cn-hangzhou-h' };

const { endpointService } = await mine.provider.createEndpointService({
  serviceType: EndpointType.INTERFACE,
  autoAccept: true,
  resources: [{ ...resource, targets: [{ ip: '127.0.0.1', port: 8080 }] }],
});
const { serviceId } = endpointService;
const { endpointServices } = await mine.provider.listEndpointServices();
let resumeToken;
const activated = `resource_id = ${serviceId} AND type = EndpointServiceActivated`;
for await (const told of mine.events('provider', { filter: activated })) {
  resumeToken = told.resumeToken;
  break;
}
await mine.provider.addServiceUser({ serviceId, accountId: consumer.account });
const later = [];
for await (const { event } of mine.events('provider', { resumeToken })) {
  later.push(event.type);
  break;
}

const { vpc } = await theirs.consumer.registerVpc({ ipv4Cidr: '10.0.0.0/16' });
const inVpc = { vpcId: vpc.vpcId };
const { vswitch } = await theirs.consumer.registerVSwitch({
  ...inVpc,
  ...{ zoneId: resource.zoneId, ipv4Cidr: '10.0.1.0/24' },
});
const { securityGroup } = await theirs.consumer.registerSecurityGroup(inVpc);
const { endpoint } = await theirs.consumer.createEndpoint({
  ...{ ...inVpc, service: serviceId, securityGroupIds: [securityGroup.securityGroupId] },
  zones: [{ zoneId: resource.zoneId, vswitchId: vswitch.vswitchId }],
});
const { endpoints } = await theirs.consumer.listEndpoints();
const connection = await theirs.waitFor(endpoint.endpointId, 'CONNECTED', { timeoutMs: 20_000 });

const refused = await theirs.provider.createEndpointService({ resources: [] }).catch((error) => error);
const unread = await theirs.consumer.getEndpoint({ endpointId: 'ep-?' }).catch((error) => error);
const badList = await mine.provider.listEndpointServices({ filter: 'colour = red' }).catch((error) => error);
const tooLate = await theirs.waitFor(endpoint.endpointId, 'CHANGING', { timeoutMs: 300 }).catch((error) => error);
const stopped = await theirs
  .waitFor(endpoint.endpointId, 'CHANGING', { signal: AbortSignal.abort(new Error('enough')) })
  .catch((error) => error);
const typed = (error) =>
  error instanceof RemoteError && [error.code, error.reason, error.violations.map(({ field }) => field)];
console.log(
  JSON.stringify({
    ...{ node: process.version, connected: connection.status === ConnectionStatus.CONNECTED, later },
    listed: [endpointServices.map((service) => service.serviceId), endpoints.map(({ endpointId }) => endpointId)],
    made: [serviceId, endpoint.endpointId],
    errors: [refused, unread, badList].map(typed),
    notReached: [tooLate instanceof NotReached, tooLate.message, stopped.message],
  }),
);
mine.close();
theirs.close();
