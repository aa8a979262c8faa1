import type { Kind } from './kind.ts';
import { acceptance } from './kinds/acceptance.ts';
import { endpoint } from './kinds/endpoint.ts';
import { endpointService } from './kinds/endpoint-service.ts';
import { routeTable, securityGroup, vpc, vswitch } from './kinds/network.ts';
import type { KindName } from './things.ts';

export const kinds: Readonly<Record<KindName, Kind>> = {
  Vpc: vpc,
  VSwitch: vswitch,
  SecurityGroup: securityGroup,
  RouteTable: routeTable,
  EndpointService: endpointService,
  Endpoint: endpoint,
  Acceptance: acceptance,
};
