// Which code may know of which. Each rule says why in its comment; `npm run check` enforces them.
const SPECS = '\\.(spec|property)\\.ts$|\\.spec\\.ts$|/testing/|test-support';
const AGGREGATES =
  '^services/(provider/src/(account-services|endpoint-service|service-admissions)|consumer/src/(endpoint|gateway-endpoint|vpc)|connection-broker/src/(connection|scope-facts|fan-out|allocation)|dns/src/name-set)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'eventing-is-pure',
      comment: 'The eventing core knows nothing but itself.',
      severity: 'error',
      from: { path: '^services/shared/src/eventing/', pathNot: SPECS },
      to: { pathNot: '^services/shared/src/eventing/' },
    },
    {
      name: 'domain-is-pure',
      comment:
        'An aggregate knows the eventing core and the aggregates beside it: no clock, ids, clients or wire (`net` tells IP addresses).',
      severity: 'error',
      from: { path: AGGREGATES, pathNot: `${SPECS}|\\.codec\\.ts$` },
      to: { pathNot: `^net$|^services/shared/src/eventing/|${AGGREGATES}` },
    },
    {
      name: 'codecs-know-schemas-only',
      comment: 'A codec adds schemas to its aggregate, and nothing else.',
      severity: 'error',
      from: { path: '\\.codec\\.ts$' },
      to: { pathNot: `^services/shared/src/(eventing/|app/stored-schemas\\.ts)|${AGGREGATES}|node_modules/.*zod` },
    },
    {
      name: 'processes-know-ports-only',
      comment: 'A saga speaks to ports, never to a wire.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/processes/', pathNot: SPECS },
      to: { path: '^(proto/|services/shared/src/(grpc|nats|postgres|kurrent|runtime)/|node:|node_modules/)' },
    },
    {
      name: 'only-publishers-and-ingest-know-nats',
      comment: 'Nothing is published beside an append: announcements are a subscription.',
      severity: 'error',
      from: {
        path: '^services/(provider|consumer|connection-broker|dns|ops)/src/',
        pathNot: `/(publish|ingest)/|/main\\.ts$|${SPECS}`,
      },
      to: { path: '^services/shared/src/nats/' },
    },
    {
      name: 'only-main-constructs',
      comment: 'main.ts is the only file of a service that constructs clients and connections.',
      severity: 'error',
      from: {
        path: '^services/(provider|consumer|connection-broker|dns|data-plane|ops)/src/',
        pathNot: `/main\\.ts$|${SPECS}`,
      },
      to: {
        path: '^services/shared/src/(kurrent/|runtime/foundation|postgres/connect|nats/connect|grpc/(server|tokens))',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'services-are-separate',
      comment: 'Services share the protobuf contract and `shared`, never each other.',
      severity: 'error',
      from: { path: '^services/(provider|consumer|connection-broker|dns|data-plane|ops)/', pathNot: SPECS },
      to: { path: '^services/(?!shared/)', pathNot: '^services/$1/' },
    },
    {
      name: 'shared-knows-no-service',
      comment: 'What all services stand on knows none of them.',
      severity: 'error',
      from: { path: '^services/shared/' },
      to: { path: '^services/(?!shared/)|^infra/|^test/', dependencyTypesNot: ['npm-dev'] },
    },
    {
      name: 'nothing-knows-tests',
      comment: 'Test kits are for tests.',
      severity: 'error',
      from: { path: '^(services|infra|proto)/', pathNot: SPECS },
      to: { path: `${SPECS}|^test/` },
    },
    {
      name: 'an-agent-is-stateless',
      comment: 'What a zone agent must know it is told: it has no store, no database and no subscription.',
      severity: 'error',
      from: { path: '^services/data-plane/src/', pathNot: SPECS },
      to: { path: '^services/shared/src/(kurrent|postgres|nats)/|^services/shared/src/runtime/foundation' },
    },
    {
      name: 'ops-only-shows',
      comment: 'What operators are shown is what others announce: no store, no decisions, no announcements of its own.',
      severity: 'error',
      from: { path: '^services/ops/src/', pathNot: SPECS },
      to: { path: '^services/shared/src/(kurrent|app/repository)|^services/shared/src/nats/publisher' },
    },
    {
      name: 'pages-know-types-only',
      comment: 'Pages are told everything by the API: of the contract they take types, of the code nothing.',
      severity: 'error',
      from: { path: '^services/ops/web/src/' },
      to: { path: '^(proto|services|infra|test)/', pathNot: '^services/ops/web/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'desired-is-pure',
      comment: 'What is desired is folded from what is told, without a look at the machine (`net` tells IP addresses).',
      severity: 'error',
      from: { path: '^services/data-plane/src/desired/', pathNot: SPECS },
      to: { pathNot: '^net$|^proto/|^services/shared/src/grpc/validate|^services/data-plane/src/desired/' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      comment: 'Types may refer to each other; modules may not.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules/(?!.*zod)|^proto/gen/google' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
