import { consumer, onSome } from './step.ts';

const POLICIES = ['', '{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'] as const;

export const createGatewayEndpoint = onSome('networks', async ({ vpcId, account, routeTableIds }, context) => {
  const { client, known, random, requestId } = context;
  const tables = random.chance(0.3) ? [...routeTableIds] : [random.pick(routeTableIds)];
  const reply = await client.ask(consumer(account), 'consumer', 'createGatewayEndpoint', {
    ...{ requestId: requestId(), vpcId, routeTableIds: tables, serviceName: 'com.example.oss' },
    ...{ policy: random.pick(POLICIES), tags: [] },
  });
  const gatewayEndpointId = reply?.gatewayEndpoint?.gatewayEndpointId;
  if (gatewayEndpointId) known.gateways.push({ gatewayEndpointId, account });
});

export const setGatewayPolicy = onSome('gateways', ({ gatewayEndpointId, account }, { client, random, requestId }) => {
  const request = { requestId: requestId(), gatewayEndpointId, policy: random.pick(POLICIES) };
  return client.ask(consumer(account), 'consumer', 'setGatewayEndpointPolicy', request);
});

export const deleteGatewayEndpoint = onSome('gateways', ({ gatewayEndpointId, account }, { client, requestId }) =>
  client.ask(consumer(account), 'consumer', 'deleteGatewayEndpoint', { requestId: requestId(), gatewayEndpointId }),
);
