import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { ConnectionPage } from './pages/connection.tsx';
import { ConnectionsPage } from './pages/connections.tsx';
import { EndpointsPage } from './pages/endpoints.tsx';
import { EventsPage } from './pages/events.tsx';
import { ExplainPage } from './pages/explain.tsx';
import { ServicePage } from './pages/service.tsx';
import { ServicesPage } from './pages/services.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { SystemPage } from './pages/system.tsx';
import { VisibleServicesPage } from './pages/visible-services.tsx';
import { Shell } from './parts/shell.tsx';
import type { FactSelection } from './parts/use-facts.ts';

/** What a list is asked for, as the address says it. */
export type ListSearch = Readonly<{
  q?: string;
  status?: string;
  hold?: string;
  stuck?: boolean;
  filter?: string;
  order?: string;
  /** Names of the columns shown, with commas. */
  columns?: string;
}>;

const readListSearch = (search: Record<string, unknown>): ListSearch => {
  const text = (name: string) => {
    const value = search[name];
    return value === undefined || value === '' ? {} : { [name]: String(value) };
  };
  return {
    ...{ ...text('q'), ...text('status'), ...text('hold'), ...text('filter'), ...text('order') },
    ...text('columns'),
    ...(search['stuck'] === true && { stuck: true }),
  };
};

/** What the graph is around of, which status it is narrowed to, and how it is shown. */
export type TopologySearch = Readonly<{ about?: string; status?: string; view?: 'graph' | 'table' }>;

const readTopologySearch = ({ about, status, view }: Record<string, unknown>): TopologySearch => ({
  ...(about ? { about: String(about) } : {}),
  ...(status ? { status: String(status) } : {}),
  ...(view === 'table' && { view }),
});

const readFactSelection = ({ about, type, actor, moves }: Record<string, unknown>): FactSelection => ({
  ...(about ? { about: String(about) } : {}),
  ...(type ? { type: String(type) } : {}),
  ...(actor ? { actor: String(actor) } : {}),
  ...(moves === true && { moves }),
});

const rootRoute = createRootRoute();
const signInRoute = createRoute({ getParentRoute: () => rootRoute, path: '/sign-in', component: SignInPage });
const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: 'shell', component: Shell });
const getParentRoute = () => shellRoute;

const overviewRoute = createRoute({
  getParentRoute,
  path: '/',
  // With the charts, which no other page needs.
  component: lazyRouteComponent(() => import('./pages/overview.tsx'), 'OverviewPage'),
});
const connectionsRoute = createRoute({
  ...{ getParentRoute, path: '/connections', component: ConnectionsPage, validateSearch: readListSearch },
});
const connectionRoute = createRoute({
  ...{ getParentRoute, path: '/connections/$connectionId', component: ConnectionPage },
});
const servicesRoute = createRoute({
  ...{ getParentRoute, path: '/endpoint-services', component: ServicesPage, validateSearch: readListSearch },
});
const serviceRoute = createRoute({
  ...{ getParentRoute, path: '/endpoint-services/$serviceId', component: ServicePage },
});
const visibleServicesRoute = createRoute({
  ...{ getParentRoute, path: '/visible-services', component: VisibleServicesPage, validateSearch: readListSearch },
});
const topologyRoute = createRoute({
  getParentRoute,
  path: '/topology',
  // With what draws graphs, which no other page needs.
  component: lazyRouteComponent(() => import('./pages/topology.tsx'), 'TopologyPage'),
  validateSearch: readTopologySearch,
});
const endpointsRoute = createRoute({
  ...{ getParentRoute, path: '/endpoints', component: EndpointsPage, validateSearch: readListSearch },
});
const eventsRoute = createRoute({
  ...{ getParentRoute, path: '/events', component: EventsPage, validateSearch: readFactSelection },
});
const explainRoute = createRoute({ getParentRoute, path: '/explain', component: ExplainPage });
const systemRoute = createRoute({ getParentRoute, path: '/system', component: SystemPage });

const routeTree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([
    ...[overviewRoute, connectionsRoute, connectionRoute, servicesRoute, serviceRoute, topologyRoute],
    ...[visibleServicesRoute, endpointsRoute, eventsRoute, explainRoute, systemRoute],
  ]),
]);

export const createAppRouter = () => createRouter({ routeTree, defaultPreload: 'intent' });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
