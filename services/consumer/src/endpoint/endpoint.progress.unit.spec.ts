import { describe, expect, it } from 'vitest';
import {
  abandonPart,
  active,
  addZone,
  at,
  attach,
  confirm,
  detach,
  given,
  inform,
  lock,
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

const completed = { from: 'CHANGING', to: 'ACTIVE', because: 'changeCompleted' } as const;

describe('what the broker is to be told', () => {
  it('is every change of zones and every lock, with the resources of the zones added', () => {
    expect(stateAfter().untold).toBeNull();
    expect(stateAfter(addZone('b')).untold).toEqual({ version: 3, actor: 'user:carol', resources: [resourceIn('b')] });
    expect(stateAfter(addZone('b'), inform(3), removeZone('zone-a')).untold).toMatchObject({
      version: 5,
      resources: [],
    });
    expect(stateAfter(lock(), inform(3), unlock).untold).toMatchObject({ version: 5, actor: 'user:olga' });
  });

  it('adds up until it is told', () => {
    const untold = stateAfter(addZone('b'), addZone('c'), lock()).untold;
    expect(untold).toEqual({ version: 5, actor: 'user:olga', resources: [resourceIn('b'), resourceIn('c')] });
    expect(stateAfter(addZone('b'), inform(3), addZone('c')).untold?.resources).toEqual([resourceIn('c')]);
  });

  it('is not what only its owner has to do with', () => {
    expect(stateAfter(update({ description: '' }), setPolicy('{}')).untold).toBeNull();
  });

  it('is whom its security groups let in', () => {
    expect(stateAfter(attach('sg-2'), detach('sg-1')).untold).toMatchObject({ version: 4 });
  });

  it('is told once, and by the newest', () => {
    given(...active(lock()))
      .when(inform(3))
      .thenEvents({ type: 'ConnectionInformed', data: { version: 3, at } });
    given(...active(lock(), unlock))
      .when(inform(3))
      .thenNothing();
    given(...active())
      .when(inform(2))
      .thenNothing();
  });
});

describe('a confirmation', () => {
  it('of the newest change of zones completes it', () => {
    given(...active(addZone('b'), inform(3)))
      .when(confirm(3))
      .thenEvents({ type: 'ChangeCompleted', data: { version: 3, at, move: completed } });
  });

  it('of an older one completes nothing', () => {
    given(...active(addZone('b'), inform(3), addZone('c')))
      .when(confirm(3))
      .thenNothing();
    expect(stateAfter(addZone('b'), inform(3), addZone('c'), confirm(3)).untold?.version).toBe(5);
  });

  it('of the newest zones completes it also when a lock came later, which is still to be told', () => {
    const state = stateAfter(addZone('b'), inform(3), lock(), confirm(3));
    expect(state).toMatchObject({ status: 'ACTIVE', unconfirmed: null, untold: { version: 5 } });
  });

  it('of a version that is yet to come, or of an endpoint at rest, changes nothing', () => {
    given(...active(addZone('b')))
      .when(confirm(4))
      .thenNothing();
    given(...active())
      .when(confirm(2))
      .thenNothing();
    given(...active(addZone('b'), remove()))
      .when(confirm(3))
      .thenNothing();
  });

  it('of a lock says that it is told', () => {
    given(...active(lock()))
      .when(confirm(3))
      .thenTypes('ConnectionInformed');
  });

  it('is not needed of what the connection does not have', () => {
    expect(stateAfter(setPolicy('{}')).unconfirmed).toBeNull();
    given(...active(setPolicy('{}')))
      .when(confirm(3))
      .thenTypes('ChangeCompleted');
  });
});

describe('what it holds of its VPC', () => {
  it('is a removed zone’s address until the connection has let it go', () => {
    const removing = stateAfter(addZone('b'), confirm(3), removeZone('zone-b'));
    expect(removing).toMatchObject({ zones: [zoneIn('a')], removing: [zoneIn('b')], unreleased: [] });
    const gone = stateAfter(addZone('b'), confirm(3), removeZone('zone-b'), confirm(5));
    expect(gone).toMatchObject({ removing: [], unreleased: ['eni-b'] });
  });

  it('is released once', () => {
    const history = active(addZone('b'), removeZone('zone-b'), confirm(4), attach('sg-2'), detach('sg-2'));
    given(...history)
      .when(releasedParts('eni-b', 'eni-x'))
      .thenEvents({ type: 'PartsReleased', data: { partIds: ['eni-b'], at } });
    given(...history)
      .when(releasedParts('eni-x'))
      .thenNothing();
  });

  it.each([
    ['eni-a', []],
    ['eni-b', [addZone('b')]],
    ['eni-b', [addZone('b'), removeZone('zone-b')]],
    ['eni-b', [addZone('b'), removeZone('zone-b'), confirm(4)]],
    ['sg-1', []],
    ['sga-sg-2', [attach('sg-2')]],
    ['sga-sg-2', [attach('sg-2'), detach('sg-2')]],
  ] as const)('is not taken from it: %s', (partId, commands) => {
    given(...active(...commands))
      .when(abandonPart(partId))
      .thenNothing();
  });

  it('is never what was abandoned', () => {
    given(...active())
      .when(abandonPart('eni-b'))
      .thenEvents({ type: 'PartAbandoned', data: { partId: 'eni-b', at } });
    given(...active(abandonPart('eni-b')))
      .when(addZone('b'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED', { endpoint_id: 'ep-1' });
    given(...active(abandonPart('eni-b')))
      .when(addZone('b', { eni: 'eni-other' }))
      .thenTypes('ZoneAdded');
    given(...active(abandonPart('sga-sg-2')))
      .when(attach('sg-2'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
    given(...active(remove()))
      .when(abandonPart('eni-b'))
      .thenNothing();
  });

  it('is not taken back while it is being released: a request that wants that is an old one', () => {
    given(...active(addZone('b'), removeZone('zone-b'), confirm(4)))
      .when(addZone('b'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
    given(...active(attach('sg-2'), detach('sg-2')))
      .when(attach('sg-2'))
      .thenRejected('ENDPOINT_CHANGE_ABANDONED');
  });
});
