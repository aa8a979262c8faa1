import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer as createHttpServer, get } from 'node:http';
import { ForwardingState } from '@privatelink/proto/broker/v1/broker_service';
import { Conflict } from '@privatelink/shared/app/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freeBind, tryConnect } from './haproxy/engine.test-support.ts';
import type { Bind } from './haproxy/forward.ts';
import { type AgentStage, bindOf, openAgentStage, resourceOf, SOON } from './testing/agent-stage.ts';
import type { FakeBroker } from './testing/fake-broker.ts';
import { hasNamespaces } from './testing/network-namespaces.ts';

const { READY, CLOSED, REMOVED } = ForwardingState;

let stage: AgentStage;
let broker: FakeBroker;
beforeEach(async () => {
  stage = await openAgentStage();
  broker = stage.broker;
});
afterEach(() => stage.close());

/** An interface in front of an echo server. */
const desireEcho = async (): Promise<string> => broker.desire({ resource: resourceOf(await stage.target('hello')) });

const placeOf = (id: string): Bind => bindOf(broker.listenersOf(id)[0]);

describe('an agent', { timeout: 120_000 }, () => {
  it('forwards what is ready, and soon cuts off what is closed; then it is back at the same address', async () => {
    const server = createHttpServer((_, response) => response.end('the provider')).listen(0, '127.0.0.1');
    stage.onClose(() => server.close());
    await expect.poll(() => server.listening).toBe(true);
    const address = server.address();
    const port = address && typeof address === 'object' ? address.port : 0;
    const id = broker.desire({ resource: resourceOf({ ip: '127.0.0.1', port }) });
    const other = await desireEcho();
    stage.start();
    await stage.confirmed(id, other);
    const [told] = broker.reports.filter(({ connectionId }) => connectionId === id);
    expect(told).toMatchObject({
      generation: 1n,
      state: READY,
      zoneId: 'cn-hangzhou-h',
      forwarder: 'haproxy/loopback',
    });
    expect(told?.listeners).toEqual([{ port, address: expect.stringMatching(/^127\.(6[4-9]|[7-9]\d|1\d\d)\./) }]);
    expect(await request(placeOf(id))).toBe('the provider');

    const flow = await stage.connect(placeOf(other));
    const place = placeOf(other);
    const closing = performance.now();
    broker.desire({ connectionId: other, state: CLOSED });
    await Promise.all([flow.cut, stage.confirmed(other)]);
    expect(performance.now() - closing).toBeLessThan(4_000);
    expect(await tryConnect(place)).toBe('refused');
    expect(await request(placeOf(id))).toBe('the provider');

    broker.desire({ connectionId: other, state: READY });
    await stage.confirmed(other);
    expect(placeOf(other)).toEqual(place);
    expect((await stage.connect(place)).greeting).toBe('hello');
  });

  it('reports an interface whose target ceases to answer, and again when it answers, and nothing of others', async () => {
    // Where nobody else is given a port.
    const silent = await freeBind('127.40.0.2');
    const target = { ip: silent.host, port: silent.port };
    const release = await stage.occupy(silent);
    const id = broker.desire({ resource: resourceOf(target) });
    const other = await desireEcho();
    stage.start();
    await stage.confirmed(id, other);
    await release();
    const healthOf = () => broker.current(id)?.healthy;
    await expect.poll(healthOf, SOON).toBe(false);
    await stage.occupy(silent);
    await expect.poll(healthOf, SOON).toBe(true);
    expect(broker.health.map(({ connectionId, zoneId, healthy }) => [connectionId, zoneId, healthy])).toEqual([
      [id, 'cn-hangzhou-h', false],
      [id, 'cn-hangzhou-h', true],
    ]);
    expect(broker.isConfirmed(id)).toBe(true);
  });

  it('ends flows to an earlier resource when it is told to, once, and those of nobody else', async () => {
    const [moved, stays] = [await desireEcho(), await desireEcho()];
    stage.start();
    await stage.confirmed(moved, stays);
    const [flow, other] = [await stage.connect(placeOf(moved)), await stage.connect(placeOf(stays))];
    broker.desire({ connectionId: moved, endFlows: true });
    await Promise.all([flow.cut, stage.confirmed(moved)]);
    expect(await other.echo('still here')).toBe('still here');
    const next = await stage.connect(placeOf(moved));
    broker.desire({ connectionId: stays });
    await stage.confirmed(stays);
    expect(await next.echo('still here')).toBe('still here');
  });

  it('lets a provider connect to the targets of a reverse interface that are allowed, each by its number', async () => {
    const [{ port }, other] = [await stage.target('hello'), await stage.target('hello')];
    const targets = [
      { ip: '127.0.0.1', port, allowed: true },
      { ip: '127.0.0.1', port: other.port, allowed: false },
    ];
    const resource = { resourceId: 'egress-1', targets: [{ ip: '127.0.0.1', port: 0 }] };
    const id = broker.desire({ reverse: true, targets, resource });
    stage.start();
    await stage.confirmed(id);
    expect(broker.current(id)?.listeners).toMatchObject([{ port: 1 }]);
    const place = placeOf(id);
    expect((await stage.connect(place)).greeting).toBe('hello');

    broker.desire({ connectionId: id, targets: targets.map((target) => ({ ...target, allowed: true })) });
    await stage.confirmed(id);
    expect(broker.current(id)?.listeners).toMatchObject([{ port: 1 }, { port: 2 }]);
    expect(placeOf(id)).toEqual(place);
    const second = bindOf(broker.listenersOf(id)[1]);
    expect((await stage.connect(second)).greeting).toBe('hello');

    broker.desire({ connectionId: id, targets: targets.map((target) => ({ ...target, allowed: false })) });
    await stage.confirmed(id);
    expect(broker.listenersOf(id)).toEqual([]);
    expect([await tryConnect(place), await tryConnect(second)]).toEqual(['refused', 'refused']);
  });

  it('that is killed leaves flows as they are, and its successor knows them', async () => {
    const [stays, goes] = [await desireEcho(), await desireEcho()];
    const first = stage.start();
    await stage.confirmed(stays, goes);
    const [flow, ending] = [await stage.connect(placeOf(stays)), await stage.connect(placeOf(goes))];
    await stage.kill(first, 'SIGKILL');
    expect(await flow.echo('alone')).toBe('alone');
    expect(await ending.echo('alone')).toBe('alone');

    const place = placeOf(stays);
    broker.desire({ connectionId: goes, state: CLOSED });
    broker.desire({ connectionId: stays });
    const pids = await stage.haproxyPids();
    stage.start();
    await Promise.all([stage.confirmed(stays, goes), ending.cut]);
    expect(placeOf(stays)).toEqual(place);
    expect(await stage.haproxyPids()).toEqual(pids);
    expect(await flow.echo('still here')).toBe('still here');
  });

  it('starts HAProxy again when it was killed, and says so once', async () => {
    const id = await desireEcho();
    const agent = stage.start();
    await stage.confirmed(id);
    const pids = await stage.haproxyPids();
    expect(pids.length).toBeGreaterThanOrEqual(2);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await expect.poll(() => stage.connect(placeOf(id)).then((flow) => flow.greeting, String), SOON).toBe('hello');
    expect(agent.lines.filter(({ msg }) => String(msg).includes('HAProxy does not run'))).toHaveLength(1);
  });

  it('takes away what a new stream does not tell, and nothing before it has told everything', async () => {
    const [stays, gone] = [await desireEcho(), await desireEcho()];
    stage.start();
    await stage.confirmed(stays, gone);
    const place = placeOf(gone);
    const flow = await stage.connect(placeOf(stays));
    broker.forget(gone);
    broker.beSilent();
    broker.endStreams();
    await expect.poll(() => broker.watched.length, SOON).toBe(2);
    expect(await tryConnect(place)).toBe('accepted');
    broker.speak();
    await expect.poll(() => tryConnect(place), SOON).toBe('refused');
    expect(await flow.echo('still here')).toBe('still here');
  });

  it('touches nothing while it is told nothing, and takes over when the other one is gone', async () => {
    const id = await desireEcho();
    const first = stage.start();
    await stage.confirmed(id);
    const flow = await stage.connect(placeOf(id));
    const before = await readdir(stage.directory);
    broker.beSilent();
    stage.start({ PRIVATELINK_INSTANCE: 'agent-2' });
    await expect.poll(() => broker.watched.map(({ agent }) => agent), SOON).toEqual(['agent-1', 'agent-2']);
    await stage.kill(first, 'SIGKILL');
    expect(await readdir(stage.directory)).toEqual(before);
    expect(await flow.echo('alone')).toBe('alone');
    broker.speak();
    broker.desire({ connectionId: id });
    await stage.confirmed(id);
    expect(await flow.echo('adopted')).toBe('adopted');
    broker.desire({ connectionId: id, state: CLOSED });
    await Promise.all([flow.cut, stage.confirmed(id)]);
  });

  it('waits until the one before it has put its tools down', async () => {
    const id = await desireEcho();
    const first = stage.start();
    await stage.confirmed(id);
    // The broker takes it for gone, but it still works.
    const second = stage.start({ PRIVATELINK_INSTANCE: 'agent-2' });
    await expect.poll(() => second.said('everything has been told'), SOON).toBe(true);
    broker.desire({ connectionId: id, state: CLOSED });
    await stage.confirmed(id);
    expect(second.said('HAProxy runs already')).toBe(false);
    expect(await stage.kill(first, 'SIGTERM')).toBe(0);
    await expect.poll(() => second.said('HAProxy runs already'), SOON).toBe(true);
    broker.desire({ connectionId: id, state: READY });
    await stage.confirmed(id);
    expect((await stage.connect(placeOf(id))).greeting).toBe('hello');
  });

  it('repeats a report until it is accepted, and drops one that is of no interest any more', async () => {
    const [late, superseded] = [await desireEcho(), await desireEcho()];
    broker.refuseReports(new Conflict('not now'));
    const agent = stage.start();
    const tries = (id: string) => broker.reports.filter(({ connectionId }) => connectionId === id);
    await expect.poll(() => tries(late).length >= 2 && tries(superseded).length >= 1, SOON).toBe(true);
    broker.desire({ connectionId: superseded, state: CLOSED });
    await expect.poll(() => tries(superseded).some(({ state }) => state === CLOSED), SOON).toBe(true);
    const from = broker.reports.length;
    broker.refuseReports(undefined);
    await stage.confirmed(late, superseded);
    const rest = broker.reports.slice(from).filter(({ connectionId }) => connectionId === superseded);
    expect(rest.map(({ generation }) => generation)).toEqual([2n]);
    expect(agent.lines.filter(({ msg }) => String(msg).includes('was not accepted'))).toHaveLength(1);
  });

  it('moves an interface whose place was taken, and says what cannot be placed without holding up the others', async () => {
    const taken = await freeBind('127.99.7.7');
    await stage.occupy(taken);
    const target = await stage.target('hello');
    const listeners = [{ port: target.port, address: `${taken.host}:${taken.port}` }];
    const moved = broker.desire({ resource: resourceOf(target), listeners });
    const nowhere = broker.desire({});
    const agent = stage.start();
    await stage.confirmed(moved);
    expect(broker.listenersOf(moved)).not.toEqual(listeners.map(({ address }) => address));
    expect((await stage.connect(placeOf(moved))).greeting).toBe('hello');
    expect(agent.lines.filter(({ connectionId }) => connectionId === nowhere)).toMatchObject([
      { level: 'warn', reason: 'no resource serves it' },
    ]);
    expect(broker.isConfirmed(nowhere)).toBe(false);
    broker.desire({ connectionId: nowhere, resource: resourceOf(target) });
    await stage.confirmed(nowhere);
    await expect.poll(() => agent.said('in place after all'), SOON).toBe(true);
  });

  it('that is told to stop leaves HAProxy, or stops it', async () => {
    const id = await desireEcho();
    const leaving = stage.start();
    await stage.confirmed(id);
    const flow = await stage.connect(placeOf(id));
    expect(await stage.kill(leaving, 'SIGTERM')).toBe(0);
    expect(await flow.echo('alone')).toBe('alone');
    const stopping = stage.start({ PRIVATELINK_HAPROXY_ON_STOP: 'stop' });
    await expect.poll(() => stopping.said('everything has been told'), SOON).toBe(true);
    expect(await flow.echo('adopted')).toBe('adopted');
    expect(await stage.kill(stopping, 'SIGTERM')).toBe(0);
    await flow.cut;
    expect(await stage.haproxyPids()).toEqual([]);
  });

  it('closes at once although much is to be placed', async () => {
    const id = await desireEcho();
    stage.start();
    await stage.confirmed(id);
    const target = await stage.target('hello');
    const flow = await stage.connect(placeOf(id));
    const many = Array.from({ length: 300 }, () => broker.desire({ resource: resourceOf(target) }));
    broker.desire({ connectionId: id, state: CLOSED });
    await flow.cut;
    await stage.confirmed(id, ...many);
    const order = broker.reports.map(({ connectionId }) => connectionId);
    expect(order.lastIndexOf(id)).toBeLessThan(order.length - 100);
    for (const gone of many) broker.desire({ connectionId: gone, state: REMOVED });
    await expect.poll(() => tryConnect(placeOf(many[299] ?? '')), SOON).toBe('refused');
    expect(broker.reports.filter(({ state }) => state === REMOVED)).toEqual([]);
  });

  it('does not start in namespaces where it may not enter them', async () => {
    const nobody = hasNamespaces ? { uid: 65_534, gid: 65_534 } : {};
    const agent = stage.start({ PRIVATELINK_FORWARDING: 'namespaces' }, nobody);
    expect(await agent.exited).toBe(78);
    expect(agent.complaint()).toContain(`only ${process.platform === 'linux' ? 'root' : 'Linux'}`);
    expect(existsSync(stage.directory)).toBe(false);
  });
});

const request = ({ host, port }: Bind): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ host, port, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    response.on('end', () => resolve(text));
  }).on('error', reject);
  return promise;
};
