import { describe, expect, it } from 'vitest';
import type { EndpointCommand } from './endpoint.ts';
import {
  active,
  addZone,
  at,
  CAROL,
  confirm,
  create,
  DAVE,
  given,
  lock,
  played,
  remove,
  removeZone,
  stateAfter,
  unlock,
  update,
} from './testing/fixtures.ts';

const POLICY = '{"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"}],"Version":"1"}';

const changes: readonly (readonly [string, EndpointCommand])[] = [
  ['an update', update({ description: 'x', actor: DAVE })],
  ['an update of nothing', update({ description: 'to the database', actor: DAVE })],
  ['a zone', addZone('b', { actor: DAVE })],
  ['a zone less', removeZone('zone-x', '', DAVE)],
  [
    'a security group',
    { type: 'AttachSecurityGroup', data: { securityGroupId: 'sg-2', attachmentId: 'x', actor: DAVE } },
  ],
  ['a security group less', { type: 'DetachSecurityGroup', data: { securityGroupId: 'sg-9', actor: DAVE } }],
  ['a policy', { type: 'SetPolicy', data: { policy: POLICY, actor: DAVE } }],
];

describe('UpdateEndpoint', () => {
  it('records each thing that is another one, and no status', () => {
    const tags = [{ key: 'env', value: 'prod' }];
    given(...active())
      .when(update({ description: 'new', tags, protected: true }))
      .thenEvents(
        { type: 'DescriptionChanged', data: { description: 'new', actor: CAROL, at } },
        { type: 'TagsChanged', data: { tags, actor: CAROL, at } },
        { type: 'ProtectionChanged', data: { protected: true, actor: CAROL, at } },
      );
  });

  it('of what is so already is success', () => {
    const same = { description: 'to the database', tags: [{ key: 'team', value: 'payments' }], protected: false };
    given(...active())
      .when(update(same))
      .thenNothing();
    given(...active())
      .when(update({}))
      .thenNothing();
  });

  it('is possible while it is created and while it changes', () => {
    given(...played(create))
      .when(update({ description: '' }))
      .thenTypes('DescriptionChanged');
    given(...active(addZone('b')))
      .when(update({ tags: [] }))
      .thenTypes('TagsChanged');
  });
});

describe('a protected endpoint', () => {
  const history = active(update({ protected: true }));

  it.each([...changes, ['its deletion', remove(DAVE)] as const])('is left alone by others: %s', (_name, command) => {
    given(...history)
      .when(command)
      .thenRejected('ENDPOINT_PROTECTED', { endpoint_id: 'ep-1' });
    expect(() => given(...active()).when(command)).not.toThrow();
  });

  it('is its creator’s, who can also open it again', () => {
    given(...history)
      .when(addZone('b'))
      .thenTypes('ZoneAdded');
    given(...history)
      .when(remove(CAROL))
      .thenTypes('DeletionStarted');
    given(...history)
      .when(update({ protected: false }))
      .thenTypes('ProtectionChanged');
    given(...active(update({ protected: true }), update({ protected: false })))
      .when(remove(DAVE))
      .thenTypes('DeletionStarted');
  });

  it('is locked by an operator all the same, and being deleted it is so for others too', () => {
    given(...history)
      .when(lock())
      .thenTypes('EndpointLocked');
    given(...active(update({ protected: true }), remove(CAROL)))
      .when(remove(DAVE))
      .thenNothing();
  });
});

describe('a lock', () => {
  it('is placed with its message, and with another one placed anew', () => {
    given(...active())
      .when(lock('abuse'))
      .thenEvents({ type: 'EndpointLocked', data: { message: 'abuse', actor: 'user:olga', at } });
    given(...active(lock('abuse')))
      .when(lock('abuse'))
      .thenNothing();
    given(...active(lock('abuse')))
      .when(lock('more'))
      .thenTypes('EndpointLocked');
    expect(stateAfter(lock('more')).lock).toEqual({ message: 'more', at });
  });

  it('is lifted once', () => {
    given(...active(lock()))
      .when(unlock)
      .thenEvents({ type: 'EndpointUnlocked', data: { actor: 'user:olga', at } });
    given(...active())
      .when(unlock)
      .thenNothing();
    expect(stateAfter(lock(), unlock).lock).toBeNull();
  });

  it.each(changes.map(([name, { type, data }]) => [name, { type, data: { ...data, actor: CAROL } }] as const))(
    'refuses changes: %s',
    (_name, command) => {
      given(...active(lock('abuse')))
        .when(command as EndpointCommand)
        .thenRejected('ENDPOINT_LOCKED', { endpoint_id: 'ep-1', message: 'abuse' });
    },
  );

  it('refuses no deletion, and a change under way is completed', () => {
    given(...active(lock()))
      .when(remove())
      .thenTypes('DeletionStarted');
    given(...active(addZone('b'), lock()))
      .when(confirm(3))
      .thenTypes('ChangeCompleted');
  });

  it('is placed at any time before the deletion', () => {
    given(...played(create))
      .when(lock())
      .thenTypes('EndpointLocked');
    for (const command of [lock(), unlock]) {
      given(...active(remove()))
        .when(command)
        .thenRejected('ENDPOINT_NOT_ACTIVE', { status: 'DELETING' });
    }
  });
});
