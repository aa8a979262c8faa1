import { evolveAll } from '@privatelink/shared/eventing/decider';
import { deciderSpec } from '@privatelink/shared/testing/decider-spec';
import { describe, expect, it } from 'vitest';
import type { ConnectionCommand } from './connection.commands.ts';
import { connection } from './connection.decide.ts';
import * as the from './connection.fixtures.ts';
import { isUpdated } from './connection.progress.ts';
import type { Connection, ConnectionEvent } from './connection.ts';

const { givenAll } = deciderSpec(connection, the.at);

const play = (...commands: readonly ConnectionCommand[]) => {
  const events: ConnectionEvent[] = [];
  let state: Connection = connection.initial;
  for (const command of commands) {
    const decided = connection.decide(command, state, the.at);
    events.push(...decided);
    state = evolveAll(connection, state, decided);
  }
  return { events, state };
};

const assigned = ['h', 'i'].map((zoneId) => ({ zoneId, resource: the.resource(zoneId), placement: 1 }));
const up = (generation: number) => the.report(generation, { zones: the.zones('READY'), names: 'PUBLISHED', assigned });
const connected = [the.request(true), up(1)];
const domains = (revision: number, ...names: readonly string[]) => the.updated(revision, ['h', 'i'], false, names);

describe('custom domains of a connection', () => {
  it('change it like zones do: a generation more, until all of it is confirmed', () => {
    const { events } = play(...connected);
    const types = ['ConnectionUpdated', 'CustomDomainsChanged', 'ChangeStarted'];
    givenAll(events)
      .when(domains(3, 'db.example.com'))
      .thenTypes(...types);
    const { state } = play(...connected, domains(3, 'db.example.com'));
    expect([state.status, state.generation, isUpdated(state)]).toEqual(['CHANGING', 2, false]);
    const done = play(...connected, domains(3, 'db.example.com'), up(2)).state;
    expect([done.status, done.customDomains, isUpdated(done)]).toEqual(['CONNECTED', ['db.example.com'], true]);
  });

  it('that stay the same change nothing else', () => {
    const { events } = play(...connected, domains(3, 'db.example.com'), up(2));
    givenAll(events).when(domains(4, 'db.example.com')).thenTypes('ConnectionUpdated');
    givenAll(events).when(domains(2)).thenNothing();
  });

  it('taken away are gone when DNS has been told, also where nothing is forwarded', () => {
    const waiting = [the.request(false), domains(3, 'db.example.com'), the.report(2, { names: 'WITHDRAWN', assigned })];
    const taken = play(...waiting, domains(4));
    expect(taken.state).toMatchObject({ status: 'DISCONNECTED', generation: 3, formerDomains: ['db.example.com'] });
    expect(isUpdated(taken.state)).toBe(false);
    const late = play(...waiting, domains(4), the.report(2, { names: 'WITHDRAWN' })).state;
    expect(isUpdated(late)).toBe(false);
    const told = play(...waiting, domains(4), the.report(3, { names: 'WITHDRAWN' })).state;
    expect([told.formerDomains, isUpdated(told)]).toEqual([[], true]);
  });

  it('taken away and given back before that are not gone', () => {
    const { state } = play(...connected, domains(3, 'db.example.com'), up(2), domains(4), domains(5, 'db.example.com'));
    expect([state.customDomains, state.formerDomains]).toEqual([['db.example.com'], []]);
  });
});

describe('zone affinity of a connection', () => {
  const affinity = (revision: number, isOn: boolean) => the.updated(revision, ['h', 'i'], false, [], isOn);

  it('changes it like zones do: a generation more, until names are confirmed', () => {
    const { events } = play(...connected);
    givenAll(events).when(affinity(3, true)).thenTypes('ConnectionUpdated', 'ZoneAffinityChanged', 'ChangeStarted');
    const { state } = play(...connected, affinity(3, true));
    expect([state.status, state.generation, isUpdated(state)]).toEqual(['CHANGING', 2, false]);
    const done = play(...connected, affinity(3, true), up(2)).state;
    expect([done.status, done.zoneAffinity, isUpdated(done)]).toEqual(['CONNECTED', true, true]);
  });

  it('that stays the same, or is an older word, changes nothing else', () => {
    const { events } = play(...connected, affinity(3, true), up(2));
    givenAll(events).when(affinity(4, true)).thenTypes('ConnectionUpdated');
    givenAll(events).when(affinity(2, false)).thenNothing();
  });
});

describe('addresses of a connection', () => {
  const dual = (revision: number): ConnectionCommand => {
    const told = the.updated(revision, ['h', 'i']);
    if (told.type !== 'UpdateConnection') throw new Error('not an update');
    return { ...told, data: { ...told.data, zones: told.data.zones.map((zone) => ({ ...zone, ipv6: 'fd00::5' })) } };
  };

  it('change it like zones do, which stay the same ones: a generation more, until forwarding and names have them', () => {
    const { events } = play(...connected);
    const types = ['ConnectionUpdated', 'ZoneAddressesChanged', 'ZoneAddressesChanged', 'ChangeStarted'];
    givenAll(events)
      .when(dual(3))
      .thenTypes(...types);
    const { state } = play(...connected, dual(3));
    expect([state.status, state.generation, state.zones['h']?.ipv6]).toEqual(['CHANGING', 2, 'fd00::5']);
    const done = play(...connected, dual(3), up(2)).state;
    expect([done.status, isUpdated(done)]).toEqual(['CONNECTED', true]);
  });

  it('are stored while it is not connected', () => {
    const { state } = play(the.request(false), dual(3));
    expect([state.status, state.generation, state.zones['i']?.ipv6]).toEqual(['DISCONNECTED', 2, 'fd00::5']);
  });
});

describe('targets of a REVERSE connection', () => {
  const bounded = (revision: number, allowed: boolean): ConnectionCommand => {
    const told = the.updated(revision, ['h', 'i']);
    if (told.type !== 'UpdateConnection') throw new Error('not an update');
    return { ...told, data: { ...told.data, targets: [{ ip: '10.1.3.7', port: 5432, allowed }] } };
  };

  it('change it like zones do; those that stay the same, and an older word, change nothing else', () => {
    const { events } = play(...connected);
    givenAll(events).when(bounded(3, true)).thenTypes('ConnectionUpdated', 'TargetsChanged', 'ChangeStarted');
    const { state } = play(...connected, bounded(3, true));
    expect([state.status, state.generation]).toEqual(['CHANGING', 2]);
    const again = play(...connected, bounded(3, true), up(2)).events;
    givenAll(again).when(bounded(4, true)).thenTypes('ConnectionUpdated');
    givenAll(again).when(bounded(5, false)).thenTypes('ConnectionUpdated', 'TargetsChanged', 'ChangeStarted');
    givenAll(again).when(bounded(2, false)).thenNothing();
  });
});

describe('what is let in to an INTERFACE connection', () => {
  const rule = (sourceCidr: string, allowed = true) => ({ allowed, fromPort: 0, toPort: 65_535, sourceCidr });
  const letting = (revision: number, ...ingress: readonly ReturnType<typeof rule>[]): ConnectionCommand => {
    const told = the.updated(revision, ['h', 'i']);
    if (told.type !== 'UpdateConnection') throw new Error('not an update');
    return { ...told, data: { ...told.data, ingress } };
  };
  const requested = (autoAccept: boolean): ConnectionCommand => {
    const told = the.request(autoAccept);
    if (told.type !== 'RequestConnection') throw new Error('not a request');
    return { ...told, data: { ...told.data, ingress: [rule('10.1.0.0/16')] } };
  };

  it('is recorded with the request', () => {
    givenAll([]).when(requested(false)).thenTypes('ConnectionRequested', 'IngressChanged');
    givenAll([]).when(requested(true)).thenTypes('ConnectionRequested', 'IngressChanged', 'ConnectionAccepted');
    expect(play(requested(true)).state.ingress).toEqual([rule('10.1.0.0/16')]);
  });

  it('changes it like zones do; the same in the same order, and an older word, change nothing else', () => {
    const before = play(requested(true), up(1)).events;
    givenAll(before)
      .when(letting(3, rule('10.1.0.0/16')))
      .thenTypes('ConnectionUpdated');
    const change = letting(3, rule('10.1.2.0/24', false), rule('10.1.0.0/16'));
    givenAll(before).when(change).thenTypes('ConnectionUpdated', 'IngressChanged', 'ChangeStarted');
    const { events, state } = play(requested(true), up(1), change);
    expect([state.status, state.generation]).toEqual(['CHANGING', 2]);
    const turned = letting(4, rule('10.1.0.0/16'), rule('10.1.2.0/24', false));
    givenAll(events).when(turned).thenTypes('ConnectionUpdated', 'IngressChanged', 'ChangeStarted');
    givenAll(events).when(letting(2)).thenNothing();
    givenAll(events).when(letting(4)).thenTypes('ConnectionUpdated', 'IngressChanged', 'ChangeStarted');
  });
});
