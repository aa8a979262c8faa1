import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, it } from 'vitest';
import { endpointService } from './endpoint-service.decide.ts';
import * as the from './endpoint-service.fixtures.ts';

const { givenAll } = deciderSpec(endpointService, the.at);
const { supporting } = the;
const removing = [...supporting, the.regionRemovalStartedAs()];
const removed = [...removing, the.regionRemoved, the.changed];

describe('another region', () => {
  it('is added, and changes the service until it is open', () => {
    givenAll(the.active).when(the.addRegion()).thenEvents(the.regionAddedAs());
    const added = [...the.active, the.regionAddedAs()];
    givenAll(added).when(the.completeChange).thenNothing();
    givenAll(added).when(the.openRegion()).thenEvents(the.regionOpened);
    givenAll(added).when(the.failRegion()).thenEvents(the.regionFailed);
    for (const done of [the.regionOpened, the.regionFailed]) {
      givenAll([...added, done])
        .when(the.completeChange)
        .thenEvents(the.changed);
    }
  });

  it('is added while the service is being created, or changes', () => {
    givenAll([the.createdAs()]).when(the.addRegion()).thenEvents(the.regionAddedAs(false));
    givenAll([...the.active, the.describedAs('new')])
      .when(the.addRegion())
      .thenEvents(the.regionAddedAs(false));
  });

  it('is open before the service that is created with it is active', () => {
    const created = [the.createdAs(), the.regionAddedAs(false)];
    givenAll(created).when(the.activate).thenNothing();
    givenAll([...created, the.regionOpened])
      .when(the.activate)
      .thenEvents(the.activated);
  });

  it('that is there already is not added again, and what has failed or was removed is', () => {
    givenAll(supporting).when(the.addRegion()).thenNothing();
    givenAll([...the.active, the.regionAddedAs()])
      .when(the.addRegion())
      .thenNothing();
    const failed = [...the.active, the.regionAddedAs(), the.regionFailed, the.changed];
    givenAll(failed).when(the.addRegion()).thenEvents(the.regionAddedAs(true, 'FAILED'));
    givenAll(removed).when(the.addRegion()).thenEvents(the.regionAddedAs(true, 'CLOSED'));
    givenAll(removing).when(the.addRegion()).thenRejected('SUPPORTED_REGION_DELETING', { region: 'cn-shanghai' });
  });

  it('is for services that endpoints of another region can connect to', () => {
    const resources = [the.resource('gwlb-1', { resourceType: 'GWLB' })];
    const created = the.createdAs({ serviceType: 'GATEWAY_LOAD_BALANCER', resources });
    givenAll([created, the.activated])
      .when(the.addRegion())
      .thenRejected('SERVICE_TYPE_MISMATCH', { required: 'INTERFACE', service_type: 'GATEWAY_LOAD_BALANCER' });
  });

  it('is opened once, and not when it is on its way out', () => {
    givenAll(supporting).when(the.openRegion()).thenNothing();
    givenAll(supporting).when(the.failRegion()).thenNothing();
    givenAll(removing).when(the.openRegion()).thenNothing();
    givenAll(the.active).when(the.openRegion()).thenNothing();
    givenAll(the.gone).when(the.openRegion()).thenNothing();
  });

  it.each([
    ['locked', [...supporting, the.lockedAs()], 'SERVICE_LOCKED'],
    ['being deleted', [...supporting, the.deletionStartedAs('ACTIVE')], 'SERVICE_NOT_ACTIVE'],
    ['gone', the.gone, 'ENDPOINT_SERVICE_NOT_FOUND'],
  ])('of a service that is %s stays as it is', (_what, history, reason) => {
    givenAll(history).when(the.addRegion('cn-beijing')).thenRejected(reason);
    givenAll(history).when(the.removeRegion()).thenRejected(reason);
  });
});

describe('removing a region', () => {
  it('changes the service until its connections are torn down', () => {
    givenAll(supporting).when(the.removeRegion(true)).thenEvents(the.regionRemovalStartedAs(true));
    givenAll(removing).when(the.completeChange).thenNothing();
    givenAll(removing).when(the.confirmTeardown(removing.length)).thenEvents(the.regionRemoved);
    givenAll([...removing, the.regionRemoved])
      .when(the.completeChange)
      .thenEvents(the.changed);
  });

  it('is refused by the broker, and the region is there as before', () => {
    givenAll(removing).when(the.refuseRegionRemoval(removing.length)).thenEvents(the.regionRemovalRefused);
    const refused = [...removing, the.regionRemovalRefused];
    givenAll(refused).when(the.completeChange).thenEvents(the.changed);
    givenAll(refused).when(the.removeRegion(true)).thenEvents(the.regionRemovalStartedAs(true, false));
  });

  it('takes an answer to this start only', () => {
    const other = removing.length - 1;
    givenAll(removing).when(the.refuseRegionRemoval(other)).thenNothing();
    givenAll(removing).when(the.refuseRegionRemoval(removing.length, 'cn-beijing')).thenNothing();
    givenAll(removing).when(the.confirmTeardown(other)).thenNothing();
    givenAll(removed).when(the.confirmTeardown(removing.length)).thenNothing();
    givenAll(removed).when(the.refuseRegionRemoval(removing.length)).thenNothing();
  });

  it('that is not there, or goes already, changes nothing', () => {
    givenAll(the.active).when(the.removeRegion()).thenNothing();
    givenAll(removing).when(the.removeRegion(true)).thenNothing();
    givenAll(removed).when(the.removeRegion()).thenNothing();
  });

  it('waits for the service to be there, and goes on when its deletion is refused', () => {
    givenAll([the.createdAs(), the.regionAddedAs(false)])
      .when(the.removeRegion())
      .thenRejected('SERVICE_NOT_ACTIVE', { status: 'CREATING' });
    const both = [...removing, the.deletionStartedAs('CHANGING')];
    givenAll(both).when(the.refuseDeletion(both.length)).thenEvents(the.deletionRefusedAs('CHANGING'));
    givenAll(both).when(the.confirmTeardown(removing.length)).thenEvents(the.regionRemoved);
    givenAll(both).when(the.confirmTeardown(both.length)).thenEvents(the.deleted);
  });

  it('ends what has failed or is not open yet, too', () => {
    const added = [...the.active, the.regionAddedAs()];
    givenAll(added)
      .when(the.removeRegion())
      .thenEvents(the.regionRemovalStartedAs(false, false, 'PENDING'));
    givenAll([...added, the.regionFailed])
      .when(the.removeRegion())
      .thenEvents(the.regionRemovalStartedAs(false, false, 'FAILED'));
  });
});
