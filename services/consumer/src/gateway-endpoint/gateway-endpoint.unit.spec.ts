import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, it } from 'vitest';
import { type GatewayEndpointCommand, type GatewayEndpointEvent, gatewayEndpoint } from './gateway-endpoint.ts';

const { given, at } = deciderSpec(gatewayEndpoint);
const CARL = 'user:carl';
const POLICY = '{"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"}],"Version":"1"}';

const particulars = {
  gatewayEndpointId: 'vpce-1',
  accountId: '2'.repeat(16),
  vpcId: 'vpc-1',
  routeTableIds: ['vtb-1'],
  serviceName: 'com.example.oss',
  policy: '',
  tags: [{ key: 'team', value: 'archive' }],
};
const create: GatewayEndpointCommand = { type: 'CreateGatewayEndpoint', data: { ...particulars, actor: CARL } };
const activate: GatewayEndpointCommand = { type: 'ActivateGatewayEndpoint', data: {} };
const setPolicy = (policy: string): GatewayEndpointCommand => ({ type: 'SetPolicy', data: { policy, actor: CARL } });
const completeChange: GatewayEndpointCommand = { type: 'CompleteChange', data: {} };
const remove: GatewayEndpointCommand = { type: 'DeleteGatewayEndpoint', data: { actor: CARL } };
const completeDeletion: GatewayEndpointCommand = { type: 'CompleteDeletion', data: {} };
const abandon: GatewayEndpointCommand = {
  type: 'AbandonCreation',
  data: { gatewayEndpointId: 'vpce-1', vpcId: 'vpc-1' },
};

/** What commands lead to, each decided on what those before it led to. */
const after = (...commands: readonly GatewayEndpointCommand[]) => {
  const events: GatewayEndpointEvent[] = [];
  let state = gatewayEndpoint.initial;
  for (const command of commands) {
    const decided = gatewayEndpoint.decide(command, state, at);
    state = decided.reduce(gatewayEndpoint.evolve, state);
    events.push(...decided);
  }
  return given(...events);
};
const ACTIVE = [create, activate];
const CHANGING = [...ACTIVE, setPolicy(POLICY)];
const DELETING = [...ACTIVE, remove];
const GONE = [...DELETING, completeDeletion];

describe('a gateway endpoint', () => {
  it('is created once, and active as soon as that is known', () => {
    after()
      .when(create)
      .thenEvents({
        type: 'GatewayEndpointCreated',
        data: { ...particulars, actor: CARL, at, move: { from: null, to: 'CREATING', because: 'created' } },
      });
    for (const commands of [[create], ACTIVE, GONE])
      after(...commands)
        .when(create)
        .thenNothing();
    after(create)
      .when(activate)
      .thenEvents({
        type: 'GatewayEndpointActivated',
        data: { at, move: { from: 'CREATING', to: 'ACTIVE', because: 'activated' } },
      });
    for (const commands of [ACTIVE, DELETING, GONE])
      after(...commands)
        .when(activate)
        .thenNothing();
  });

  it('is created, or its creation is abandoned: whichever comes first', () => {
    after().when(abandon).thenTypes('GatewayEndpointCreationAbandoned');
    after(create).when(abandon).thenNothing();
    after(abandon).when(create).thenRejected('ENDPOINT_CREATION_ABANDONED', { endpoint_id: 'vpce-1' });
    after(abandon).when(abandon).thenNothing();
  });

  it('has a policy, which is set and reset; the same one is no change', () => {
    after(...ACTIVE)
      .when(setPolicy(POLICY))
      .thenEvents({
        type: 'PolicyChanged',
        data: { policy: POLICY, actor: CARL, at, move: { from: 'ACTIVE', to: 'CHANGING', because: 'changeStarted' } },
      });
    after(...CHANGING)
      .when(setPolicy(POLICY))
      .thenNothing();
    after(...CHANGING)
      .when(setPolicy(''))
      .thenEvents({ type: 'PolicyChanged', data: { policy: '', actor: CARL, at, move: null } });
    after(...CHANGING)
      .when(completeChange)
      .thenTypes('ChangeCompleted');
    after(...ACTIVE)
      .when(completeChange)
      .thenNothing();
    after(create).when(setPolicy(POLICY)).thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'CREATING' });
    after(...DELETING)
      .when(setPolicy(POLICY))
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'DELETING' });
  });

  it.each([[[create]], [ACTIVE], [CHANGING]])('is deleted at any time %#', (commands) => {
    after(...commands)
      .when(remove)
      .thenTypes('DeletionStarted');
    after(...commands)
      .when(completeDeletion)
      .thenNothing();
  });

  it('is deleted once', () => {
    for (const commands of [DELETING, GONE])
      after(...commands)
        .when(remove)
        .thenNothing();
    after(...DELETING)
      .when(completeDeletion)
      .thenTypes('GatewayEndpointDeleted');
    after(...GONE)
      .when(completeDeletion)
      .thenNothing();
  });

  it('is not there before and, but for its deletion, after', () => {
    for (const commands of [[], [abandon]]) {
      for (const command of [setPolicy(POLICY), remove]) {
        after(...commands)
          .when(command)
          .thenRejected('GATEWAY_ENDPOINT_NOT_FOUND');
      }
    }
    after(...GONE)
      .when(setPolicy(POLICY))
      .thenRejected('GATEWAY_ENDPOINT_NOT_FOUND');
  });
});
