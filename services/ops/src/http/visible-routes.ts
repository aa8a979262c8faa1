import { fromJson } from '@bufbuild/protobuf';
import type { Client } from '@grpc/grpc-js';
import { callJson, registry } from '@privatelink/shared/grpc/json-call';
import { listedPage, pageQuery } from './list-routes.ts';
import type { Shown } from './listings.ts';
import { RPC_TIMEOUT_MS } from './rpc-routes.ts';
import type { App } from './server.ts';

/** Of `ListVisibleServicesResponse`. */
type Answer = { endpointServices: Shown[]; nextPageToken: string };

/** What an account may connect to. Who is listed is not announced: the service that knows is asked, with the caller's token. */
export const visibleRoutes = (app: App, provider: Client): void => {
  const method = registry.getService('privatelink.provider.v1.ProviderService')?.method['listVisibleServices'];
  if (!method) throw new Error('the contract has no ListVisibleServices');
  app.get(
    '/api/visible-services',
    {
      schema: {
        summary: 'Endpoint services that the caller’s account may connect to, as it may see them',
        tags: ['lists'],
        querystring: pageQuery,
        response: { 200: listedPage },
      },
      serializerCompiler: () => JSON.stringify,
    },
    async (request) => {
      const { token } = request.signed;
      const asked = fromJson(method.input, { ...request.query });
      const answers = callJson(provider, method, asked, { token, timeoutMs: RPC_TIMEOUT_MS })[Symbol.asyncIterator]();
      const { endpointServices, nextPageToken } = (await answers.next()).value as Answer;
      return { items: endpointServices, nextPageToken };
    },
  );
};
