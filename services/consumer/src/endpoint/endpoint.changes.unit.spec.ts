import { describe, expect, it } from 'vitest';
import { endpoint } from './endpoint.decide.ts';
import type { EndpointCommand } from './endpoint.ts';
import {
  activate,
  active,
  addZone,
  at,
  attach,
  CAROL,
  confirm,
  create,
  detach,
  given,
  lock,
  particulars,
  played,
  releasedParts,
  remove,
  removeZone,
  resourceIn,
  setPolicy,
  stateAfter,
  unlock,
  update,
  zoneIn,
} from './testing/fixtures.ts';

const started = { from: 'ACTIVE', to: 'CHANGING', because: 'changeStarted' } as const;
const POLICY = '{"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"}],"Version":"1"}';

describe('AddZone', () => {
  it('starts a change', () => {
    given(...active())
      .when(addZone('b'))
      .thenEvents({
        type: 'ZoneAdded',
        data: { zone: zoneIn('b'), resources: [resourceIn('b')], actor: CAROL, at, move: started },
      });
  });

  it('goes on with a change that is under way', () => {
    const [event] = given(...active(addZone('b')))
      .when(addZone('c'))
      .thenTypes('ZoneAdded');
    expect(event?.data).toMatchObject({ move: null });
    expect(stateAfter(addZone('c'), addZone('b')).zones.map(({ zoneId }) => zoneId)).toEqual([
      'zone-a',
      'zone-b',
      'zone-c',
    ]);
  });

  it('of one that is there just so is success', () => {
    given(...active())
      .when(addZone('a', { eni: 'eni-other' }))
      .thenNothing();
    given(...active())
      .when(addZone('a', { eni: 'eni-other', requestedIpv4: zoneIn('a').ipv4 }))
      .thenNothing();
  });

  it('of one that is there otherwise is refused', () => {
    given(...active())
      .when(addZone('a', { requestedIpv4: '10.0.0.99' }))
      .thenRejected('ZONE_ALREADY_ADDED', { zone_id: 'zone-a', vswitch_id: 'vsw-a', field: 'zone.zone_id' });
    const command = addZone('a') as Extract<EndpointCommand, { type: 'AddZone' }>;
    const zone = { ...command.data.zone, vswitchId: 'vsw-a2' };
    given(...active())
      .when({ ...command, data: { ...command.data, zone } })
      .thenRejected('ZONE_ALREADY_ADDED', { vswitch_id: 'vsw-a' });
  });

  it('waits until the zone’s last interface is gone', () => {
    given(...active(addZone('b'), removeZone('zone-b')))
      .when(addZone('b', { eni: 'eni-new' }))
      .thenRejected('ZONE_BEING_REMOVED', { zone_id: 'zone-b' });
    given(...active(addZone('b'), removeZone('zone-b'), confirm(4)))
      .when(addZone('b', { eni: 'eni-new' }))
      .thenTypes('ZoneAdded');
  });

  it('never makes two zones of a next hop', () => {
    const create2 = { ...create, data: { ...create.data, endpointType: 'GATEWAY_LOAD_BALANCER' } } as EndpointCommand;
    given(...played(create2, { type: 'ActivateEndpoint', data: {} }))
      .when(addZone('b'))
      .thenRejected('ZONE_COUNT', { required: '1', given: '2', field: 'zone' });
  });
});

describe('RemoveZone', () => {
  const two = active(addZone('b'), confirm(3));

  it.each([
    ['zone-b', ''],
    ['', 'vsw-b'],
    ['zone-b', 'vsw-b'],
  ])('starts a change: %j %j', (zoneId, vswitchId) => {
    given(...two)
      .when(removeZone(zoneId, vswitchId))
      .thenEvents({
        type: 'ZoneRemovalStarted',
        data: { zoneId: 'zone-b', eniId: 'eni-b', actor: CAROL, at, move: started },
      });
  });

  it.each([
    ['zone-c', ''],
    ['', 'vsw-c'],
    ['zone-b', 'vsw-a'],
  ])('of what is not there is success: %j %j', (zoneId, vswitchId) => {
    given(...two)
      .when(removeZone(zoneId, vswitchId))
      .thenNothing();
  });

  it('leaves the last one', () => {
    given(...active())
      .when(removeZone('zone-a'))
      .thenRejected('LAST_ZONE', { zone_id: 'zone-a' });
    given(...active(addZone('b'), removeZone('zone-b')))
      .when(removeZone('zone-a'))
      .thenRejected('LAST_ZONE');
  });

  it('leaves the last one that the provider has on, and takes those that are off', () => {
    const without = (zoneId: string, ...disabled: readonly string[]) => removeZone(zoneId, '', CAROL, disabled);
    given(...two)
      .when(without('zone-a', 'zone-b'))
      .thenRejected('LAST_ENABLED_ZONE', { zone_id: 'zone-a' });
    given(...two)
      .when(without('zone-b', 'zone-b'))
      .thenTypes('ZoneRemovalStarted');
    given(...two)
      .when(without('zone-b', 'zone-a', 'zone-b'))
      .thenTypes('ZoneRemovalStarted');
    given(...two)
      .when(without('zone-b', 'zone-gone'))
      .thenTypes('ZoneRemovalStarted');
  });
});

describe('security groups', () => {
  it('are attached, each attaching by a name of its own, and detached', () => {
    given(...active())
      .when(attach('sg-2'))
      .thenEvents({
        type: 'SecurityGroupAttached',
        data: { securityGroupId: 'sg-2', attachmentId: 'sga-sg-2', actor: CAROL, at, move: started },
      });
    given(...active(attach('sg-2')))
      .when(detach('sg-2'))
      .thenEvents({
        type: 'SecurityGroupDetached',
        data: { securityGroupId: 'sg-2', attachmentId: 'sga-sg-2', actor: CAROL, at, move: null },
      });
    const state = stateAfter(attach('sg-2'), detach('sg-1'), attach('sg-1', 'sga-again'), detach('sg-2'));
    expect(state).toMatchObject({
      securityGroupIds: ['sg-1'],
      attachments: { 'sg-1': 'sga-again' },
      unreleased: ['sg-1', 'sga-sg-2'],
    });
    expect(stateAfter(attach('sg-2'), detach('sg-2'), releasedParts('sga-sg-2')).unreleased).toEqual([]);
  });

  it('that are so already are success', () => {
    given(...active())
      .when(attach('sg-1', 'other'))
      .thenNothing();
    given(...active())
      .when(detach('sg-2'))
      .thenNothing();
  });

  it('are 1 to 10', () => {
    given(...active())
      .when(detach('sg-1'))
      .thenRejected('LAST_SECURITY_GROUP', { security_group_id: 'sg-1', field: 'security_group_id' });
    const nine = Array.from({ length: 9 }, (_, index) => attach(`sg-${index + 2}`));
    given(...active(...nine.slice(1)))
      .when(attach('sg-x'))
      .thenTypes('SecurityGroupAttached');
    given(...active(...nine))
      .when(attach('sg-x'))
      .thenRejected('QUOTA_EXCEEDED', { limit: '10', current: '10' });
  });
});

describe('a zone that is there', () => {
  it('is that of another IPv6 address', () => {
    given(...active())
      .when(addZone('a', { requestedIpv6: '2001:db8::9' }))
      .thenRejected('ZONE_ALREADY_ADDED', { ipv6_address: '', field: 'zone.zone_id' });
  });
});

describe('a next hop', () => {
  const hop = played(
    {
      ...create,
      data: { ...create.data, endpointType: 'GATEWAY_LOAD_BALANCER', securityGroupIds: [] },
    } as EndpointCommand,
    { type: 'ActivateEndpoint', data: {} },
  );

  it('takes no security group', () => {
    given(...hop)
      .when(attach('sg-1'))
      .thenRejected('ENDPOINT_TYPE_MISMATCH', { given: 'GATEWAY_LOAD_BALANCER', field: 'security_group_id' });
  });

  it('is not deleted by a request that was given up', () => {
    const abandoned = { type: 'PartAbandoned', data: { partId: 'nhc-1', at } } as const;
    given(...hop, abandoned)
      .when(remove(CAROL, 'nhc-1'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
    given(...hop, abandoned)
      .when(remove(CAROL, 'nhc-2'))
      .thenTypes('DeletionStarted');
  });
});

describe('SetPolicy', () => {
  it('sets and resets it; the same one is no change', () => {
    given(...active())
      .when(setPolicy(POLICY))
      .thenEvents({ type: 'PolicyChanged', data: { policy: POLICY, actor: CAROL, at, move: started } });
    given(...active(setPolicy(POLICY)))
      .when(setPolicy(''))
      .thenTypes('PolicyChanged');
    given(...active())
      .when(setPolicy(''))
      .thenNothing();
  });

  it.each(['REVERSE', 'GATEWAY_LOAD_BALANCER'])('is not for %s', (endpointType) => {
    const targets = endpointType === 'REVERSE' ? [{ ip: '10.0.1.9', port: 5432 }] : [];
    const other = { ...create, data: { ...create.data, endpointType, targets } } as EndpointCommand;
    given(...played(other, { type: 'ActivateEndpoint', data: {} }))
      .when(setPolicy(POLICY))
      .thenRejected('ENDPOINT_TYPE_MISMATCH', { required: 'INTERFACE', given: endpointType, field: 'policy' });
    given()
      .when({ ...other, data: { ...other.data, policy: POLICY } } as EndpointCommand)
      .thenRejected('ENDPOINT_TYPE_MISMATCH');
  });
});

describe('a change', () => {
  const commands = [addZone('b'), removeZone('zone-a'), attach('sg-2'), detach('sg-1'), setPolicy(POLICY)];

  it.each(commands)('is refused while it is created or deleted: $type', (command) => {
    given(...played(create))
      .when(command)
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'CREATING' });
    given(...active(remove()))
      .when(command)
      .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'DELETING' });
  });

  it.each([...commands, update({ description: '' }), lock(), unlock])(
    'finds nothing that is gone: $type',
    (command) => {
      given(...active(remove(), { type: 'CompleteDeletion', data: {} }))
        .when(command)
        .thenRejected('ENDPOINT_NOT_FOUND');
      given().when(command).thenRejected('ENDPOINT_NOT_FOUND');
    },
  );
});

describe('a REVERSE endpoint', () => {
  const reverse = {
    ...particulars,
    endpointType: 'REVERSE',
    targets: [{ ip: '10.0.1.9', port: 5432 }],
    actor: CAROL,
  } as const;
  const there = (...commands: readonly EndpointCommand[]) =>
    played({ type: 'CreateEndpoint', data: reverse }, activate, ...commands);

  it('has targets, and no other endpoint has', () => {
    given()
      .when({ type: 'CreateEndpoint', data: { ...reverse, targets: [] } })
      .thenRejected('TARGET_REQUIRED', { field: 'targets' });
    given()
      .when({ type: 'CreateEndpoint', data: { ...reverse, endpointType: 'INTERFACE' } })
      .thenRejected('ENDPOINT_TYPE_MISMATCH', { required: 'REVERSE', field: 'targets' });
  });

  it('changes with its security groups until its connection has that: they bound where it leads', () => {
    const state = there(attach('sg-2')).reduce(endpoint.evolve, endpoint.initial);
    expect(state).toMatchObject({ status: 'CHANGING', unconfirmed: 3, untold: { version: 3, actor: CAROL } });
    const detached = there(attach('sg-2'), confirm(3), detach('sg-1')).reduce(endpoint.evolve, endpoint.initial);
    expect(detached).toMatchObject({ status: 'CHANGING', unconfirmed: 5, unreleased: ['sg-1'] });
    given(...there(attach('sg-2')))
      .when(confirm(3))
      .thenTypes('ChangeCompleted');
  });
});
