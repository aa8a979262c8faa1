import * as connections from './connections.ts';
import * as consumer from './consumer.ts';
import * as domains from './domains.ts';
import * as gateways from './gateways.ts';
import * as provider from './provider.ts';
import { repeatRequest } from './requests.ts';

/** Every step that a plan may have, and how often it comes compared with the others. */
export const STEPS = {
  publishService: { weight: 2, run: provider.publishService },
  addServiceUser: { weight: 3, run: provider.addServiceUser },
  removeServiceUser: { weight: 2, run: provider.removeServiceUser },
  setAutoAccept: { weight: 2, run: provider.setAutoAccept },
  attachResource: { weight: 3, run: provider.attachResource },
  detachResource: { weight: 3, run: provider.detachResource },
  updateResource: { weight: 1, run: provider.updateResource },
  describeService: { weight: 1, run: provider.describeService },
  addSupportedRegion: { weight: 2, run: provider.addSupportedRegion },
  removeSupportedRegion: { weight: 1, run: provider.removeSupportedRegion },
  lockService: { weight: 0.5, run: provider.lockService },
  unlockService: { weight: 2, run: provider.unlockService },
  deleteService: { weight: 1, run: provider.deleteService },
  offerCustomDomain: { weight: 3, run: domains.offerCustomDomain },
  declareCustomDomain: { weight: 1, run: domains.declareCustomDomain },
  verifyCustomDomain: { weight: 2, run: domains.verifyCustomDomain },
  removeProof: { weight: 1, run: domains.removeProof },
  removeCustomDomain: { weight: 1, run: domains.removeCustomDomain },
  registerNetwork: { weight: 1, run: consumer.registerNetwork },
  createEndpoint: { weight: 12, run: consumer.createEndpoint },
  createManyEndpoints: { weight: 2, run: consumer.createManyEndpoints },
  addEndpointZone: { weight: 4, run: consumer.addEndpointZone },
  removeEndpointZone: { weight: 3, run: consumer.removeEndpointZone },
  attachSecurityGroup: { weight: 1, run: consumer.attachSecurityGroup },
  detachSecurityGroup: { weight: 1, run: consumer.detachSecurityGroup },
  updateEndpoint: { weight: 1, run: consumer.updateEndpoint },
  switchCustomDomains: { weight: 4, run: consumer.switchCustomDomains },
  enableDualStack: { weight: 3, run: consumer.enableDualStack },
  lockEndpoint: { weight: 0.5, run: consumer.lockEndpoint },
  unlockEndpoint: { weight: 2, run: consumer.unlockEndpoint },
  deleteEndpoint: { weight: 4, run: consumer.deleteEndpoint },
  addRoute: { weight: 5, run: consumer.addRoute },
  removeRoute: { weight: 2, run: consumer.removeRoute },
  createGatewayEndpoint: { weight: 2, run: gateways.createGatewayEndpoint },
  setGatewayPolicy: { weight: 1, run: gateways.setGatewayPolicy },
  deleteGatewayEndpoint: { weight: 2, run: gateways.deleteGatewayEndpoint },
  routeAndDelete: { weight: 2, run: consumer.routeAndDelete },
  acceptConnection: { weight: 9, run: connections.acceptConnection },
  rejectConnection: { weight: 3, run: connections.rejectConnection },
  decideBoth: { weight: 2, run: connections.decideBoth },
  pauseConnection: { weight: 2, run: connections.pauseConnection },
  resumeConnection: { weight: 3, run: connections.resumeConnection },
  disableZone: { weight: 2, run: connections.disableZone },
  replaceZoneResource: { weight: 4, run: connections.replaceZoneResource },
  setBandwidth: { weight: 2, run: connections.setBandwidth },
  enableZone: { weight: 2, run: connections.enableZone },
  reportOverdue: { weight: 3, run: connections.reportOverdue },
  reportSettled: { weight: 4, run: connections.reportSettled },
  explain: { weight: 1, run: connections.explain },
  readPast: { weight: 1, run: connections.readPast },
  flipPayments: { weight: 6, run: connections.flipPayments },
  repeatRequest: { weight: 5, run: repeatRequest },
} as const;

export type StepName = keyof typeof STEPS;

/** Without these nothing else could happen. */
export const OPENING: readonly StepName[] = [
  'publishService',
  'publishService',
  'registerNetwork',
  'registerNetwork',
  'createEndpoint',
  'createEndpoint',
  'createEndpoint',
];
