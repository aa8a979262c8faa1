import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, it } from 'vitest';
import { endpointService } from './endpoint-service.decide.ts';
import * as the from './endpoint-service.fixtures.ts';
import type { EndpointServiceCommand, EndpointServiceEvent } from './endpoint-service.ts';

const { given, givenAll } = deciderSpec(endpointService, the.at);
const { resource } = the;

describe('dual stack', () => {
  const dual = { addressType: 'DUAL_STACK' } as const;
  const behind = (resourceType: 'NLB' | 'CLB' | 'ALB') => ({ resources: [resource('lb-1', { resourceType })] });

  it.each(['CLB', 'ALB'] as const)('is not for a %s: neither at creation nor later', (resourceType) => {
    const facts = { missing: 'RESOURCE', resource_id: 'lb-1', resource_type: resourceType, required: 'NLB or GWLB' };
    given()
      .when(the.create({ ...dual, ...behind(resourceType) }))
      .thenRejected('DUAL_STACK_UNAVAILABLE', { ...facts, field: 'resources[0].resource_type' });
    given(the.createdAs(behind(resourceType)), the.activated)
      .when(the.update(dual))
      .thenRejected('DUAL_STACK_UNAVAILABLE', { ...facts, field: 'address_type' });
    given(the.createdAs({ ...dual, resources: [] }), the.activated)
      .when(the.attach(resource('lb-1', { resourceType })))
      .thenRejected('DUAL_STACK_UNAVAILABLE', { ...facts, field: 'resource.resource_type' });
  });

  it('is had from the start, or later', () => {
    given().when(the.create(dual)).thenEvents(the.createdAs(dual));
    givenAll(the.active).when(the.update(dual)).thenEvents(the.dualStackAs());
    givenAll([...the.active, the.dualStackAs()])
      .when(the.update(dual))
      .thenNothing();
    givenAll(the.active)
      .when(the.update({ ...dual, description: 'new' }))
      .thenEvents(the.describedAs('new'), the.dualStackAs(false));
  });

  it('stays', () => {
    given(the.createdAs(dual), the.activated)
      .when(the.update({ addressType: 'IPV4' }))
      .thenRejected('ADDRESS_TYPE_IRREVERSIBLE', { field: 'address_type' });
    givenAll(the.active)
      .when(the.update({ addressType: 'IPV4' }))
      .thenNothing();
  });
});

describe('creating', () => {
  it('starts', () => given().when(the.create()).thenEvents(the.createdAs()));
  it('needs no resource', () =>
    given()
      .when(the.create({ resources: [] }))
      .thenEvents(the.createdAs({ resources: [] })));
  it('again changes nothing', () => {
    givenAll(the.active).when(the.create()).thenNothing();
    givenAll(the.gone).when(the.create()).thenNothing();
  });

  it.each([
    ['INTERFACE', 'GWLB', 'NLB or CLB or ALB'],
    ['GATEWAY_LOAD_BALANCER', 'NLB', 'GWLB'],
    ['REVERSE', 'NLB', 'EGRESS_SOURCE'],
  ] as const)('refuses for a %s service a %s', (serviceType, resourceType, required) =>
    given()
      .when(the.create({ serviceType, resources: [resource('lb-1', { resourceType })] }))
      .thenRejected('RESOURCE_TYPE_MISMATCH', { resource_id: 'lb-1', resource_type: resourceType, required }),
  );

  it('refuses two types, and one resource twice in a zone', () => {
    given()
      .when(the.create({ resources: [resource('nlb-1'), resource('alb-1', { resourceType: 'ALB' })] }))
      .thenRejected('RESOURCE_TYPE_MISMATCH', { required: 'NLB' });
    given()
      .when(the.create({ resources: [resource('nlb-1'), resource('nlb-1', { targets: [] })] }))
      .thenRejected('RESOURCE_ALREADY_ATTACHED', { resource_id: 'nlb-1', zone_id: 'h' });
    given()
      .when(the.create({ resources: [resource('nlb-1'), resource('nlb-1', { zoneId: 'i' })] }))
      .thenTypes('EndpointServiceCreated');
  });

  it('takes ten resources and no more', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => resource(`nlb-${index}`));
    given()
      .when(the.create({ resources: many(10) }))
      .thenTypes('EndpointServiceCreated');
    given()
      .when(the.create({ resources: many(11) }))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'resources at creation', limit: '10', current: '11' });
  });

  it('that was abandoned stays so, and one that came first is not abandoned', () => {
    given().when(the.abandon).thenEvents(the.abandoned);
    given(the.abandoned).when(the.abandon).thenNothing();
    given(the.abandoned)
      .when(the.create())
      .thenRejected('ENDPOINT_SERVICE_CREATION_ABANDONED', { service_id: 'epsrv-1' });
    for (const history of [[the.createdAs()], the.active, the.deleting, the.gone]) {
      givenAll(history).when(the.abandon).thenNothing();
    }
    given(the.abandoned).when(the.describeAs('new')).thenRejected('ENDPOINT_SERVICE_NOT_FOUND');
    given(the.abandoned).when(the.activate).thenNothing();
  });

  it('ends active, once', () => {
    given(the.createdAs()).when(the.activate).thenEvents(the.activated);
    givenAll(the.active).when(the.activate).thenNothing();
    givenAll(the.deleting).when(the.activate).thenNothing();
  });
});

describe('the description', () => {
  it('changes the status, unless a change is under way', () => {
    givenAll(the.active).when(the.describeAs('new')).thenEvents(the.describedAs('new'));
    givenAll([...the.active, the.describedAs('new')])
      .when(the.describeAs('newer'))
      .thenEvents(the.describedAs('newer', false));
  });
  it('that is the same changes nothing', () => givenAll(the.active).when(the.describeAs('a database')).thenNothing());
});

describe('tags', () => {
  const tags = [the.tag('a', '1'), the.tag('b')];
  it('are given at creation', () => given().when(the.create({ tags })).thenEvents(the.createdAs({ tags })));
  it('are replaced as a whole, and change the status', () => {
    const tagged = [the.createdAs({ tags }), the.activated];
    givenAll(tagged).when(the.update({ tags })).thenNothing();
    for (const other of [[], [the.tag('a', '2'), the.tag('b')], [the.tag('a', '1'), the.tag('c')], tags.slice(0, 1)]) {
      givenAll(tagged)
        .when(the.update({ tags: other }))
        .thenEvents(the.taggedAs(other));
    }
  });
  it('change together with the description: one event for each, and one move of the status', () => {
    const both = the.update({ description: 'new', tags });
    givenAll(the.active).when(both).thenEvents(the.describedAs('new'), the.taggedAs(tags, false));
    givenAll([...the.active, the.attachedAs(resource('nlb-2'))])
      .when(both)
      .thenEvents(the.describedAs('new', false), the.taggedAs(tags, false));
    givenAll(the.active).when(the.update({})).thenNothing();
  });
});

describe('zone affinity', () => {
  it('is off unless it is asked for, and is changed like the description, with it in one move', () => {
    given()
      .when(the.create({ zoneAffinity: true }))
      .thenEvents(the.createdAs({ zoneAffinity: true }));
    givenAll(the.active)
      .when(the.update({ zoneAffinity: true }))
      .thenEvents(the.affinityAs(true));
    givenAll(the.active)
      .when(the.update({ zoneAffinity: false }))
      .thenNothing();
    givenAll(the.active)
      .when(the.update({ description: 'new', zoneAffinity: true, addressType: 'DUAL_STACK' }))
      .thenEvents(the.describedAs('new'), the.affinityAs(true, false), the.dualStackAs(false));
    givenAll([...the.active, the.affinityAs(true), the.changed])
      .when(the.update({ zoneAffinity: false }))
      .thenEvents(the.affinityAs(false));
  });
});

describe('bandwidth', () => {
  const limit = (limitMbps: number) => ({ mode: 'BANDWIDTH_LIMIT', limitMbps }) as const;
  const facts = { traffic_control_modes: 'SCALABILITY, BANDWIDTH_LIMIT', min_mbps: '100', max_mbps: '50000' };

  it('is changed like the description, within what the kind of resource can have', () => {
    givenAll(the.active)
      .when(the.update({ connectBandwidth: limit(50_000) }))
      .thenEvents(the.bandwidthAs(limit(50_000)));
    givenAll(the.active)
      .when(the.update({ description: 'new', connectBandwidth: limit(100) }))
      .thenEvents(the.describedAs('new'), the.bandwidthAs(limit(100), false));
    for (const wrong of [99, 50_001]) {
      givenAll(the.active)
        .when(the.update({ connectBandwidth: limit(wrong) }))
        .thenRejected('BANDWIDTH_UNSUPPORTED', facts);
      given()
        .when(the.create({ connectBandwidth: limit(wrong) }))
        .thenRejected('BANDWIDTH_UNSUPPORTED', { ...facts, field: 'connect_bandwidth' });
    }
  });

  it('without a resource decides which one can be attached', () => {
    const bare = [the.createdAs({ resources: [], connectBandwidth: limit(20_000) }), the.activated];
    givenAll(bare)
      .when(the.attach(resource('clb-1', { resourceType: 'CLB' })))
      .thenRejected('BANDWIDTH_UNSUPPORTED', { resource_type: 'CLB', field: 'resource.resource_type' });
    const alb = resource('alb-1', { resourceType: 'ALB' });
    givenAll(bare).when(the.attach(alb)).thenEvents(the.attachedAs(alb));
  });
});

describe('a change', () => {
  it('is completed once', () => {
    givenAll([...the.active, the.describedAs('new')])
      .when(the.completeChange)
      .thenEvents(the.changed);
    givenAll(the.active).when(the.completeChange).thenNothing();
    givenAll([...the.active, the.describedAs('new'), the.deletionStartedAs('CHANGING')])
      .when(the.completeChange)
      .thenNothing();
  });
  it('waits for a detachment beside it', () => {
    const both = [...the.active, the.describedAs('new'), the.detachingAs('nlb-1', false)];
    givenAll(both).when(the.completeChange).thenNothing();
    givenAll([...both, the.detachedAs('nlb-1')])
      .when(the.completeChange)
      .thenEvents(the.changed);
  });
});

describe('deleting', () => {
  it.each([
    ['CREATING', [the.createdAs()]],
    ['ACTIVE', the.active],
    ['CHANGING', [...the.active, the.describedAs('new')]],
  ] as const)('starts from %s', (from, history) =>
    givenAll(history).when(the.startDeletion(true)).thenEvents(the.deletionStartedAs(from, true)),
  );
  it('again changes nothing', () => givenAll(the.deleting).when(the.startDeletion()).thenNothing());
  it('is refused for blockers, and may start again with force', () => {
    givenAll(the.deleting).when(the.refuseDeletion(3)).thenEvents(the.deletionRefused);
    givenAll([...the.deleting, the.deletionRefused])
      .when(the.startDeletion(true))
      .thenEvents(the.deletionStartedAs('ACTIVE', true));
  });
  it('that is refused while a resource is being detached leaves that change to be completed', () => {
    const history = [...the.active, the.detachingAs('nlb-1'), the.deletionStartedAs('CHANGING')];
    givenAll(history).when(the.refuseDeletion(4)).thenEvents(the.deletionRefusedAs('CHANGING'));
    givenAll([...history, the.deletionRefusedAs('CHANGING'), the.detachmentRefusedAs('nlb-1')])
      .when(the.completeChange)
      .thenEvents(the.changed);
  });
  it('ends when the teardown is confirmed', () =>
    givenAll(the.deleting).when(the.confirmTeardown(3)).thenEvents(the.deleted));
  it('takes no answer to another deletion', () => {
    const again = [...the.deleting, the.deletionRefused, the.deletionStartedAs('ACTIVE', true)];
    givenAll(again).when(the.refuseDeletion(3)).thenNothing();
    givenAll(again).when(the.confirmTeardown(3)).thenNothing();
    givenAll(again).when(the.confirmTeardown(5)).thenEvents(the.deleted);
    givenAll([...the.deleting, the.deletionRefused])
      .when(the.refuseDeletion(3))
      .thenNothing();
  });
});

describe('a lock', () => {
  const locked = [...the.active, the.lockedAs()];
  it.each([
    ['being created', [the.createdAs()]],
    ['active', the.active],
    ['changing', [...the.active, the.describedAs('new')]],
    ['being deleted', the.deleting],
  ])('is placed and lifted while the service is %s', (_what, history) => {
    givenAll(history).when(the.lock()).thenEvents(the.lockedAs());
    givenAll([...history, the.lockedAs()])
      .when(the.unlock)
      .thenEvents(the.unlocked);
    givenAll(history).when(the.unlock).thenNothing();
  });
  it('again changes nothing; with other words it has those', () => {
    givenAll(locked).when(the.lock()).thenNothing();
    givenAll(locked).when(the.lock('other')).thenEvents(the.lockedAs('other'));
    givenAll([...locked, the.unlocked])
      .when(the.lock())
      .thenEvents(the.lockedAs());
  });
  it('stands in the way of no deletion, and of nothing that is under way', () => {
    givenAll(locked).when(the.startDeletion()).thenEvents(the.deletionStartedAs('ACTIVE'));
    givenAll([...the.active, the.detachingAs('nlb-1'), the.lockedAs()])
      .when(the.completeDetachment('nlb-1', 3))
      .thenEvents(the.detachedAs('nlb-1'));
    givenAll([...the.active, the.describedAs('new'), the.lockedAs()])
      .when(the.completeChange)
      .thenEvents(the.changed);
    given(the.createdAs(), the.lockedAs()).when(the.activate).thenEvents(the.activated);
  });
});

const reports: readonly EndpointServiceCommand[] = [
  the.activate,
  the.completeChange,
  the.completeDetachment('nlb-1', 3),
  the.refuseDetachment('nlb-1', 3),
  the.informed(2),
  the.refuseDeletion(3),
  the.confirmTeardown(3),
];
const wishes: readonly EndpointServiceCommand[] = [
  the.describeAs('new'),
  the.update({ tags: [the.tag('a')] }),
  the.attach(resource('nlb-2')),
  the.allocate('nlb-1', false),
  the.detach('nlb-1'),
  the.add(the.consumer),
  the.remove(the.consumer, 'KEEP'),
  the.autoAccept(true),
];

describe('a service that is', () => {
  it.each(wishes)('being deleted refuses $type', (command) =>
    givenAll(the.deleting)
      .when(command)
      .thenRejected('SERVICE_NOT_ACTIVE', { service_id: 'epsrv-1', status: 'DELETING' }),
  );
  it.each(wishes)('locked refuses $type, also where there is nothing to change', (command) => {
    for (const history of [[the.createdAs()], the.active]) {
      givenAll([...history, the.lockedAs()])
        .when(command)
        .thenRejected('SERVICE_LOCKED', { service_id: 'epsrv-1' });
    }
    givenAll([...the.active, the.lockedAs()])
      .when(the.describeAs('a database'))
      .thenRejected('SERVICE_LOCKED');
  });
  it.each([...wishes, the.startDeletion(), the.lock(), the.unlock])('absent or gone refuses $type', (command) => {
    given().when(command).thenRejected('ENDPOINT_SERVICE_NOT_FOUND');
    givenAll(the.gone).when(command).thenRejected('ENDPOINT_SERVICE_NOT_FOUND', { service_id: 'epsrv-1' });
  });
  it.each(reports)('gone absorbs a late $type, one that never was does not', (command) => {
    const detaching: EndpointServiceEvent[] = [
      ...the.active,
      the.detachingAs('nlb-1'),
      the.deletionStartedAs('CHANGING'),
    ];
    givenAll([...detaching, the.deleted])
      .when(command)
      .thenNothing();
    given().when(command).thenRejected('ENDPOINT_SERVICE_NOT_FOUND');
  });
});
