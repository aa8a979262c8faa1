import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, it } from 'vitest';
import { endpointService } from './endpoint-service.decide.ts';
import * as the from './endpoint-service.fixtures.ts';

const { given, givenAll } = deciderSpec(endpointService, the.at);
const { resource } = the;

describe('attaching', () => {
  it('changes the service', () =>
    givenAll(the.active)
      .when(the.attach(resource('nlb-2')))
      .thenEvents(the.attachedAs(resource('nlb-2'))));

  it('again the same changes nothing, in whatever order its fields are written', () => {
    const { targets, proxyProtocol, vpcId, autoAllocated, zoneId, resourceType, resourceId } = resource('nlb-1');
    givenAll(the.active)
      .when(
        the.attach({
          proxyProtocol,
          vpcId,
          autoAllocated,
          targets: targets.map(({ ip, port }) => ({ port, ip })),
          resourceType,
          zoneId,
          resourceId,
        }),
      )
      .thenNothing();
  });

  it.each([
    ['other targets', { targets: [{ ip: '10.0.0.11', port: 443 }] }],
    ['another port', { targets: [{ ip: '10.0.0.10', port: 444 }] }],
    ['more targets', { targets: [...resource('x').targets, { ip: '10.0.0.11', port: 443 }] }],
    ['no targets', { targets: [] }],
    ['another allocation', { autoAllocated: false }],
  ] as const)('the same with %s is refused', (_what, change) =>
    givenAll(the.active)
      .when(the.attach(resource('nlb-1', change)))
      .thenRejected('RESOURCE_ALREADY_ATTACHED', { resource_id: 'nlb-1', zone_id: 'h' }),
  );

  it('takes the type that is there, any when none is left', () => {
    const alb = resource('alb-1', { resourceType: 'ALB' });
    givenAll(the.active).when(the.attach(alb)).thenRejected('RESOURCE_TYPE_MISMATCH', { required: 'NLB' });
    givenAll([...the.active, the.detachingAs('nlb-1'), the.detachedAs('nlb-1')])
      .when(the.attach(alb))
      .thenEvents(the.attachedAs(alb, false));
  });

  it('stops at 100 in a zone and at 500 in all', () => {
    const inZone = (zone: number) =>
      Array.from({ length: 100 }, (_, index) =>
        the.attachedAs(resource(`nlb-z${index}`, { zoneId: `${zone}` }), false),
      );
    givenAll([...the.active, ...inZone(1)])
      .when(the.attach(resource('nlb-2', { zoneId: '1' })))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'resources in zone 1', limit: '100', current: '100' });
    givenAll([the.createdAs({ resources: [] }), the.activated, ...[1, 2, 3, 4, 5].flatMap(inZone)])
      .when(the.attach(resource('nlb-2', { zoneId: '6' })))
      .thenRejected('QUOTA_EXCEEDED', { quota: 'resources per service', limit: '500', current: '500' });
  });
});

describe('detaching', () => {
  it('starts, beside another change too', () => {
    givenAll(the.active).when(the.detach('nlb-1')).thenEvents(the.detachingAs('nlb-1'));
    givenAll([...the.active, the.describedAs('new')])
      .when(the.detach('nlb-1'))
      .thenEvents(the.detachingAs('nlb-1', false));
  });
  it('waits until the service is created', () =>
    given(the.createdAs()).when(the.detach('nlb-1')).thenRejected('SERVICE_NOT_ACTIVE', { status: 'CREATING' }));
  it('again, or of what is not there, changes nothing', () => {
    givenAll([...the.active, the.detachingAs('nlb-1')])
      .when(the.detach('nlb-1'))
      .thenNothing();
    givenAll(the.active).when(the.detach('nlb-9')).thenNothing();
  });
  it('is completed or refused once', () => {
    const started = [...the.active, the.detachingAs('nlb-1')];
    givenAll(started).when(the.completeDetachment('nlb-1', 3)).thenEvents(the.detachedAs('nlb-1'));
    givenAll(started).when(the.refuseDetachment('nlb-1', 3)).thenEvents(the.detachmentRefusedAs('nlb-1'));
    givenAll([...started, the.detachmentRefusedAs('nlb-1')])
      .when(the.completeDetachment('nlb-1', 3))
      .thenNothing();
    givenAll([...started, the.detachedAs('nlb-1')])
      .when(the.refuseDetachment('nlb-1', 3))
      .thenNothing();
    givenAll(the.active).when(the.completeDetachment('nlb-1', 3)).thenNothing();
  });
  it('is not ended by a late answer to an earlier one', () => {
    const again = [
      ...the.active,
      the.detachingAs('nlb-1'),
      the.detachedAs('nlb-1'),
      the.attachedAs(resource('nlb-1'), false),
      the.detachingAs('nlb-1', false),
    ];
    givenAll(again).when(the.completeDetachment('nlb-1', 3)).thenNothing();
    givenAll(again).when(the.completeDetachment('nlb-1', 6)).thenEvents(the.detachedAs('nlb-1'));
  });
  it('must end before the same is attached again', () => {
    const started = [...the.active, the.detachingAs('nlb-1')];
    givenAll(started)
      .when(the.attach(resource('nlb-1')))
      .thenRejected('RESOURCE_DETACHING', { resource_id: 'nlb-1', zone_id: 'h' });
    givenAll([...started, the.detachedAs('nlb-1')])
      .when(the.attach(resource('nlb-1')))
      .thenEvents(the.attachedAs(resource('nlb-1'), false));
  });
  it('is answered also while the service is being deleted', () =>
    givenAll([...the.active, the.detachingAs('nlb-1'), the.deletionStartedAs('CHANGING')])
      .when(the.completeDetachment('nlb-1', 3))
      .thenEvents(the.detachedAs('nlb-1')));
});

describe('whether new endpoints are placed on a resource', () => {
  const two = [...the.active, the.attachedAs(resource('nlb-2'), false)];
  const reserve = [...two, the.allocatedAs('nlb-2', false, false)];
  const last = { resource_id: 'nlb-1', zone_id: 'h' };

  it('is switched off and on, and changes the status', () => {
    givenAll(two).when(the.allocate('nlb-1', false)).thenEvents(the.allocatedAs('nlb-1', false));
    givenAll(reserve).when(the.allocate('nlb-2', true)).thenEvents(the.allocatedAs('nlb-2', true));
    givenAll([...two, the.describedAs('new')])
      .when(the.allocate('nlb-1', false))
      .thenEvents(the.allocatedAs('nlb-1', false, false));
  });
  it('that is so already changes nothing', () => {
    givenAll(two).when(the.allocate('nlb-1', true)).thenNothing();
    givenAll(reserve).when(the.allocate('nlb-2', false)).thenNothing();
  });
  it('cannot be said of one that is not attached, or is being detached', () => {
    givenAll(two).when(the.allocate('nlb-9', true)).thenRejected('RESOURCE_NOT_FOUND', { resource_id: 'nlb-9' });
    givenAll([...two, the.detachingAs('nlb-2')])
      .when(the.allocate('nlb-2', false))
      .thenRejected('RESOURCE_DETACHING', { resource_id: 'nlb-2' });
  });

  it('stays on for the last one of a zone', () => {
    givenAll(the.active).when(the.allocate('nlb-1', false)).thenRejected('LAST_AUTO_ALLOCATED_RESOURCE', last);
    givenAll(reserve).when(the.allocate('nlb-1', false)).thenRejected('LAST_AUTO_ALLOCATED_RESOURCE', last);
    const elsewhere = the.attachedAs(resource('nlb-2', { zoneId: 'i' }), false);
    givenAll([...the.active, elsewhere])
      .when(the.allocate('nlb-1', false))
      .thenRejected('LAST_AUTO_ALLOCATED_RESOURCE', last);
    givenAll([...two, the.detachingAs('nlb-2')])
      .when(the.allocate('nlb-1', false))
      .thenRejected('LAST_AUTO_ALLOCATED_RESOURCE', last);
  });
  it('keeps that one from being detached while others of the zone stay', () => {
    givenAll(reserve).when(the.detach('nlb-1')).thenRejected('LAST_AUTO_ALLOCATED_RESOURCE', last);
    givenAll(reserve).when(the.detach('nlb-2')).thenEvents(the.detachingAs('nlb-2'));
    givenAll([...reserve, the.detachingAs('nlb-2')])
      .when(the.detach('nlb-1'))
      .thenEvents(the.detachingAs('nlb-1', false));
    givenAll(two).when(the.detach('nlb-1')).thenEvents(the.detachingAs('nlb-1'));
  });
});
