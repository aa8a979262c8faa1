import type { BrokerServiceServer } from '@privatelink/proto/broker/v1/broker_service';
import type { ConsumerServiceServer } from '@privatelink/proto/consumer/v1/consumer_service';
import type { DnsServiceServer } from '@privatelink/proto/dns/v1/dns_service';
import type { EventsServiceServer } from '@privatelink/proto/events/v1/events_service';
import type { OperationsServiceServer } from '@privatelink/proto/operations/v1/operations_service';
import type { ProviderServiceServer } from '@privatelink/proto/provider/v1/provider_service';

export const roles = ['provider', 'consumer', 'operator', 'viewer', 'billing', 'service'] as const;
export type Role = (typeof roles)[number];

/**
 * What the caller is to the resource. A handler says which of `owner`, `counterpart` and `listed` hold; the others
 * follow from the caller's roles.
 *
 * `owner`: the resource is the caller's account's; of a connection, the owner of its service.
 * `counterpart`: of a connection, the owner of its endpoint; of a service, an account with an endpoint on it.
 * `listed`: the account is on the service's whitelist.
 * `operator`: an operator, or a viewer where viewers may call.
 */
export type Relation = 'owner' | 'counterpart' | 'listed' | 'operator' | 'billing' | 'service';

/** A caller with one of the roles reaches the handler; the resource exists for a caller in one of the relations. */
export type Access = Readonly<{ roles: readonly Role[]; relations: readonly Relation[] }>;

/** A row for each RPC of a generated service, and none else. */
type Rows<Server> = Readonly<{ [Rpc in keyof Server as string extends Rpc ? never : Rpc]: Access }>;

const byProvider: Access = { roles: ['provider'], relations: ['owner'] };
const byConsumer: Access = { roles: ['consumer'], relations: ['owner'] };
const byService: Access = { roles: ['service'], relations: ['service'] };
const byBilling: Access = { roles: ['billing', 'operator'], relations: ['billing', 'operator'] };
const readByProvider: Access = { roles: ['provider', 'operator', 'viewer'], relations: ['owner', 'operator'] };
const readByConsumer: Access = { roles: ['consumer', 'operator', 'viewer'], relations: ['owner', 'operator'] };
/** Other services catch up by these when messages were lost. */
const readByConsumerAndServices: Access = {
  roles: [...readByConsumer.roles, 'service'],
  relations: [...readByConsumer.relations, 'service'],
};
const readByBothSides: Access = {
  roles: ['provider', 'consumer', 'operator', 'viewer', 'service'],
  relations: ['owner', 'counterpart', 'operator', 'service'],
};

/** Each account its own. */
const readByAccounts: Access = {
  roles: ['provider', 'consumer', 'operator', 'viewer'],
  relations: ['owner', 'counterpart', 'operator'],
};

const readByStaff: Access = { roles: ['operator', 'viewer'], relations: ['operator'] };
const byOperator: Access = { roles: ['operator'], relations: ['operator'] };
/** Operators act for a side where it cannot or must not: what they do is recorded as theirs. */
const byProviderOrOperator: Access = { roles: ['provider', 'operator'], relations: ['owner', 'operator'] };
const byConsumerOrOperator: Access = { roles: ['consumer', 'operator'], relations: ['owner', 'operator'] };
const byEitherSideOrOperator: Access = {
  roles: ['provider', 'consumer', 'operator'],
  relations: ['owner', 'counterpart', 'operator'],
};

/** Who may call what: the only place that says so. An RPC without a row does not compile. */
const table = {
  'privatelink.provider.v1.ProviderService': {
    createEndpointService: byProvider,
    getEndpointService: { ...readByBothSides, relations: [...readByBothSides.relations, 'listed'] },
    listEndpointServices: {
      roles: [...readByProvider.roles, 'service'],
      relations: [...readByProvider.relations, 'service'],
    },
    listVisibleServices: { roles: ['consumer', 'provider'], relations: ['listed'] },
    updateEndpointService: byProvider,
    deleteEndpointService: byProviderOrOperator,
    attachResource: byProvider,
    detachResource: byProvider,
    updateResource: byProvider,
    listResources: { roles: [...readByProvider.roles, 'service'], relations: [...readByProvider.relations, 'service'] },
    addServiceUser: byProvider,
    removeServiceUser: byProvider,
    listServiceUsers: readByProvider,
    setAutoAccept: byProvider,
    declareCustomDomain: byProvider,
    verifyCustomDomain: byProvider,
    removeCustomDomain: byProvider,
    addSupportedRegion: byProvider,
    removeSupportedRegion: byProvider,
    setPlatformAccount: byOperator,
    getProviderAccount: readByProvider,
    lockEndpointService: byOperator,
    unlockEndpointService: byOperator,
    admitEndpoint: byService,
    explainAdmission: byService,
    releaseAdmission: byService,
    confirmServiceTeardown: byService,
  } satisfies Rows<ProviderServiceServer>,
  'privatelink.consumer.v1.ConsumerService': {
    registerVpc: byConsumer,
    getVpc: readByConsumer,
    listVpcs: readByConsumer,
    deregisterVpc: byConsumer,
    registerVSwitch: byConsumer,
    deregisterVSwitch: byConsumer,
    registerSecurityGroup: byConsumer,
    deregisterSecurityGroup: byConsumer,
    registerRouteTable: byConsumer,
    deregisterRouteTable: byConsumer,
    addRoute: byConsumer,
    removeRoute: byConsumer,
    createEndpoint: byConsumer,
    getEndpoint: readByConsumerAndServices,
    listEndpoints: readByConsumerAndServices,
    updateEndpoint: byConsumer,
    addEndpointZone: byConsumer,
    removeEndpointZone: byConsumer,
    attachSecurityGroup: byConsumer,
    detachSecurityGroup: byConsumer,
    setEndpointPolicy: byConsumer,
    evaluatePolicy: readByBothSides,
    deleteEndpoint: byConsumerOrOperator,
    createGatewayEndpoint: byConsumer,
    getGatewayEndpoint: readByConsumer,
    listGatewayEndpoints: readByConsumer,
    setGatewayEndpointPolicy: byConsumer,
    deleteGatewayEndpoint: byConsumer,
    lockEndpoint: byOperator,
    unlockEndpoint: byOperator,
    confirmConnectionUpdated: byService,
    confirmConnectionDeleted: byService,
    settleEndpointCreation: byService,
  } satisfies Rows<ConsumerServiceServer>,
  'privatelink.broker.v1.BrokerService': {
    getConnection: readByBothSides,
    listConnections: readByBothSides,
    watchConnections: readByBothSides,
    listConnectionEvents: readByBothSides,
    getConnectionTraffic: readByBothSides,
    explainReachability: {
      roles: ['provider', 'consumer', 'operator', 'viewer'],
      relations: ['owner', 'counterpart', 'operator'],
    },
    acceptConnection: byProviderOrOperator,
    rejectConnection: byProviderOrOperator,
    pauseConnection: byEitherSideOrOperator,
    resumeConnection: byEitherSideOrOperator,
    disableZoneConnection: byProviderOrOperator,
    enableZoneConnection: byProviderOrOperator,
    replaceZoneResource: byProvider,
    setConnectionBandwidth: byProvider,
    reportPaymentOverdue: byBilling,
    reportPaymentSettled: byBilling,
    requestConnection: byService,
    updateConnection: byService,
    deleteConnection: byService,
    closeService: byService,
    closeResource: byService,
    recordServiceFact: byService,
    watchZone: byService,
    reportForwarding: byService,
    reportZoneHealth: byService,
    reportTraffic: byService,
  } satisfies Rows<BrokerServiceServer>,
  'privatelink.dns.v1.DnsService': {
    // Names are no secret; the relations are to the VPC in which one is looked up.
    lookupDomain: { roles, relations: ['owner', 'operator', 'service'] },
    listVpcResolvers: readByConsumer,
    putNames: byService,
  } satisfies Rows<DnsServiceServer>,
  'privatelink.events.v1.EventsService': {
    // Services read anew by it what JetStream does not keep any more.
    watchEvents: {
      roles: [...readByAccounts.roles, 'service'],
      relations: [...readByAccounts.relations, 'service'],
    },
    listEvents: readByAccounts,
  } satisfies Rows<EventsServiceServer>,
  'privatelink.operations.v1.OperationsService': {
    listReadModels: readByStaff,
    rebuildReadModel: byOperator,
    listSubscriptions: readByStaff,
    listDeadLetters: readByStaff,
    replayDeadLetter: byOperator,
    discardDeadLetter: byOperator,
  } satisfies Rows<OperationsServiceServer>,
};

const rowOf = new Map<string, Access>(
  Object.entries(table).flatMap(([service, rows]) =>
    Object.entries(rows).map(([rpc, row]) => [`${service}/${rpc.charAt(0).toUpperCase()}${rpc.slice(1)}`, row]),
  ),
);

/** @param method full name, `privatelink.provider.v1.ProviderService/GetEndpointService` */
export const accessOf = (method: string): Access | undefined => rowOf.get(method);

/**
 * Whether a caller in these relations may do what the row is about. Without any, whether the caller's roles alone
 * suffice: then it is about every account's resources.
 */
export const allows = (access: Access, callerRoles: readonly Role[], relations: readonly Relation[]): boolean =>
  [...relations, ...relationsByRole(access, callerRoles)].some((relation) => access.relations.includes(relation));

/** Only roles that may make this call count: a provider who is a viewer too changes nothing of others. */
const relationsByRole = (access: Access, callerRoles: readonly Role[]): Relation[] => {
  const has = (role: Role): boolean => callerRoles.includes(role) && access.roles.includes(role);
  const relations: Relation[] = [];
  if (has('operator') || has('viewer')) relations.push('operator');
  if (has('billing')) relations.push('billing');
  if (has('service')) relations.push('service');
  return relations;
};
